// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "sys/byte_stream.hpp"

namespace longline::sys {

/// How TLS is begun with one peer.
struct TlsSettings {
  std::string name;          ///< host name (or IP address) that the certificate must be for, also sent as SNI; "" none
  bool verify = true;        ///< false: any certificate does, and TlsInfo::doubt says what is wrong with it
  std::string ca_file;       ///< PEM; "": the authorities that the system trusts
  std::string certificate;   ///< ours, PEM with its chain; "" none
  std::string key;           ///< "": in the certificate's file
  std::string session_file;  ///< where the session ticket is kept from one run to the next; "" nowhere
  std::string session_key;   ///< whose ticket it must be
};

/// What came of it.
struct TlsInfo {
  std::string version;       ///< "TLSv1.3"
  std::string cipher;        ///< "TLS_AES_256_GCM_SHA384"
  bool resumed = false;      ///< without a certificate on the wire
  std::string doubt;         ///< why the certificate would not do; "" when it would
};

/// TLS 1.2 or later (RFC 8446, 5246) over another stream, as a client; no renegotiation, records of at most 4 KiB, so that on a slow
/// line the peer can read while the rest is on its way. The handshake runs inside read(), write() and flush(); until it is over write()
/// takes nothing. Bounded: it keeps at most one record on its way out, and 64 KiB on its way in.
///
/// Errors of read() and write(): auth_refused, stage auth, when the certificate has expired, is not valid yet, is self-signed, of an
/// authority that is not trusted, or for another name; protocol, stage connect, when the handshake fails or the peer breaks TLS;
/// line_dropped as of any stream.
class TlsStream : public ByteStream {
 public:
  /// `on_secured` is called once, inside read(), write() or flush(). Errc::config: tls-ca-file, tls-certificate or tls-key cannot be
  /// used. Errc::os: no OpenSSL.
  static Result<std::unique_ptr<TlsStream>> start(std::unique_ptr<ByteStream> line, const TlsSettings& settings,
                                                  std::function<void(const TlsInfo&)> on_secured);
  /// Says goodbye (close_notify) if the line takes it at once, and keeps the newest session ticket.
  ~TlsStream() override;

  int read_fd() const override { return line_->read_fd(); }
  int write_fd() const override { return line_->write_fd(); }
  Result<std::string> read(std::size_t most) override;
  Result<std::size_t> write(std::string_view bytes) override;
  bool has_input() const override { return more_; }
  bool wants_output(bool pending) const override { return !out_.empty() || (pending && secured_); }
  Result<void> flush() override;
  std::optional<bool> carrier() override { return line_->carrier(); }
  std::size_t unsent() const override { return out_.size() + line_->unsent(); }
  void set_corked(bool corked) override { line_->set_corked(corked); }

  /// Bytes on the line below, handshake included.
  std::uint64_t line_bytes_out() const { return line_bytes_out_; }
  std::uint64_t line_bytes_in() const { return line_bytes_in_; }

 private:
  struct Session;
  TlsStream(std::unique_ptr<ByteStream> line, std::unique_ptr<Session> session, std::function<void(const TlsInfo&)> on_secured);
  Result<void> pull();
  Result<void> shake();
  Error failure(int result);

  std::unique_ptr<ByteStream> line_;
  std::unique_ptr<Session> session_;
  std::function<void(const TlsInfo&)> on_secured_;
  std::string out_;                     ///< encrypted, not taken by the line yet
  std::optional<Error> line_error_;     ///< the line's end, told when what came before it is read
  std::uint64_t line_bytes_out_ = 0, line_bytes_in_ = 0;
  bool secured_ = false;
  bool broken_ = false;
  bool more_ = false;                   ///< read() had room for less than there was
};

}  // namespace longline::sys
