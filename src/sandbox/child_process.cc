// SPDX-License-Identifier: Apache-2.0
#include "sandbox/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "platform/clock.h"
#include "platform/file.h"

namespace sandgate::sandbox {
namespace {

using platform::Descriptor;

// Enough for the last words of a panic.
constexpr std::size_t kDiagnosticsBytesMax = 4096;
constexpr std::size_t kPieceBytes = 65536;
// Between looks at a child that has closed its output but has not ended.
constexpr int kReapPeriodMs = 2;

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorKind::kInternal, "no pipe for a process", platform::system_error_text(errno));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  // A server started with its stdin closed gets low numbers, on which the child's own three would be put.
  for (Descriptor* end : {&pipe.read_end, &pipe.write_end}) {
    if (end->get() <= STDERR_FILENO) *end = Descriptor(::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!*end) return fail(ErrorKind::kInternal, "no pipe for a process", platform::system_error_text(errno));
  }
  return pipe;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
};

// A process being run. Destroying it kills and reaps what is still there.
class Child {
 public:
  Child(const ChildCommand& command, std::string_view input, const Descriptor& stop)
      : command_(command), input_(input), stop_(stop), deadline_(platform::monotonic_now() + command.time) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill_and_reap();
  }

  Status start();
  ChildEnd communicate();

 private:
  enum class Next : unsigned char { kGoOn, kEndOfOutput, kKill };

  int milliseconds_left() const;
  Next wait_and_move(ChildEnd& end);
  void send_input();
  Next collect(Descriptor& from, std::string& to, std::uint64_t bytes_max, ChildEnd& end);
  void reap(ChildEnd& end);
  void kill_and_reap();

  const ChildCommand& command_;
  std::string_view input_;
  const Descriptor& stop_;
  Nanoseconds deadline_;
  pid_t pid_ = -1;
  Descriptor to_child_;
  Descriptor from_child_;
  Descriptor words_;
  std::vector<char> piece_ = std::vector<char>(kPieceBytes);
};

Status Child::start() {
  Result<Pipe> in = make_pipe();
  if (!in) return fail(std::move(in.error()));
  Result<Pipe> out = make_pipe();
  if (!out) return fail(std::move(out.error()));
  Result<Pipe> err = make_pipe();
  if (!err) return fail(std::move(err.error()));

  SpawnSettings settings;
  ::posix_spawn_file_actions_adddup2(&settings.actions, in->read_end.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.actions, out->write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.actions, err->write_end.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  // A group of its own: Ctrl-C in a terminal is for the server, which ends its children itself.
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> arguments = command_.arguments;
  arguments.insert(arguments.begin(), command_.program);
  std::vector<std::string> environment = command_.environment;
  int failure = ::posix_spawn(&pid_, command_.program.c_str(), &settings.actions, &settings.attributes,
                              pointers(arguments).data(), pointers(environment).data());
  if (failure != 0) {
    pid_ = -1;
    return fail(ErrorKind::kInternal, "a process could not be started",
                fmt::format("{}: {}", command_.program, platform::system_error_text(failure)));
  }
  to_child_ = std::move(in->write_end);
  from_child_ = std::move(out->read_end);
  words_ = std::move(err->read_end);
  ::fcntl(to_child_.get(), F_SETFL, O_NONBLOCK);
  return {};
}

int Child::milliseconds_left() const {
  auto left = std::chrono::ceil<Milliseconds>(deadline_ - platform::monotonic_now());
  return static_cast<int>(std::clamp<Milliseconds::rep>(left.count(), 0, 60'000));
}

void Child::send_input() {
  ssize_t wrote = ::write(to_child_.get(), input_.data(), input_.size());
  if (wrote > 0) input_.remove_prefix(static_cast<std::size_t>(wrote));
  // A child that reads no more will say why on its output, or by how it ends.
  bool closed = wrote < 0 && errno != EAGAIN && errno != EINTR;
  if (input_.empty() || closed) to_child_.reset();
}

Child::Next Child::collect(Descriptor& from, std::string& to, std::uint64_t bytes_max, ChildEnd& end) {
  ssize_t got = ::read(from.get(), piece_.data(), piece_.size());
  if (got < 0 && errno == EINTR) return Next::kGoOn;
  if (got <= 0) {
    from.reset();
    return Next::kGoOn;
  }
  auto bytes = static_cast<std::size_t>(got);
  std::size_t room = static_cast<std::size_t>(bytes_max - to.size());
  to.append(piece_.data(), std::min(bytes, room));
  if (bytes <= room || &to == &end.diagnostics) return Next::kGoOn;
  end.how = ChildEnd::How::kTooMuchOutput;
  return Next::kKill;
}

Child::Next Child::wait_and_move(ChildEnd& end) {
  if (!from_child_ && !words_) return Next::kEndOfOutput;
  // poll(2) skips negative descriptors: those that are closed.
  std::array<pollfd, 4> watched = {{{stop_.get(), POLLIN, 0},
                                    {to_child_.get(), POLLOUT, 0},
                                    {from_child_.get(), POLLIN, 0},
                                    {words_.get(), POLLIN, 0}}};
  int ready = ::poll(watched.data(), watched.size(), milliseconds_left());
  if (ready < 0) return Next::kGoOn;  // EINTR
  if (watched[0].revents != 0) {
    end.how = ChildEnd::How::kStopped;
    return Next::kKill;
  }
  if (platform::monotonic_now() >= deadline_) {
    end.how = ChildEnd::How::kOutOfTime;
    return Next::kKill;
  }
  if (watched[1].revents != 0) send_input();
  Next next = Next::kGoOn;
  if (watched[2].revents != 0) next = collect(from_child_, end.output, command_.output_bytes_max, end);
  if (watched[3].revents != 0) collect(words_, end.diagnostics, kDiagnosticsBytesMax, end);
  return next;
}

ChildEnd Child::communicate() {
  ChildEnd end;
  Next next = Next::kGoOn;
  while (next == Next::kGoOn) next = wait_and_move(end);
  if (next == Next::kKill) {
    kill_and_reap();
  } else {
    reap(end);
  }
  return end;
}

// The output has ended, the process is about to.
void Child::reap(ChildEnd& end) {
  int status = 0;
  while (true) {
    pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == pid_) break;
    if (reaped < 0 && errno != EINTR) break;
    pollfd stop{stop_.get(), POLLIN, 0};
    bool stopped = ::poll(&stop, 1, kReapPeriodMs) > 0;
    if (!stopped && platform::monotonic_now() < deadline_) continue;
    end.how = stopped ? ChildEnd::How::kStopped : ChildEnd::How::kOutOfTime;
    kill_and_reap();
    return;
  }
  pid_ = -1;
  end.how = WIFSIGNALED(status) ? ChildEnd::How::kSignalled : ChildEnd::How::kExited;
  end.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void Child::kill_and_reap() {
  int status = 0;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
}

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command, std::string_view input, const Descriptor& stop) {
  Child child(command, input, stop);
  Status started = child.start();
  if (!started) return fail(std::move(started.error()));
  return child.communicate();
}

}  // namespace sandgate::sandbox
