// SPDX-License-Identifier: Apache-2.0
#include "server/predecessor.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "platform/log.h"

namespace sandgate::server {
namespace {

using Kind = HandoverMessage::Kind;

// It has to finish the change of a module that it is at, which may wait for a slow disk, and nothing else. Or another
// successor is with it: that takes as long as it takes, and one of the two is too many.
constexpr Milliseconds kOffer{10'000};
// It only has to read one message.
constexpr Milliseconds kDone{10'000};

}  // namespace

Result<std::unique_ptr<Predecessor>> Predecessor::find(const std::string& path) {
  Result<std::unique_ptr<net::DescriptorChannel>> channel = net::DescriptorChannel::connect(path);
  if (!channel) return fail(std::move(channel.error()));
  if (*channel == nullptr) return nullptr;
  Result<net::DescriptorChannel::Peer> peer = (*channel)->peer();
  if (!peer) return fail(std::move(peer.error()));
  if (peer->user != ::geteuid() && peer->user != 0) {
    return fail(ErrorKind::kDenied, fmt::format("{} belongs to the user {}, and this process runs as {}: both servers "
                                                "run as one user",
                                                path, peer->user, ::geteuid()));
  }
  std::unique_ptr<Predecessor> predecessor(new Predecessor(std::move(*channel), path, peer->process));
  Status offered = predecessor->channel_->send(write_handover_message({.kind = Kind::kHello}));
  if (offered) offered = predecessor->receive_offer();
  if (offered) return predecessor;
  Error error = std::move(offered.error());
  error.detail = fmt::format("the server at {} does not hand over: {}", path, error.detail);
  return fail(std::move(error));
}

Status Predecessor::receive_offer() {
  Result<net::DescriptorChannel::Message> received = channel_->receive(kOffer, net::DescriptorChannel::kDescriptorsMax);
  if (!received) return fail(std::move(received.error()));
  Result<HandoverMessage> message = parse_handover_message(received->text);
  if (!message) return fail(std::move(message.error()));
  if (message->kind == Kind::kCancelled) return fail(ErrorKind::kDenied, std::move(message->reason));
  std::vector<platform::Descriptor>& descriptors = received->descriptors;
  if (message->kind != Kind::kOffer || descriptors.size() != message->sockets.size() + 1 + (message->data_lock ? 1 : 0))
    return fail(ErrorKind::kInvalid, "its offer is not whole");
  offered_ = std::move(message->sockets);
  auto next = descriptors.begin();
  for (std::size_t i = 0; i < offered_.size(); ++i) sockets_.push_back(std::move(*next++));
  listener_ = std::move(*next++);
  if (message->data_lock) data_lock_ = std::move(*next);
  return {};
}

Status Predecessor::give_sockets(net::InheritedSockets& to) {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    net::ListeningSocket socket;
    socket.descriptor = std::move(sockets_[i]);
    socket.listener = offered_[i].listener;
    socket.asked = offered_[i].asked;
    socket.origin = fmt::format("socket {} of {} ({})", i, text(), log::escaped(offered_[i].address));
    if (Status added = to.add(std::move(socket)); !added) return added;
  }
  sockets_.clear();
  return {};
}

net::DescriptorListener Predecessor::take_listener() {
  return net::DescriptorListener::adopt(path_, std::move(listener_));
}

Status Predecessor::hear(Milliseconds patience) const {
  Result<net::DescriptorChannel::Message> received = channel_->receive(patience);
  if (!received) {
    log::warning("{} did not see the handover to its end ({}); this server goes on", text(), received.error().detail);
    return {};
  }
  Result<HandoverMessage> message = parse_handover_message(received->text);
  if (message && message->kind == Kind::kDone) return {};
  return fail(ErrorKind::kDenied,
              fmt::format("{} goes on itself: {}", text(), message ? message->reason : message.error().detail));
}

Status Predecessor::still_waits() const { return channel_->has_input() ? hear(kDone) : Status(); }

Status Predecessor::take_over(const net::InheritedSockets& left) {
  HandoverMessage message{.kind = Kind::kReady};
  for (std::size_t i = 0; i < offered_.size(); ++i) {
    bool is_left = std::ranges::any_of(
        left.left(), [&](const net::ListeningSocket& socket) { return socket.address.text() == offered_[i].address; });
    if (!is_left) message.taken.push_back(i);
  }
  // When it is gone there is nobody to tell.
  Status told = channel_->send(write_handover_message(message));
  if (!told) log::warning("{}: {}", text(), told.error().detail);
  return hear(kDone);
}

std::string Predecessor::text() const { return fmt::format("process {}", process_); }

}  // namespace sandgate::server
