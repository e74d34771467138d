// SPDX-License-Identifier: MIT
#include "sys/tls/tls_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sys/secret_file.hpp"
#include "sys/system_clock.hpp"
#include "sys/tls/tls_certificate.hpp"
#include "sys/tls/tls_library.hpp"
#include "sys/tls/tls_tickets.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kRecord = 4096;
constexpr std::size_t kPull = 64 * 1024;

Error closed() { return Error(Errc::line_dropped, "the peer ended TLS"); }

}  // namespace

struct TlsStream::Session {
  Session(const TlsLibrary& library, const TlsSettings& s) : ssl(library), settings(s) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (connection != nullptr) ssl.SSL_free(connection);   // and the BIOs
    if (context != nullptr) ssl.SSL_CTX_free(context);
  }

  static Session* of(SSL* connection, const TlsLibrary& ssl) { return static_cast<Session*>(ssl.SSL_get_ex_data(connection, 0)); }
  static int on_verify(int good, X509_STORE_CTX* store);
  static int on_ticket(SSL* connection, SSL_SESSION* ticket);

  std::string reason() const;
  Error unusable(const std::string& key, const std::string& file) const;
  Result<void> configure();
  Result<void> connect();
  void resume();

  const TlsLibrary& ssl;
  TlsSettings settings;
  SSL_CTX* context = nullptr;
  SSL* connection = nullptr;
  BIO* in = nullptr;
  BIO* out = nullptr;
  std::string fault;    // of the certificate, the first one
  std::string ticket;   // the newest
};

int TlsStream::Session::on_verify(int good, X509_STORE_CTX* store) {
  const TlsLibrary& ssl = **tls_library();
  auto* connection = static_cast<SSL*>(ssl.X509_STORE_CTX_get_ex_data(store, ssl.SSL_get_ex_data_X509_STORE_CTX_idx()));
  Session& self = *of(connection, ssl);
  if (good == 1) return 1;
  if (self.fault.empty()) {
    self.fault = certificate_fault(ssl, ssl.X509_STORE_CTX_get_error(store), ssl.X509_STORE_CTX_get_error_depth(store),
                                   ssl.X509_STORE_CTX_get_current_cert(store), self.settings.name);
  }
  return self.settings.verify ? 0 : 1;
}

int TlsStream::Session::on_ticket(SSL* connection, SSL_SESSION* ticket) {
  const TlsLibrary& ssl = **tls_library();
  unsigned char* bytes = nullptr;
  const int length = ssl.i2d_SSL_SESSION(ticket, nullptr);
  if (length <= 0) return 0;
  std::string& kept = of(connection, ssl)->ticket;
  kept.assign(static_cast<std::size_t>(length), '\0');
  bytes = reinterpret_cast<unsigned char*>(kept.data());
  if (ssl.i2d_SSL_SESSION(ticket, &bytes) != length) kept.clear();
  return 0;   // the reference is OpenSSL's
}

std::string TlsStream::Session::reason() const {
  const char* words = ssl.ERR_reason_error_string(ssl.ERR_peek_last_error());
  return words == nullptr ? "no reason given" : words;
}

Error TlsStream::Session::unusable(const std::string& key, const std::string& file) const {
  return Error(Errc::config, fmt::format("{} {} cannot be used: {}", key, file, reason()), Stage::connect);
}

Result<void> TlsStream::Session::configure() {
  ssl.ERR_clear_error();
  context = ssl.SSL_CTX_new(ssl.TLS_client_method());
  if (context == nullptr) return Error(Errc::os, "TLS: " + reason(), Stage::connect);
  ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  ssl.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, nullptr);
  ssl.SSL_CTX_sess_set_new_cb(context, on_ticket);
  ssl.SSL_CTX_set_verify(context, settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_verify);
  if (settings.ca_file.empty()) {
    ssl.SSL_CTX_set_default_verify_paths(context);
  } else if (ssl.SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1) {
    return unusable("tls-ca-file", settings.ca_file);
  }
  if (settings.certificate.empty()) return {};
  const std::string& key = settings.key.empty() ? settings.certificate : settings.key;
  LONGLINE_CHECK(check_secret_file(key));
  if (ssl.SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) return unusable("tls-certificate", settings.certificate);
  if (ssl.SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 || ssl.SSL_CTX_check_private_key(context) != 1) {
    return unusable("tls-key", key);
  }
  return {};
}

Result<void> TlsStream::Session::connect() {
  connection = ssl.SSL_new(context);
  in = ssl.BIO_new(ssl.BIO_s_mem());
  out = ssl.BIO_new(ssl.BIO_s_mem());
  if (connection == nullptr || in == nullptr || out == nullptr) return Error(Errc::os, "TLS: out of memory", Stage::connect);
  ssl.SSL_set_bio(connection, in, out);
  ssl.SSL_set_ex_data(connection, 0, this);
  ssl.SSL_set_connect_state(connection);
  if (!settings.name.empty()) {
    X509_VERIFY_PARAM* wanted = ssl.SSL_get0_param(connection);
    if (ssl.X509_VERIFY_PARAM_set1_ip_asc(wanted, settings.name.c_str()) != 1) {
      ssl.X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      ssl.X509_VERIFY_PARAM_set1_host(wanted, settings.name.c_str(), settings.name.size());
      std::string name = settings.name;
      ssl.SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
  }
  resume();
  return {};
}

void TlsStream::Session::resume() {
  if (settings.session_file.empty()) return;
  const std::string kept = read_ticket(settings.session_file, settings.session_key);
  if (kept.empty()) return;
  const auto* bytes = reinterpret_cast<const unsigned char*>(kept.data());
  SSL_SESSION* session = ssl.d2i_SSL_SESSION(nullptr, &bytes, static_cast<long>(kept.size()));
  const std::int64_t now = wall_now().time_since_epoch().count() / 1000;
  const bool usable = session != nullptr && ssl.SSL_SESSION_is_resumable(session) == 1 &&
                      now < ssl.SSL_SESSION_get_time(session) + ssl.SSL_SESSION_get_timeout(session);
  if (usable) ssl.SSL_set_session(connection, session);
  else drop_ticket(settings.session_file);
  if (session != nullptr) ssl.SSL_SESSION_free(session);
}

TlsStream::TlsStream(std::unique_ptr<ByteStream> line, std::unique_ptr<Session> session, std::function<void(const TlsInfo&)> on_secured)
    : line_(std::move(line)), session_(std::move(session)), on_secured_(std::move(on_secured)) {}

Result<std::unique_ptr<TlsStream>> TlsStream::start(std::unique_ptr<ByteStream> line, const TlsSettings& settings,
                                                    std::function<void(const TlsInfo&)> on_secured) {
  LONGLINE_TRY(const TlsLibrary* library, tls_library());
  auto session = std::make_unique<Session>(*library, settings);
  LONGLINE_CHECK(session->configure());
  LONGLINE_CHECK(session->connect());
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(line), std::move(session), std::move(on_secured)));
  LONGLINE_CHECK(stream->shake());
  return stream;
}

TlsStream::~TlsStream() {
  if (!secured_ || broken_) return;
  session_->ssl.SSL_shutdown(session_->connection);
  (void)flush();
  if (!session_->settings.session_file.empty()) {
    keep_ticket(session_->settings.session_file, session_->settings.session_key, session_->ticket);
  }
}

Error TlsStream::failure(int result) {
  const TlsLibrary& ssl = session_->ssl;
  const bool asked = ssl.SSL_get_error(session_->connection, result) == SSL_ERROR_ZERO_RETURN;
  broken_ = true;
  if (!session_->settings.session_file.empty()) drop_ticket(session_->settings.session_file);
  if (session_->settings.verify && !session_->fault.empty()) {
    return Error(Errc::auth_refused, "TLS: " + session_->fault, Stage::auth)
        .with_hint("tls-ca-file names other authorities, peer-name another name; tls-verify = false takes any certificate");
  }
  if (asked) return closed();
  return Error(Errc::protocol, fmt::format("TLS: {}: {}", secured_ ? "the peer broke it" : "the handshake failed", session_->reason()), Stage::connect);
}

/// One step of the handshake, as far as what has arrived carries it.
Result<void> TlsStream::shake() {
  const TlsLibrary& ssl = session_->ssl;
  ssl.ERR_clear_error();
  const int result = ssl.SSL_do_handshake(session_->connection);
  std::optional<Error> failed;
  if (result != 1) {
    const int what = ssl.SSL_get_error(session_->connection, result);
    if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) failed = failure(result);
  }
  const bool resumed = result == 1 && ssl.SSL_session_reused(session_->connection) == 1;
  if (resumed && session_->settings.verify) {
    X509* leaf = ssl.SSL_get1_peer_certificate(session_->connection);
    session_->fault = leaf_fault(ssl, leaf, session_->settings.name);
    if (leaf != nullptr) ssl.X509_free(leaf);
    if (session_->fault.empty() && ssl.SSL_get_verify_result(session_->connection) != X509_V_OK) session_->fault = "the session was not verified";
    if (!session_->fault.empty()) failed = failure(result);
  }
  const bool done = result == 1 && !failed;
  secured_ = done;
  Result<void> flushed = flush();
  if (failed) return std::move(*failed);   // the alert has left, if the line took it
  LONGLINE_CHECK(std::move(flushed));
  if (!done) return {};
  TlsInfo info;
  info.version = ssl.SSL_get_version(session_->connection);
  info.cipher = ssl.SSL_CIPHER_get_name(ssl.SSL_get_current_cipher(session_->connection));
  info.resumed = resumed;
  info.doubt = session_->fault;
  if (resumed && info.doubt.empty()) {
    const long verdict = ssl.SSL_get_verify_result(session_->connection);
    if (verdict != X509_V_OK) info.doubt = ssl.X509_verify_cert_error_string(verdict);
  }
  if (on_secured_) on_secured_(info);
  return {};
}

/// What the line has, for OpenSSL to read.
Result<void> TlsStream::pull() {
  if (line_error_) return {};
  Result<std::string> bytes = line_->read(kPull);
  if (!bytes) {
    line_error_ = bytes.error();
    return {};
  }
  line_bytes_in_ += bytes->size();
  const auto size = static_cast<int>(bytes->size());
  if (size > 0 && session_->ssl.BIO_write(session_->in, bytes->data(), size) != size) return Error(Errc::os, "TLS: out of memory");
  return {};
}

Result<std::string> TlsStream::read(std::size_t most) {
  if (broken_) return closed();
  const TlsLibrary& ssl = session_->ssl;
  if (!more_) LONGLINE_CHECK(pull());
  if (!secured_) {
    LONGLINE_CHECK(shake());
    if (!secured_) {
      if (line_error_) return Error(Errc::line_dropped, "the connection ended during the TLS handshake");
      return std::string();
    }
  }
  std::string out(most, '\0');
  std::size_t got = 0;
  std::optional<Error> failed;
  ssl.ERR_clear_error();
  while (got < most) {
    const int n = ssl.SSL_read(session_->connection, out.data() + got, static_cast<int>(most - got));
    if (n > 0) {
      got += static_cast<std::size_t>(n);
      continue;
    }
    const int what = ssl.SSL_get_error(session_->connection, n);
    if (what == SSL_ERROR_ZERO_RETURN) line_error_ = closed();
    else if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) failed = failure(n);
    break;
  }
  more_ = got == most;
  out.resize(got);
  Result<void> flushed = flush();
  if (got > 0) return out;   // an error comes again
  if (failed) return std::move(*failed);
  if (line_error_) return *line_error_;
  LONGLINE_CHECK(std::move(flushed));
  return out;
}

Result<std::size_t> TlsStream::write(std::string_view bytes) {
  if (broken_) return closed();
  if (!secured_) {
    LONGLINE_CHECK(shake());
    return std::size_t{0};
  }
  LONGLINE_CHECK(flush());
  if (!out_.empty() || bytes.empty()) return std::size_t{0};
  const auto size = static_cast<int>(std::min(bytes.size(), kRecord));
  session_->ssl.ERR_clear_error();
  const int taken = session_->ssl.SSL_write(session_->connection, bytes.data(), size);
  if (taken <= 0) return failure(taken);
  LONGLINE_CHECK(flush());
  return static_cast<std::size_t>(taken);
}

Result<void> TlsStream::flush() {
  const std::size_t waiting = session_->ssl.BIO_ctrl_pending(session_->out);
  if (waiting > 0) {
    const std::size_t before = out_.size();
    out_.resize(before + waiting);
    const int n = session_->ssl.BIO_read(session_->out, out_.data() + before, static_cast<int>(waiting));
    out_.resize(before + static_cast<std::size_t>(std::max(n, 0)));
  }
  const std::size_t before = out_.size();
  Result<void> written = line_->write_from(out_);
  line_bytes_out_ += before - out_.size();
  return written;
}

}  // namespace longline::sys
