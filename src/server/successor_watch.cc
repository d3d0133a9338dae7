// SPDX-License-Identifier: Apache-2.0
#include "server/successor_watch.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "platform/log.h"

namespace sandgate::server {
namespace {

using Kind = HandoverMessage::Kind;

// A successor asks at once; who connects and is silent would keep the real one out.
constexpr Milliseconds kHello{5'000};
// A successor with an empty cache compiles every module first, one or two seconds each; it does not compile for longer
// than this, so it hangs.
constexpr Milliseconds kBuild{300'000};
// The kernel does not take connections for want of descriptors or memory: that passes, or an operator comes.
constexpr Milliseconds kPauseAfterFailure{1'000};

}  // namespace

Result<std::unique_ptr<SuccessorWatch>> SuccessorWatch::start(net::DescriptorListener listener, Server& server) {
  platform::Descriptor interrupt(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!interrupt) return fail(ErrorKind::kInternal, "no descriptor is left for the handover");
  std::unique_ptr<SuccessorWatch> watch(new SuccessorWatch(std::move(listener), std::move(interrupt), server));
  SuccessorWatch* self = watch.get();
  watch->thread_ = std::thread([self] { self->watch(); });
  return watch;
}

void SuccessorWatch::stop() {
  if (!thread_.joinable()) return;
  std::uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(interrupt_.get(), &one, sizeof(one));
  thread_.join();
  listener_.reset();
}

void SuccessorWatch::watch() {
  for (;;) {
    Result<net::DescriptorChannel> channel = listener_->accept(interrupt_.get());
    if (channel) {
      if (converse(*channel)) return;
      continue;
    }
    if (channel.error().kind == ErrorKind::kDenied) return;
    log::warning("handover: {}; cause: {}", channel.error().detail, channel.error().cause);
    std::this_thread::sleep_for(kPauseAfterFailure);
  }
}

bool SuccessorWatch::converse(net::DescriptorChannel& channel) {
  Status peer = check_peer(channel);
  if (peer) {
    Result<HandoverMessage> hello = receive(channel, Kind::kHello, kHello);
    if (!hello) peer = fail(std::move(hello.error()));
  }
  if (!peer) {
    // Whoever only looks whether somebody listens leaves without a word.
    if (peer.error().kind != ErrorKind::kDisconnected) log::warning("handover refused: {}", peer.error().detail);
    (void)channel.send(write_handover_message({.kind = Kind::kCancelled, .reason = peer.error().detail}));
    return false;
  }
  log::info("process {} asks for the listening sockets; modules do not change until it serves", successor_);
  Result<std::vector<net::Address>> taken = hand_over(channel);
  if (taken) {
    // Who hears nothing is told by the end of the conversation.
    (void)channel.send(write_handover_message({.kind = Kind::kDone}));
    log::info("handed over to process {}", successor_);
    listener_->leave_file();
    server_.handed_over(*std::move(taken));
    return true;
  }
  log::warning("process {} did not take over: {}; this server goes on", successor_, log::escaped(taken.error().detail));
  server_.cancel_handover();
  (void)channel.send(write_handover_message({.kind = Kind::kCancelled, .reason = taken.error().detail}));
  return false;
}

Status SuccessorWatch::check_peer(const net::DescriptorChannel& channel) {
  Result<net::DescriptorChannel::Peer> peer = channel.peer();
  if (!peer) return fail(std::move(peer.error()));
  successor_ = peer->process;
  if (peer->user == ::geteuid() || peer->user == 0) return {};
  return fail(ErrorKind::kDenied,
              fmt::format("process {} runs as the user {}, this server as {}", peer->process, peer->user, ::geteuid()));
}

Result<HandoverMessage> SuccessorWatch::receive(net::DescriptorChannel& channel, Kind kind, Milliseconds patience) {
  Result<net::DescriptorChannel::Message> received = channel.receive(patience, 0, interrupt_.get());
  if (!received) return fail(std::move(received.error()));
  Result<HandoverMessage> message = parse_handover_message(received->text);
  if (message && message->kind != kind)
    return fail(ErrorKind::kInvalid, "the other process said something out of its turn");
  return message;
}

Status SuccessorWatch::send_offer(net::DescriptorChannel& channel, const Handover& handover) const {
  HandoverMessage message{.kind = Kind::kOffer};
  std::vector<int> descriptors;
  for (const net::ListeningSocket& socket : handover.sockets) {
    std::string address = socket.address.text();
    bool grouped = !message.sockets.empty() && message.sockets.back().address == address;
    message.sockets.push_back(
        {socket.listener, std::move(address), socket.asked, grouped ? message.sockets.back().group_index + 1 : 0});
    descriptors.push_back(socket.descriptor.get());
  }
  descriptors.push_back(listener_->descriptor());
  message.data_lock = static_cast<bool>(handover.data_lock);
  if (message.data_lock) descriptors.push_back(handover.data_lock.get());
  return channel.send(write_handover_message(message), descriptors);
}

Result<std::vector<net::Address>> SuccessorWatch::taken_of(const HandoverMessage& ready, const Handover& handover) {
  std::vector<net::Address> taken;
  for (std::size_t index : ready.taken) {
    if (index >= handover.sockets.size()) return fail(ErrorKind::kInvalid, "it names a socket that it was not offered");
    taken.push_back(handover.sockets[index].address);
  }
  return taken;
}

Result<std::vector<net::Address>> SuccessorWatch::hand_over(net::DescriptorChannel& channel) {
  Result<Handover> handover = server_.begin_handover();
  if (!handover) return fail(std::move(handover.error()));
  if (Status sent = send_offer(channel, *handover); !sent) return fail(std::move(sent.error()));
  Result<HandoverMessage> ready = receive(channel, Kind::kReady, kBuild);
  if (!ready) return fail(std::move(ready.error()));
  return taken_of(*ready, *handover);
}

}  // namespace sandgate::server
