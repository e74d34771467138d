// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/secret.hpp"
#include "mail/smtp_opening.hpp"
#include "sys/line_pump.hpp"
#include "sys/loop.hpp"
#include "sys/tls/tls_stream.hpp"

namespace longline::sys {

/// A session that was opened: the peer waits for a command.
struct OpenedSession {
  std::unique_ptr<ByteStream> line;    ///< with TLS on it, where there is TLS
  mail::SmtpReplyParser parser;        ///< goes on behind the last reply
  mail::SmtpPeer peer;
  std::optional<TlsInfo> tls;
};

/// Opens a session (greeting, EHLO, STARTTLS, AUTH) for somebody who goes on by himself: ETRN, ATRN. The flush has SmtpSender.
class SmtpOpener {
 public:
  using Trace = std::function<void(bool received, std::string_view bytes)>;   ///< sees no secret
  SmtpOpener(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpOpeningOptions options, TlsSettings tls, Trace trace = {});

  /// Runs the loop until the session is open. Errors as SmtpOpening's and TlsStream's.
  Result<OpenedSession> run();
  /// Ends now, with this error; for a handler of the loop.
  void abort(Error why);

 private:
  void start_tls();
  void on_closed(const Error& why);
  void drain();
  void fail(Error error);

  Loop& loop_;
  const bool encrypted_;
  SecretMasker masker_;
  TlsSettings tls_settings_;
  Trace trace_;
  mail::SmtpOpening machine_;
  std::optional<TlsInfo> tls_info_;
  bool tls_begun_ = false;
  LinePump pump_;
  std::optional<mail::SmtpOpened> opened_;
  std::optional<Error> failure_;
  Loop::Registration timer_;
  Loop::Registration last_write_;
  bool over_ = false;
};

}  // namespace longline::sys
