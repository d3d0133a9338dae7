// SPDX-License-Identifier: Apache-2.0
//
// Reads a stream of messages as a connection does, given in pieces, and writes down what it understood: one line per
// message. Two ways of cutting the same bytes must give the same transcript. Every parse sees its input end at an
// unreadable page, and what it saw is overwritten before the result is read. For tests and fuzz targets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/body_decoder.h"
#include "http/head_parser.h"
#include "http/testing/guarded_input.h"

namespace sandgate::http::testing {

inline std::string describe(BodyFraming framing) {
  switch (framing.kind) {
    case BodyFraming::Kind::kNone: return "none";
    case BodyFraming::Kind::kLength: return "length " + std::to_string(framing.length);
    case BodyFraming::Kind::kChunked: return "chunked";
    case BodyFraming::Kind::kUntilClose: return "until close";
  }
  return "?";
}

inline std::string describe(const Fields& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += " {";
    text += field.name;
    text += '=';
    text += field.value;
    text += '}';
  }
  return text;
}

// "GET a.example /path?query 1.1 {Host=a.example}".
inline std::string describe(const RequestHead& head) {
  std::string text(head.method);
  text += ' ';
  text += head.authority;
  text += ' ';
  text += head.path;
  if (head.has_query) text += '?';
  text += head.query;
  text += head.minor_version == 0 ? " 1.0" : " 1.1";
  return text + describe(head.fields);
}

// "200 1.1 {Server=x}".
inline std::string describe(const ResponseHead& head) {
  return std::to_string(head.status) + (head.minor_version == 0 ? " 1.0" : " 1.1") + describe(head.fields);
}

// The side that a test reads: requests as a server, or responses to one method as a client.
class RequestSide {
 public:
  explicit RequestSide(HeadLimits limits = {}) : parser_(limits) {}
  HeadResult parse(std::string_view buffer, Arena& arena) {
    heads_.emplace_back(arena);
    return parser_.parse(buffer, heads_.back(), framing_);
  }
  std::string head() const { return describe(heads_.back()); }
  BodyFraming framing() const { return framing_; }
  bool reads_on() const { return !heads_.back().is_connect(); }

 private:
  RequestParser parser_;
  std::vector<RequestHead> heads_;
  BodyFraming framing_;
};

class ResponseSide {
 public:
  explicit ResponseSide(std::string_view method, HeadLimits limits = {}) : method_(method), parser_(limits) {}
  HeadResult parse(std::string_view buffer, Arena& arena) {
    heads_.emplace_back(arena);
    return parser_.parse(buffer, method_, heads_.back(), framing_);
  }
  std::string head() const { return describe(heads_.back()); }
  BodyFraming framing() const { return framing_; }
  bool reads_on() const { return heads_.back().status != 101 && method_ != "CONNECT"; }

 private:
  std::string_view method_;
  ResponseParser parser_;
  std::vector<ResponseHead> heads_;
  BodyFraming framing_;
};

template <typename Side>
class Reader {
 public:
  explicit Reader(Side side, std::size_t bytes_max = 65536) : side_(std::move(side)), input_(bytes_max) {}

  void feed(std::string_view piece) {
    buffer_ += piece;
    while (!stopped_ && !taken_over_ && (in_body_ ? read_body() : read_head())) {}
  }

  // What was understood when the connection ends here.
  std::string finish() {
    if (stopped_) return transcript_;
    if (taken_over_) return transcript_ + line_ + " then [" + buffer_ + "]\n";
    if (in_body_ && body_.finish()) end_message();
    if (in_body_) return transcript_ + line_ + " [" + content_ + "] unfinished\n";
    return buffer_.empty() ? transcript_ : transcript_ + "unfinished head\n";
  }

 private:
  bool read_head() {
    const HeadResult result = side_.parse(input_.place(buffer_), arena_);
    input_.spoil();
    if (result.kind == HeadResult::Kind::kNeedMore) return false;
    if (result.kind == HeadResult::Kind::kRefused) {
      return stop("refused " + std::to_string(result.refusal.status) + ": " + std::string(result.refusal.reason) +
                  "\n");
    }
    SANDGATE_CHECK(result.consumed > 0 && result.consumed <= buffer_.size());
    buffer_.erase(0, result.consumed);
    line_ = side_.head() + " " + describe(side_.framing());
    taken_over_ = !side_.reads_on();
    if (taken_over_) return false;
    body_ = BodyDecoder(side_.framing(), arena_);
    in_body_ = true;
    return true;
  }

  bool read_body() {
    const std::string_view placed = input_.place(buffer_);
    const BodyDecoder::Step step = body_.decode(placed);
    SANDGATE_CHECK(step.consumed <= placed.size());
    content_ += step.data;
    if (!step.data.empty()) {
      SANDGATE_CHECK(step.data.data() >= placed.data() &&
                     step.data.data() + step.data.size() == placed.data() + step.consumed);
    }
    input_.spoil();
    buffer_.erase(0, step.consumed);
    switch (step.kind) {
      case BodyDecoder::Step::Kind::kNeedMore: return false;
      case BodyDecoder::Step::Kind::kData: SANDGATE_CHECK(!step.data.empty()); return true;
      case BodyDecoder::Step::Kind::kEnd: end_message(); return true;
      case BodyDecoder::Step::Kind::kBroken:
        return stop(line_ + " [" + content_ + "] broken: " + std::string(step.reason) + "\n");
    }
    return false;
  }

  void end_message() {
    transcript_ += line_ + " [" + content_ + "]";
    if (body_.trailers() != nullptr) transcript_ += " trailers" + describe(*body_.trailers());
    transcript_ += '\n';
    content_.clear();
    in_body_ = false;
  }

  bool stop(const std::string& last_line) {
    transcript_ += last_line;
    stopped_ = true;
    return false;
  }

  Arena arena_;
  Side side_;
  GuardedInput input_;
  BodyDecoder body_;
  std::string buffer_;
  std::string line_;
  std::string content_;
  std::string transcript_;
  bool in_body_ = false;
  bool taken_over_ = false;
  bool stopped_ = false;
};

template <typename Side>
std::string read_whole(Side side, std::string_view bytes) {
  Reader<Side> reader(std::move(side));
  reader.feed(bytes);
  return reader.finish();
}

// In two pieces, the first with `first` bytes.
template <typename Side>
std::string read_split(Side side, std::string_view bytes, std::size_t first) {
  Reader<Side> reader(std::move(side));
  reader.feed(bytes.substr(0, first));
  reader.feed(bytes.substr(first));
  return reader.finish();
}

template <typename Side>
std::string read_bytewise(Side side, std::string_view bytes) {
  Reader<Side> reader(std::move(side));
  for (std::size_t i = 0; i < bytes.size(); ++i) reader.feed(bytes.substr(i, 1));
  return reader.finish();
}

}  // namespace sandgate::http::testing
