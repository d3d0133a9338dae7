// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/peer_ranges.h"
#include "net/http_server.h"
#include "net/loop_thread.h"
#include "platform/clock.h"
#include "platform/log.h"
#include "sandbox/engine.h"
#include "server/assembly.h"
#include "server/predecessor.h"
#include "server/successor_watch.h"

namespace sandgate::server {
namespace {

// How long connections that were cut may take to unwind before the loops end under them.
constexpr Milliseconds kUnwind{2000};
constexpr Milliseconds kLookAgain{2};
// Who deploys is who started the server.
constexpr unsigned kAdminSocketMode = 0600;

// A gateway needs two descriptors per connection; the hard limit is the operator's word.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::vector<net::Address>> listen_addresses(const config::Settings& settings) {
  std::vector<net::Address> addresses;
  for (const std::string& text : settings.listen) {
    Result<net::Address> address = net::parse_listen_address(text);
    if (!address)
      return fail(ErrorKind::kInvalid, fmt::format("listen {}: {}", text, address.error().detail),
                  address.error().cause);
    addresses.push_back(*address);
  }
  if (!addresses.empty()) return addresses;
  Result<net::Address> address = net::resolve(settings.host, settings.port);
  if (!address)
    return fail(ErrorKind::kInvalid, fmt::format("--host {}: {}", settings.host, address.error().detail),
                address.error().cause);
  addresses.push_back(*address);
  return addresses;
}

// Nothing when the module API is on the main port.
Result<std::optional<net::Address>> parse_admin_address(const config::Settings& settings) {
  if (settings.admin_listen.empty()) return std::nullopt;
  Result<net::Address> address = net::parse_listen_address(settings.admin_listen);
  if (address) return *address;
  return fail(ErrorKind::kInvalid, fmt::format("--admin-listen: {}", address.error().detail), address.error().cause);
}

// Empty when nobody is to speak it.
Result<std::function<bool(const net::Address&)>> proxy_protocol_rule(const config::Settings& settings) {
  if (settings.proxy_protocol_from.empty()) return nullptr;
  Result<gateway::PeerRanges> ranges = gateway::PeerRanges::parse(settings.proxy_protocol_from);
  if (!ranges) return fail(ErrorKind::kInvalid, fmt::format("proxy_protocol_from: {}", ranges.error().detail));
  return [trusted = *std::move(ranges)](const net::Address& peer) { return trusted.contains(peer.host_text()); };
}

admin::AdminListener kind_of(const net::Address& address) {
  if (address.storage.ss_family == AF_UNIX) return admin::AdminListener::kUnixSocket;
  return address.is_loopback() ? admin::AdminListener::kLoopback : admin::AdminListener::kBeyond;
}

std::unexpected<Error> stray_socket(const net::ListeningSocket& socket, const std::vector<net::Address>& addresses) {
  std::string own;
  for (const net::Address& address : addresses) own += (own.empty() ? "" : ", ") + address.text();
  return fail(
      ErrorKind::kInvalid,
      fmt::format("{} is bound to {}, where this server does not listen (it does on {}): clients of that socket "
                  "would wait for ever. Name the address in the configuration, or take the socket out of the "
                  "service manager's",
                  socket.origin, socket.address.text(), own));
}

class RunningServer final : public Server, private SuccessorWatch::Server {
 public:
  explicit RunningServer(Belongings belongings)
      : inherited_(std::move(belongings.inherited)), on_handed_over_(std::move(belongings.handed_over)) {}

  ~RunningServer() override {
    watch_.reset();
    for (net::HttpServer* server : servers()) {
      // Not the file of a socket that a successor has.
      if (!taken_.empty()) server->hand_over(taken_);
      server->close_all();
    }
    Nanoseconds give_up = platform::monotonic_now() + kUnwind;
    while (started_ && !drained() && platform::monotonic_now() < give_up) std::this_thread::sleep_for(kLookAgain);
    if (assembly_) assembly_->stop_watching();
    for (auto& loop : loops_) loop->stop();
  }

  Status build(const config::Settings& settings, std::shared_ptr<const config::Manifest> manifest,
               LoadConfiguration load) {
    raise_descriptor_limit();
    for (unsigned i = 0; i < config::loop_count(settings); ++i) loops_.push_back(std::make_unique<net::LoopThread>(i));
    std::vector<net::LoopThread*> loop_threads;
    std::vector<Loop*> loops;
    for (auto& loop : loops_) {
      loop_threads.push_back(loop.get());
      loops.push_back(loop.get());
    }

    Result<std::vector<net::Address>> addresses = listen_addresses(settings);
    if (!addresses) return fail(std::move(addresses.error()));
    Result<std::optional<net::Address>> admin_address = parse_admin_address(settings);
    if (!admin_address) return fail(std::move(admin_address.error()));
    if (Status met = meet_predecessor(settings.handover); !met) return met;
    Assembly::Surroundings surroundings;
    surroundings.loops = std::move(loops);
    surroundings.loop_threads = loop_threads;
    surroundings.beyond_loopback =
        std::ranges::any_of(*addresses, [](const net::Address& address) { return !address.is_loopback(); });
    if (*admin_address) surroundings.admin_listener = kind_of(**admin_address);
    surroundings.load = std::move(load);
    if (predecessor_) surroundings.data_lock = &predecessor_->data_lock();
    surroundings.connections = [this] { return connection_counts(); };
    Result<std::unique_ptr<Assembly>> assembly = Assembly::create(settings, surroundings, std::move(manifest));
    if (!assembly) return fail(std::move(assembly.error()));
    assembly_ = std::move(*assembly);

    net::ServerOptions options;
    options.connections_max = settings.connections_max;
    options.head = settings.client_timeouts.head;
    options.idle = settings.client_timeouts.idle;
    options.body = settings.client_timeouts.body;
    options.write = settings.client_timeouts.write;
    net::ServerOptions for_clients = options;
    for_clients.connections_per_client_max = settings.connections_per_client_max;
    Result<std::function<bool(const net::Address&)>> proxies = proxy_protocol_rule(settings);
    if (!proxies) return fail(std::move(proxies.error()));
    for_clients.proxy_protocol_from = std::move(*proxies);
    main_ = net::HttpServer::create(loop_threads, assembly_->main_handler(), for_clients);
    for (const net::Address& address : *addresses) {
      Result<net::Address> bound = open_listener(*main_, "main", address);
      if (!bound) return fail(std::move(bound.error()));
      addresses_.push_back(*bound);
    }
    if (Status listens = listen_for_metrics(settings, loop_threads, options); !listens) return listens;
    if (*admin_address) {
      if (Status listens = listen_for_admin(**admin_address, loop_threads, options); !listens) return listens;
    }
    return check_left_sockets();
  }

  // Serves. With a predecessor: both accept until that one knows, then it drains.
  Status begin() {
    modules::Registry* registry = assembly_->registry();
    if (predecessor_) {
      if (Status waits = predecessor_->still_waits(); !waits) return waits;
      if (registry != nullptr) registry->hold();
    }
    run();
    if (predecessor_) {
      Status taken = predecessor_->take_over(inherited_);
      if (!taken) {
        leave_sockets();
        return taken;
      }
      log::info("took over from {}", predecessor_->text());
      if (registry != nullptr) release_changes(*registry);
      successors_.emplace(predecessor_->take_listener());
      predecessor_.reset();
    }
    inherited_ = net::InheritedSockets();
    return watch_for_successors();
  }

  void run() {
    for (auto& loop : loops_) loop->start(&sandbox::Engine::initialise_thread);
    started_ = true;
    assembly_->set_ready(true);
    for (net::HttpServer* server : servers()) server->start();
  }

  std::span<const net::Address> addresses() const override { return addresses_; }
  bool serve_manifest(std::shared_ptr<const config::Manifest> manifest, config::Diagnostics& out) override {
    return assembly_->serve_manifest(std::move(manifest), out);
  }
  admin::ReloadReport reload() override { return assembly_->control().reload(); }
  std::string description() const override {
    return fmt::format("sandgate with {} event loop{}, {}", loops_.size(), loops_.size() == 1 ? "" : "s",
                       assembly_->description());
  }

  void begin_drain() override {
    // Joins the thread that may have written taken_.
    watch_.reset();
    assembly_->set_ready(false);
    for (net::HttpServer* server : servers()) server->hand_over(taken_);
  }
  bool drained() const override {
    // In this order: who listens no more has counted what it accepted.
    return std::ranges::all_of(servers(), [](const net::HttpServer* server) {
      return !server->listening() && server->open_connections() == 0;
    });
  }

 private:
  // Those that there are; the main one first.
  std::vector<net::HttpServer*> servers() const {
    std::vector<net::HttpServer*> all;
    for (net::HttpServer* server : {main_.get(), metrics_.get(), admin_.get()}) {
      if (server != nullptr) all.push_back(server);
    }
    return all;
  }

  Status meet_predecessor(const std::string& path) {
    if (path.empty()) return {};
    Result<std::unique_ptr<Predecessor>> found = Predecessor::find(path);
    if (!found) return handover_failure(std::move(found.error()));
    if (*found) {
      predecessor_ = std::move(*found);
      log::info("{} serves until this server is ready", predecessor_->text());
      return predecessor_->give_sockets(inherited_);
    }
    Result<net::DescriptorListener> successors = net::DescriptorListener::create(path);
    if (!successors) return handover_failure(std::move(successors.error()));
    successors_.emplace(*std::move(successors));
    return {};
  }

  static std::unexpected<Error> handover_failure(Error error) {
    error.detail = "--handover: " + error.detail;
    return fail(std::move(error));
  }

  Result<net::Address> open_listener(net::HttpServer& server, const std::string& name, const net::Address& wanted) {
    std::vector<net::ListeningSocket> sockets = inherited_.claim(wanted, name);
    if (sockets.empty()) {
      Result<net::Address> bound = server.listen(wanted);
      if (bound) own_addresses_.push_back(*bound);
      return bound;
    }
    for (net::ListeningSocket& socket : sockets) {
      log::info("{} listener on {}: {}", name, socket.address.text(), socket.origin);
      own_addresses_.push_back(server.adopt(std::move(socket)));
    }
    return own_addresses_.back();
  }

  // The predecessor goes on with what is its own until it ends: it answers whoever connected there.
  Status check_left_sockets() {
    for (const net::ListeningSocket& socket : inherited_.left()) {
      if (socket.listener.empty()) return stray_socket(socket, own_addresses_);
      log::warning("nobody listens on {} any more: it is not in the configuration ({})", socket.address.text(),
                   socket.origin);
    }
    return {};
  }

  // What --wasm-module changed is kept from now on, and others may change more. Without it the next start does the same
  // again: no reason to end now that the predecessor has gone.
  static void release_changes(modules::Registry& registry) {
    if (Status kept = registry.commit(); !kept)
      log::error("modules of the command line are not kept: {}; cause: {}", kept.error().detail, kept.error().cause);
    registry.release();
  }

  // The predecessor goes on and has the same sockets: who connected here meanwhile is answered, the others are its.
  void leave_sockets() {
    taken_ = own_addresses_;
    begin_drain();
    Nanoseconds give_up = platform::monotonic_now() + kUnwind;
    while (!drained() && platform::monotonic_now() < give_up) std::this_thread::sleep_for(kLookAgain);
  }

  Status watch_for_successors() {
    if (!successors_) return {};
    Result<std::unique_ptr<SuccessorWatch>> watch = SuccessorWatch::start(*std::move(successors_), *this);
    successors_.reset();
    if (!watch) return fail(std::move(watch.error()));
    watch_ = std::move(*watch);
    return {};
  }

  Result<Handover> begin_handover() override {
    Handover handover;
    for (auto [server, name] : {std::pair{main_.get(), "main"}, {metrics_.get(), "metrics"}, {admin_.get(), "admin"}}) {
      if (server == nullptr) continue;
      Result<std::vector<net::ListeningSocket>> shared = server->share_sockets();
      if (!shared) return fail(std::move(shared.error()));
      for (net::ListeningSocket& socket : *shared) {
        socket.listener = name;
        handover.sockets.push_back(std::move(socket));
      }
    }
    modules::Registry* registry = assembly_->registry();
    if (registry == nullptr) return handover;
    registry->hold();
    if (registry->archive() == nullptr) return handover;
    Result<platform::Descriptor> lock = registry->archive()->share_lock();
    if (!lock) return fail(std::move(lock.error()));
    handover.data_lock = *std::move(lock);
    return handover;
  }

  void cancel_handover() override {
    if (assembly_->registry() != nullptr) assembly_->registry()->release();
  }

  void handed_over(std::vector<net::Address> taken) override {
    taken_ = std::move(taken);
    if (on_handed_over_) on_handed_over_();
  }

  telemetry::ConnectionCounts connection_counts() const {
    telemetry::ConnectionCounts sum;
    for (const net::HttpServer* server : servers()) {
      const net::ServerCounters& counters = server->counters();
      sum.accepted += counters.accepted.load(std::memory_order_relaxed);
      sum.open += counters.open.load(std::memory_order_relaxed);
      sum.refused_heads += counters.refused_heads.load(std::memory_order_relaxed);
      sum.timed_out_heads += counters.timed_out_heads.load(std::memory_order_relaxed);
      sum.refused_proxy_headers += counters.refused_proxy_headers.load(std::memory_order_relaxed);
      sum.refused_clients += counters.refused_clients.load(std::memory_order_relaxed);
      sum.accept_pauses += counters.accept_pauses.load(std::memory_order_relaxed);
    }
    sum.refused_requests = assembly_->refused_requests();
    return sum;
  }

  Status listen_for_metrics(const config::Settings& settings, const std::vector<net::LoopThread*>& loops,
                            const net::ServerOptions& options) {
    if (settings.metrics_listen.empty()) return {};
    Result<net::Address> address = net::parse_listen_address(settings.metrics_listen);
    if (!address)
      return fail(ErrorKind::kInvalid, fmt::format("--metrics-listen: {}", address.error().detail),
                  address.error().cause);
    metrics_ = net::HttpServer::create(loops, assembly_->metrics_handler(), options);
    Result<net::Address> bound = open_listener(*metrics_, "metrics", *address);
    if (!bound) return fail(std::move(bound.error()));
    log::info("metrics on http://{}/metrics", bound->text());
    return {};
  }

  Status listen_for_admin(const net::Address& address, const std::vector<net::LoopThread*>& loops,
                          net::ServerOptions options) {
    options.unix_socket_mode = kAdminSocketMode;
    admin_ = net::HttpServer::create(loops, assembly_->admin_handler(), options);
    Result<net::Address> bound = open_listener(*admin_, "admin", address);
    if (!bound) return fail(std::move(bound.error()));
    log::info("module API on {}", bound->text());
    return {};
  }

  // Ends in the opposite order: servers, what they serve, loops.
  std::vector<std::unique_ptr<net::LoopThread>> loops_;
  std::unique_ptr<Assembly> assembly_;
  std::unique_ptr<net::HttpServer> main_;
  std::unique_ptr<net::HttpServer> metrics_;
  std::unique_ptr<net::HttpServer> admin_;
  std::vector<net::Address> addresses_;  // the main ones
  bool started_ = false;

  net::InheritedSockets inherited_;           // until begin(): what no listener has claimed
  std::vector<net::Address> own_addresses_;   // of all listeners
  std::unique_ptr<Predecessor> predecessor_;  // until it drains
  std::optional<net::DescriptorListener> successors_;
  std::function<void()> on_handed_over_;
  std::vector<net::Address> taken_;  // what a successor has; the watch's, until that has ended
  std::unique_ptr<SuccessorWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const config::Settings& settings,
                                              std::shared_ptr<const config::Manifest> manifest, LoadConfiguration load,
                                              Belongings belongings) {
  auto server = std::make_unique<RunningServer>(std::move(belongings));
  if (manifest == nullptr) {
    Result<std::shared_ptr<const config::Manifest>> workers = config::manifest_of_workers(settings.worker_urls);
    if (!workers) return fail(std::move(workers.error()));
    manifest = std::move(*workers);
  }
  Status built = server->build(settings, std::move(manifest), std::move(load));
  if (!built) return fail(std::move(built.error()));
  if (Status begun = server->begin(); !begun) return fail(std::move(begun.error()));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace sandgate::server
