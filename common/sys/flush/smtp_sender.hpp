// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/secret.hpp"
#include "mail/smtp_client.hpp"
#include "sys/flush/opened_session.hpp"
#include "sys/line_pump.hpp"
#include "sys/loop.hpp"
#include "sys/tls/tls_stream.hpp"

namespace longline::sys {

/// One SMTP session of `mtaq flush`: a line, the client machine, and what records its results durably.
class SmtpSender {
 public:
  /// Must be on the disk when these return. An error ends the session before another byte leaves.
  struct Journal {
    std::function<Result<void>(const std::vector<mail::InFlight>&)> mark_in_doubt;
    std::function<Result<void>(const std::vector<mail::MessageResult>&)> record;
  };
  /// Sees no secret.
  using Trace = std::function<void(bool received, std::string_view bytes)>;

  /// `tls`: used from the start when options.encrypted, else behind STARTTLS.
  SmtpSender(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpClientOptions options, mail::MessageSource& source,
             Journal journal, Trace trace = {}, TlsSettings tls = {});

  /// Runs the loop until the session is over. Errc::io, disk_full: the journal failed.
  Result<mail::SmtpFinished> run();
  /// No more messages; those under way are answered first. For a handler of the loop.
  void stop();
  /// Ends now; what has no reply is in doubt.
  void abort();

  /// Where SmtpFinished says `open`, once, behind everything else.
  OpenedSession release();

  const mail::SmtpPeer& peer() const { return machine_.peer(); }
  mail::SmtpClient::Answered answered() const { return machine_.answered(); }
  /// What TLS came to; absent: none.
  const std::optional<TlsInfo>& tls() const { return tls_info_; }
  /// On the line: with TLS, what TLS makes of it.
  std::uint64_t bytes_out() const;
  std::uint64_t bytes_in() const;

 private:
  void start_tls();
  void on_secured(const TlsInfo& info);
  void on_closed(const Error& why);
  void drain();
  void write_out(std::string_view bytes, bool secret);
  bool record_results();
  void fail(Error error);
  void set_timers();
  void finish_when_written();

  Loop& loop_;
  const bool encrypted_;
  SecretMasker masker_;
  mail::SmtpClient machine_;
  Journal journal_;
  Trace trace_;
  TlsSettings tls_settings_;
  TlsStream* tls_ = nullptr;          // the line, once it is one
  std::optional<TlsInfo> tls_info_;
  std::uint64_t clear_out_ = 0, clear_in_ = 0;   // before TLS
  LinePump pump_;
  std::vector<mail::MessageResult> results_;
  std::optional<mail::SmtpFinished> finished_;
  std::optional<Error> failure_;
  Loop::Registration timer_;
  Loop::Registration last_write_;
  bool over_ = false;
  bool draining_ = false;
  bool ends_packet_ = false;         // the next write
  std::size_t first_packets_ = 0;   // of kFirstPackets, how many have gone
  bool progress_ = true;  ///< the machine does not know yet how much the line takes
};

}  // namespace longline::sys
