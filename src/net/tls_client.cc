// SPDX-License-Identifier: Apache-2.0
#include "net/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <mutex>
#include <utility>

namespace sandgate::net {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<&SSL_CTX_free>>;
using Session = std::unique_ptr<SSL_SESSION, Free<&SSL_SESSION_free>>;
using Ssl = std::unique_ptr<SSL, Free<&SSL_free>>;
using Method = std::unique_ptr<BIO_METHOD, Free<&BIO_meth_free>>;

std::string last_error() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

bool is_address(const std::string& name) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET, name.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, name.c_str(), &parsed) == 1;
}

// The socket as OpenSSL sees it. Its own socket BIO would raise SIGPIPE.
int descriptor_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_read(BIO* bio, char* to, int bytes) {
  BIO_clear_retry_flags(bio);
  for (;;) {
    ssize_t count = ::recv(descriptor_of(bio), to, static_cast<std::size_t>(bytes), MSG_DONTWAIT);
    if (count >= 0) {
      if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
      return static_cast<int>(count);
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_read(bio);
    return -1;
  }
}

int bio_write(BIO* bio, const char* from, int bytes) {
  BIO_clear_retry_flags(bio);
  for (;;) {
    ssize_t count = ::send(descriptor_of(bio), from, static_cast<std::size_t>(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return static_cast<int>(count);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_write(bio);
    return -1;
  }
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

int bio_created(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

Method socket_method() {
  Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
  if (!method) return method;
  BIO_meth_set_read(method.get(), &bio_read);
  BIO_meth_set_write(method.get(), &bio_write);
  BIO_meth_set_ctrl(method.get(), &bio_control);
  BIO_meth_set_create(method.get(), &bio_created);
  return method;
}

class Client;

class Channel final : public TlsChannel {
 public:
  Channel(std::shared_ptr<Client> client, Ssl ssl, BIO* bio)
      : client_(std::move(client)), ssl_(std::move(ssl)), bio_(bio) {}
  ~Channel() override;

  void attach(int descriptor) override { BIO_set_data(bio_, reinterpret_cast<void*>(std::intptr_t{descriptor})); }
  Step handshake() override {
    ERR_clear_error();
    Step step = step_of(SSL_do_handshake(ssl_.get()));
    shaken_ = step == Step::kDone;
    return step;
  }
  Step read(std::span<char> room, std::size_t* count) override {
    ERR_clear_error();
    return step_of(SSL_read_ex(ssl_.get(), room.data(), room.size(), count));
  }
  Step write(std::string_view bytes, std::size_t* count) override {
    ERR_clear_error();
    Step step = step_of(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), count));
    // Without renegotiation a write never needs input.
    return step == Step::kWantsInput ? broken("the server wants to negotiate again") : step;
  }
  bool silent() override {
    ERR_clear_error();
    char byte;
    std::size_t count = 0;
    return step_of(SSL_peek_ex(ssl_.get(), &byte, 1, &count)) == Step::kWantsInput;
  }
  void say_goodbye() override {
    // After a fatal error OpenSSL allows no more; before the handshake there is nobody to say it to.
    if (!shaken_ || broken_) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  std::string failure() const override { return failure_; }

 private:
  Step broken(std::string why) {
    broken_ = true;
    failure_ = std::move(why);
    return Step::kBroken;
  }
  Step step_of(int result) {
    if (result > 0) return Step::kDone;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return Step::kWantsInput;
      case SSL_ERROR_WANT_WRITE: return Step::kWantsOutput;
      case SSL_ERROR_ZERO_RETURN: return Step::kEnd;
      case SSL_ERROR_SYSCALL: return broken("the connection ended");
      default: break;
    }
    long verified = SSL_get_verify_result(ssl_.get());
    if (!shaken_ && verified != X509_V_OK) return broken(X509_verify_cert_error_string(verified));
    return broken(last_error());
  }

  std::shared_ptr<Client> client_;
  Ssl ssl_;
  BIO* bio_;  // the SSL's
  std::string failure_;
  bool shaken_ = false;
  bool broken_ = false;
};

class Client final : public TlsClient, public std::enable_shared_from_this<Client> {
 public:
  Client(TlsClientOptions options, Context context, Method method)
      : options_(std::move(options)), method_(std::move(method)), context_(std::move(context)) {}

  Result<std::unique_ptr<TlsChannel>> open() override {
    Ssl ssl(SSL_new(context_.get()));
    BIO* bio = BIO_new(method_.get());
    if (!ssl || bio == nullptr) {
      BIO_free(bio);
      return fail(ErrorKind::kInternal, "TLS: out of memory");
    }
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_connect_state(ssl.get());
    if (!name(*ssl)) return fail(ErrorKind::kInternal, "TLS: the server name cannot be used", last_error());
    {
      std::lock_guard lock(mutex_);
      if (session_) SSL_set_session(ssl.get(), session_.get());
    }
    return std::make_unique<Channel>(shared_from_this(), std::move(ssl), bio);
  }

  void keep(Session session) {
    std::lock_guard lock(mutex_);
    session_ = std::move(session);
  }

 private:
  bool name(SSL& ssl) const {
    const std::string& name = options_.server_name;
    X509_VERIFY_PARAM* verify = SSL_get0_param(&ssl);
    if (is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(&ssl, name.c_str()) == 1 &&
           X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size()) == 1;
  }

  TlsClientOptions options_;
  Method method_;  // outlives what the context made
  Context context_;
  std::mutex mutex_;
  Session session_;  // guarded: the last one that a server gave; asked for once a connection
};

// A session is complete when its connection ends: tickets of TLS 1.3 come after the handshake.
Channel::~Channel() {
  if (!shaken_ || broken_) return;
  Session session(SSL_get1_session(ssl_.get()));
  if (session && SSL_SESSION_is_resumable(session.get()) == 1) client_->keep(std::move(session));
}

}  // namespace

Result<std::shared_ptr<TlsClient>> TlsClient::create(const TlsClientOptions& options) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_client_method()));
  Method method = socket_method();
  if (!context || !method) return fail(ErrorKind::kInternal, "TLS cannot be set up", last_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One system call for a record instead of two.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  bool verify = options.verify == TlsClientOptions::Verify::kOn;
  SSL_CTX_set_verify(context.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verify && options.ca_file.empty() && SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return fail(ErrorKind::kInvalid, "the system's certificate authorities cannot be read", last_error());
  }
  if (verify && !options.ca_file.empty() && SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1) {
    return fail(ErrorKind::kInvalid, "the file of certificate authorities cannot be used: " + options.ca_file,
                last_error());
  }
  return std::make_shared<Client>(options, std::move(context), std::move(method));
}

}  // namespace sandgate::net
