// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <mutex>
#include <string_view>

namespace sandgate::test {
namespace {

constexpr std::size_t kBodyBytesMax = 1 << 20;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

void extend(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(EVP_PKEY& key, const char* name, long until_s) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), until_s == 0 ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until_s);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

// What `write(BIO*)` writes.
template <typename Write>
std::string pem_of(Write write) {
  BIO* memory = BIO_new(BIO_s_mem());
  write(memory);
  char* text = nullptr;
  long bytes = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<std::size_t>(bytes));
  BIO_free(memory);
  return pem;
}

}  // namespace

struct TestAuthority::Parts {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate;
};

TestAuthority::TestAuthority() : parts_(std::make_unique<Parts>()) {
  Certificate certificate = make(*parts_->key, "test authority", 86400);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  extend(*certificate, *certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(*certificate, *certificate, NID_key_usage, "critical,keyCertSign");
  X509_sign(certificate.get(), parts_->key.get(), EVP_sha256());
  parts_->certificate = std::move(certificate);
}

TestAuthority::~TestAuthority() = default;

std::string TestAuthority::pem() const {
  return pem_of([this](BIO* out) { PEM_write_bio_X509(out, parts_->certificate.get()); });
}

struct TestAuthority::Issued {
  Key key;
  Certificate certificate;
};

TestAuthority::Issued TestAuthority::make_identity(const TestIdentity& identity) const {
  Issued issued{Key(EVP_EC_gen("P-256")), nullptr};
  issued.certificate = make(*issued.key, "test server", identity.valid_until_s);
  X509_set_issuer_name(issued.certificate.get(), X509_get_subject_name(parts_->certificate.get()));
  extend(*issued.certificate, *parts_->certificate, NID_subject_alt_name, identity.subject);
  X509_sign(issued.certificate.get(), parts_->key.get(), EVP_sha256());
  return issued;
}

TestCertificate TestAuthority::issue(const TestIdentity& identity) const {
  Issued issued = make_identity(identity);
  return {pem_of([&issued](BIO* out) { PEM_write_bio_X509(out, issued.certificate.get()); }),
          pem_of([&issued](BIO* out) {
            PEM_write_bio_PrivateKey(out, issued.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

struct TlsServer::Parts {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  mutable std::mutex mutex;
  std::string asked_for;
  ~Parts() { SSL_CTX_free(context); }
};

TlsServer::TlsServer(const TestAuthority& authority, const TestIdentity& identity) : parts_(std::make_unique<Parts>()) {
  TestAuthority::Issued issued = authority.make_identity(identity);
  SSL_CTX_use_certificate(parts_->context, issued.certificate.get());
  SSL_CTX_use_PrivateKey(parts_->context, issued.key.get());
  constexpr std::string_view kContext = "test";
  SSL_CTX_set_session_id_context(parts_->context, reinterpret_cast<const unsigned char*>(kContext.data()),
                                 kContext.size());
  server_ = std::make_unique<RawServer>([this](RawClient& connection, int) { serve(connection); });
}

// The server's threads first.
TlsServer::~TlsServer() { server_.reset(); }

std::string TlsServer::asked_for() const {
  std::lock_guard lock(parts_->mutex);
  return parts_->asked_for;
}

void TlsServer::serve(RawClient& connection) {
  // OpenSSL writes to clients that have left, which would end the test. The connection's thread is its own.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  SSL* ssl = SSL_new(parts_->context);
  SSL_set_fd(ssl, connection.fd());
  if (SSL_accept(ssl) == 1) {
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); name != nullptr) {
      std::lock_guard lock(parts_->mutex);
      parts_->asked_for = name;
    }
    std::string body = SSL_session_reused(ssl) == 1 ? "resumed" : "new";
    std::string request;
    std::array<char, 16384> piece;
    for (int count = 0; (count = SSL_read(ssl, piece.data(), piece.size())) > 0;) {
      request.append(piece.data(), static_cast<std::size_t>(count));
      std::size_t head_end = request.find("\r\n\r\n");
      // Tests send bodies of a known size only: GET /big asks for one.
      if (head_end == std::string::npos) continue;
      bool big = request.starts_with("GET /big");
      bool echo = request.starts_with("POST");
      if (echo && request.size() < head_end + 4 + kBodyBytesMax) continue;
      std::string text = big ? std::string(kBodyBytesMax, 'x') : body;
      std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
      if (SSL_write(ssl, answer.data(), static_cast<int>(answer.size())) <= 0) break;
      request.clear();
    }
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
}

}  // namespace sandgate::test
