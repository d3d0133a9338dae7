// SPDX-License-Identifier: Apache-2.0
#include "http/head_writer.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "http/byte_class.h"

namespace sandgate::http {
namespace {

// Gathers the pieces of a head twice: first their lengths, then their bytes, so that the buffer grows once.
class Measure {
 public:
  void operator()(std::string_view piece) { bytes_ += piece.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

class Copy {
 public:
  explicit Copy(char* to) : to_(to) {}
  void operator()(std::string_view piece) {
    if (piece.empty()) return;
    std::memcpy(to_, piece.data(), piece.size());
    to_ += piece.size();
  }

 private:
  char* to_;
};

template <typename Pieces>
void append(std::string& out, const Pieces& pieces) {
  Measure measure;
  pieces(measure);
  const std::size_t before = out.size();
  const std::size_t after = before + measure.bytes();
  // The length that the library gives to the operation is that of the room, which libstdc++ 12 rounds up.
  out.resize_and_overwrite(after, [&](char* data, std::size_t) {
    Copy copy(data + before);
    pieces(copy);
    return after;
  });
}

// Whoever filled the head has validated it; a CR or LF here would split the message.
void check_text([[maybe_unused]] std::string_view text) {
#ifndef NDEBUG
  const char* end = text.data() + text.size();
  SANDGATE_CHECK(find_control(text.data(), end) == end);
#endif
}

bool is_written_by_us(const Field& field, ConnectionOption connection) {
  switch (field.id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTransferEncoding: return true;
    case FieldId::kUpgrade: return connection != ConnectionOption::kUpgrade;
    default: return false;
  }
}

template <typename Put>
void put_field(Put& put, std::string_view name, std::string_view value) {
  check_text(name);
  check_text(value);
  put(name);
  put(": ");
  put(value);
  put("\r\n");
}

template <typename Put>
void put_framing(Put& put, BodyFraming framing) {
  if (framing.kind == BodyFraming::Kind::kChunked) put("Transfer-Encoding: chunked\r\n");
  if (framing.kind != BodyFraming::Kind::kLength) return;
  std::array<char, 20> digits;
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), framing.length).ptr;
  put("Content-Length: ");
  put({digits.data(), static_cast<std::size_t>(end - digits.data())});
  put("\r\n");
}

template <typename Put>
void put_connection(Put& put, ConnectionOption connection) {
  switch (connection) {
    case ConnectionOption::kImplied: break;
    case ConnectionOption::kClose: put("Connection: close\r\n"); break;
    case ConnectionOption::kKeepAlive: put("Connection: keep-alive\r\n"); break;
    case ConnectionOption::kUpgrade: put("Connection: Upgrade\r\n"); break;
  }
}

template <typename Put>
void put_target(Put& put, const RequestHead& head) {
  if (head.is_connect()) return put(head.authority);
  check_text(head.path);
  check_text(head.query);
  put(head.path);
  if (!head.has_query) return;
  put("?");
  put(head.query);
}

// What a response may say about its body: nothing for 1xx and 204, no coding for 304.
BodyFraming framing_to_write(int status, BodyFraming framing) {
  if (!status_forbids_body(status)) return framing;
  return status == 304 && framing.kind == BodyFraming::Kind::kLength ? framing : BodyFraming{};
}

bool defines_a_body(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

}  // namespace

void write_response_head(std::string& out, const ResponseHead& head, BodyFraming framing, ConnectionOption connection,
                         std::string_view date) {
  SANDGATE_CHECK(head.status >= 100 && head.status <= 999);
  const std::array<char, 3> status = {static_cast<char>('0' + head.status / 100),
                                      static_cast<char>('0' + head.status / 10 % 10),
                                      static_cast<char>('0' + head.status % 10)};
  framing = framing_to_write(head.status, framing);
  const bool add_date = !date.empty() && !head.fields.has(FieldId::kDate);
  append(out, [&](auto& put) {
    put("HTTP/1.1 ");
    put({status.data(), status.size()});
    put(" ");
    put(reason_phrase(head.status));
    put("\r\n");
    for (const Field& field : head.fields) {
      if (!is_written_by_us(field, connection)) put_field(put, field.name, field.value);
    }
    if (add_date) put_field(put, "Date", date);
    put_framing(put, framing);
    put_connection(put, connection);
    put("\r\n");
  });
}

void write_request_head(std::string& out, const RequestHead& head, BodyFraming framing, ConnectionOption connection) {
  const std::string_view host = head.fields.find(FieldId::kHost).value_or(head.authority);
  if (framing.kind == BodyFraming::Kind::kNone && defines_a_body(head.method))
    framing = {BodyFraming::Kind::kLength, 0};
  append(out, [&](auto& put) {
    put(head.method);
    put(" ");
    put_target(put, head);
    put(" HTTP/1.1\r\n");
    put_field(put, "Host", host);
    for (const Field& field : head.fields) {
      if (field.id != FieldId::kHost && !is_written_by_us(field, connection)) put_field(put, field.name, field.value);
    }
    put_framing(put, framing);
    put_connection(put, connection);
    put("\r\n");
  });
}

}  // namespace sandgate::http
