// SPDX-License-Identifier: Apache-2.0
//
// A load generator that does not wait: request number i is due at i / RATE seconds, whether or not earlier ones were
// answered, and its latency counts from then. A server that stalls so delays all that came due meanwhile, as it would
// delay clients who know nothing of each other; generators that send when an answer came (wrk, ab) leave them out.
// Requests that are due while every connection is busy wait in order and take no memory: their number says when they
// were due. One thread, HTTP/1.1 with keep-alive, loopback only.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bench/histogram.h"

namespace sandgate::bench {
namespace {

constexpr std::string_view kUsage =
    "usage: open_loop --port PORT --rate N [--seconds N] [--connections N] [--timeout SECONDS] [--path PATH] [--paths "
    "N]\n"
    "                 [--body-bytes N] [--field 'NAME: VALUE'] [--json]\n"
    "\n"
    "Sends N requests a second to 127.0.0.1:PORT by schedule. With --paths, each % in PATH becomes 0 to N-1 in turn; "
    "with\n"
    "--body-bytes the requests are POSTs.\n";

constexpr std::uint64_t kSecondNs = 1'000'000'000;
// How often requests are looked at that have waited too long, and lost connections are made again.
constexpr std::uint64_t kSweepNs = kSecondNs / 20;
// The longest head of an answer, and what is read at one time.
constexpr std::size_t kBufferBytes = 16384;

struct Options {
  std::uint64_t port = 0;
  std::uint64_t rate = 0;
  std::uint64_t seconds = 3;
  std::uint64_t connections = 64;
  std::uint64_t timeout = 5;
  std::uint64_t paths = 1;
  std::uint64_t body_bytes = 0;
  std::string path = "/";
  std::string field;
  bool json = false;
};

struct NumberOption {
  std::string_view name;
  std::uint64_t Options::* value;
  std::uint64_t least;
  std::uint64_t most;
};

constexpr std::array<NumberOption, 7> kNumbers = {{
    {"--port", &Options::port, 1, 65535},
    {"--rate", &Options::rate, 1, 1'000'000},
    {"--seconds", &Options::seconds, 1, 60},
    {"--connections", &Options::connections, 1, 20'000},
    {"--timeout", &Options::timeout, 1, 60},
    {"--paths", &Options::paths, 1, 100'000},
    {"--body-bytes", &Options::body_bytes, 0, 1 << 20},
}};

std::uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecondNs + static_cast<std::uint64_t>(time.tv_nsec);
}

struct Connection {
  enum class State { kLost, kConnecting, kFree, kWriting, kWaiting, kSkippingBody };
  int fd = -1;
  State state = State::kLost;
  std::uint64_t due_ns = 0;   // of the request that is on its way
  std::uint64_t sent_ns = 0;  // when the connection took it
  std::string_view unsent;
  std::uint64_t body_left = 0;
  bool is_good = true;   // 2xx
  bool closes = false;   // after this answer
  std::size_t held = 0;  // bytes of a head
  std::array<char, kBufferBytes> buffer;

  bool is_busy() const { return state == State::kWriting || state == State::kWaiting || state == State::kSkippingBody; }
};

struct Errors {
  std::uint64_t connecting = 0;  // the server refused a connection
  std::uint64_t closed = 0;      // before the whole answer
  std::uint64_t timed_out = 0;
  std::uint64_t status = 0;      // other than 2xx
  std::uint64_t unreadable = 0;  // no answer with a Content-Length
};

class Load {
 public:
  explicit Load(const Options& options);
  Load(const Load&) = delete;
  ~Load();
  void run();
  void print() const;

 private:
  void connect(Connection& connection);
  void lose(Connection& connection, std::uint64_t Errors::* kind);
  void free(Connection& connection);
  void send_due(std::uint64_t now);
  void write(Connection& connection);
  void read(Connection& connection);
  bool read_head(Connection& connection);
  void finish(Connection& connection);
  void handle(const epoll_event& event);
  void sweep(std::uint64_t now);
  std::uint64_t due_ns(std::uint64_t number) const {
    return start_ns_ + static_cast<std::uint64_t>(static_cast<unsigned __int128>(number) * kSecondNs / options_.rate);
  }

  const Options& options_;
  std::vector<std::string> requests_;
  std::vector<Connection> connections_;
  std::deque<Connection*> free_;  // who has been free the longest comes first, so that all are used
  int poller_ = -1;
  std::uint64_t start_ns_ = 0;
  std::uint64_t end_ns_ = 0;  // of the answer that came last
  std::uint64_t next_ = 0;    // number of the first request that no connection took yet
  std::uint64_t count_ = 0;   // of requests in the schedule
  std::size_t busy_ = 0;
  Errors errors_;
  Histogram latency_;
  Histogram service_;  // without the time that a request waited for a connection
  Histogram late_;     // how late this program took requests for which a connection was free
};

Load::Load(const Options& options) : options_(options), connections_(options.connections) {
  for (std::uint64_t i = 0; i < options.paths; ++i) {
    std::string path = options.path;
    std::size_t mark = options.paths > 1 ? path.find('%') : std::string::npos;
    if (mark != std::string::npos) path.replace(mark, 1, std::to_string(i));
    std::string request = (options.body_bytes > 0 ? "POST " : "GET ") + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    if (!options.field.empty()) request += options.field + "\r\n";
    if (options.body_bytes > 0) request += "Content-Length: " + std::to_string(options.body_bytes) + "\r\n";
    requests_.push_back(request + "\r\n" + std::string(options.body_bytes, 'x'));
  }
  count_ = options.rate * options.seconds;
  poller_ = ::epoll_create1(EPOLL_CLOEXEC);
}

Load::~Load() {
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  ::close(poller_);
}

void Load::connect(Connection& connection) {
  connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return lose(connection, &Errors::connecting);
  int on = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection.state = Connection::State::kConnecting;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &connection;
  ::epoll_ctl(poller_, EPOLL_CTL_ADD, connection.fd, &event);
  int failed = ::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  if (failed != 0 && errno != EINPROGRESS) lose(connection, &Errors::connecting);
}

// Its request, if it has one, is answered never. A null kind is no error.
void Load::lose(Connection& connection, std::uint64_t Errors::* kind) {
  if (kind != nullptr) ++(errors_.*kind);
  if (connection.is_busy()) --busy_;
  if (connection.state == Connection::State::kFree) std::erase(free_, &connection);
  if (connection.fd >= 0) ::close(connection.fd);
  connection.fd = -1;
  connection.state = Connection::State::kLost;
}

void Load::free(Connection& connection) {
  connection.state = Connection::State::kFree;
  connection.held = 0;
  free_.push_back(&connection);
}

// Gives each request that is due to a free connection, while there is one.
void Load::send_due(std::uint64_t now) {
  while (!free_.empty() && next_ < count_ && due_ns(next_) <= now) {
    Connection& connection = *free_.front();
    free_.pop_front();
    connection.state = Connection::State::kWriting;
    connection.due_ns = due_ns(next_);
    connection.sent_ns = now;
    connection.unsent = requests_[next_ % requests_.size()];
    connection.closes = false;
    ++next_;
    ++busy_;
    write(connection);
  }
}

void Load::write(Connection& connection) {
  while (!connection.unsent.empty()) {
    ssize_t sent = ::send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return lose(connection, &Errors::closed);
    connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
  }
  connection.state = Connection::State::kWaiting;
}

void Load::read(Connection& connection) {
  for (;;) {
    bool in_body = connection.state == Connection::State::kSkippingBody;
    std::size_t at = in_body ? 0 : connection.held;
    ssize_t got = ::recv(connection.fd, connection.buffer.data() + at, connection.buffer.size() - at, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    // A server may close a connection on which nothing is asked.
    if (got <= 0) return lose(connection, connection.is_busy() ? &Errors::closed : nullptr);
    if (connection.state == Connection::State::kFree) return lose(connection, &Errors::unreadable);
    auto bytes = static_cast<std::uint64_t>(got);
    if (in_body) {
      if (bytes > connection.body_left) return lose(connection, &Errors::unreadable);
      connection.body_left -= bytes;
    } else {
      connection.held += bytes;
      if (!read_head(connection)) return;
    }
    if (connection.state == Connection::State::kSkippingBody && connection.body_left == 0) return finish(connection);
  }
}

// The value of a field, without regard to case; empty when it is not there.
std::string_view field_of(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return line;
  }
  return {};
}

// False when the connection is lost.
bool Load::read_head(Connection& connection) {
  std::string_view held(connection.buffer.data(), connection.held);
  std::size_t end = held.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (connection.held < connection.buffer.size()) return true;
    lose(connection, &Errors::unreadable);
    return false;
  }
  std::string_view head = held.substr(0, end + 2);
  std::string_view length = field_of(head, "content-length");
  std::uint64_t body = 0;
  auto read = std::from_chars(length.data(), length.data() + length.size(), body);
  std::uint64_t come = connection.held - end - 4;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12 || read.ec != std::errc() || come > body) {
    lose(connection, &Errors::unreadable);
    return false;
  }
  connection.is_good = head[9] == '2';
  connection.closes = field_of(head, "connection").starts_with("close");
  connection.body_left = body - come;
  connection.state = Connection::State::kSkippingBody;
  return true;
}

void Load::finish(Connection& connection) {
  std::uint64_t now = now_ns();
  end_ns_ = now;
  if (connection.is_good) {
    latency_.add(now - connection.due_ns);
    service_.add(now - connection.sent_ns);
  } else {
    ++errors_.status;
  }
  if (connection.closes) {
    lose(connection, nullptr);
    return connect(connection);
  }
  --busy_;
  free(connection);
}

void Load::handle(const epoll_event& event) {
  auto& connection = *static_cast<Connection*>(event.data.ptr);
  if (connection.state == Connection::State::kConnecting) {
    int failure = 0;
    socklen_t size = sizeof(failure);
    ::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return lose(connection, &Errors::connecting);
    if ((event.events & EPOLLOUT) == 0) return;
    free(connection);
  }
  if (connection.state == Connection::State::kWriting && (event.events & EPOLLOUT) != 0) write(connection);
  if (connection.state != Connection::State::kLost && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    read(connection);
  // The end came with the answer: no further event will tell of it.
  if (connection.state == Connection::State::kFree && (event.events & EPOLLRDHUP) != 0) lose(connection, nullptr);
}

void Load::sweep(std::uint64_t now) {
  for (Connection& connection : connections_) {
    if (connection.is_busy() && now - connection.sent_ns > options_.timeout * kSecondNs)
      lose(connection, &Errors::timed_out);
    if (connection.state == Connection::State::kLost && next_ < count_) connect(connection);
  }
}

void Load::run() {
  // The kernel may wake a sleeper 50 us late unless it is told that this matters.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  for (Connection& connection : connections_) connect(connection);
  // A moment for the connections, which are no part of the measurement.
  start_ns_ = now_ns() + kSecondNs / 5;
  end_ns_ = start_ns_;
  std::uint64_t stop_ns = start_ns_ + options_.seconds * kSecondNs;
  std::uint64_t sweep_ns = start_ns_;
  bool had_free = false;
  std::array<epoll_event, 256> ready;
  for (;;) {
    std::uint64_t now = now_ns();
    if (now >= sweep_ns) {
      sweep(now);
      sweep_ns = now + kSweepNs;
    }
    // What no connection has taken when the time is over stays unsent; what is on its way may still be answered.
    if (now >= stop_ns ? busy_ == 0 : next_ == count_ && busy_ == 0) return;
    if (had_free && now < stop_ns && next_ < count_ && due_ns(next_) <= now) late_.add(now - due_ns(next_));
    if (now < stop_ns) send_due(now);
    had_free = !free_.empty();
    std::uint64_t wake_ns = sweep_ns;
    if (now < stop_ns && had_free && next_ < count_) wake_ns = std::min(wake_ns, due_ns(next_));
    now = now_ns();
    std::uint64_t wait_ns = wake_ns > now ? wake_ns - now : 0;
    timespec wait{static_cast<time_t>(wait_ns / kSecondNs), static_cast<long>(wait_ns % kSecondNs)};
    int count = ::epoll_pwait2(poller_, ready.data(), static_cast<int>(ready.size()), &wait, nullptr);
    for (int i = 0; i < count; ++i) handle(ready[static_cast<std::size_t>(i)]);
  }
}

void Load::print() const {
  double seconds = static_cast<double>(std::max(end_ns_ - start_ns_, std::uint64_t{1})) / 1e9;
  std::uint64_t answered = latency_.total();
  auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  const char* form =
      options_.json
          ? "{\"due\": %llu, \"answered\": %llu, \"per_second\": %.1f, \"unsent\": %llu, "
            "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, "
            "\"service_p99_us\": %.1f, \"late_p99_us\": %.1f, "
            "\"errors\": {\"connecting\": %llu, \"closed\": %llu, \"timed_out\": %llu, \"status\": %llu, "
            "\"unreadable\": %llu}}\n"
          : "%llu due, %llu answered, %.1f a second, %llu never sent\n"
            "latency from when they were due: p50 %.1f us, p90 %.1f us, p99 %.1f us, p99.9 %.1f us, longest %.1f us\n"
            "from when they were sent: p99 %.1f us; sent late by this program: p99 %.1f us\n"
            "errors: %llu connecting, %llu closed, %llu timed out, %llu with a status, %llu unreadable\n";
  using Number = unsigned long long;
  std::printf(form, Number{count_}, Number{answered}, static_cast<double>(answered) / seconds, Number{count_ - next_},
              us(latency_.quantile_ns(0.5)), us(latency_.quantile_ns(0.9)), us(latency_.quantile_ns(0.99)),
              us(latency_.quantile_ns(0.999)), us(latency_.longest_ns()), us(service_.quantile_ns(0.99)),
              us(late_.quantile_ns(0.99)), Number{errors_.connecting}, Number{errors_.closed},
              Number{errors_.timed_out}, Number{errors_.status}, Number{errors_.unreadable});
}

// True when `options` are complete and in their ranges.
bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    std::string_view name = words[i];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (++i == count) return false;
    std::string_view value = words[i];
    if (name == "--path" && value.starts_with('/')) {
      options.path = value;
      continue;
    }
    if (name == "--field") {
      options.field = value;
      continue;
    }
    const NumberOption* found =
        std::find_if(kNumbers.begin(), kNumbers.end(), [&](const NumberOption& number) { return number.name == name; });
    if (found == kNumbers.end()) return false;
    std::uint64_t& number = options.*found->value;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) return false;
    if (number < found->least || number > found->most) {
      std::fprintf(stderr, "open_loop: %s takes %llu to %llu\n", words[i - 1],
                   static_cast<unsigned long long>(found->least), static_cast<unsigned long long>(found->most));
      return false;
    }
  }
  return options.port != 0 && options.rate != 0;
}

int open_loop(int count, char** words) {
  Options options;
  if (!parse(count, words, options)) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Load load(options);
  load.run();
  load.print();
  return 0;
}

}  // namespace
}  // namespace sandgate::bench

int main(int argc, char** argv) { return sandgate::bench::open_loop(argc, argv); }
