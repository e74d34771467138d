// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/peer_memory.hpp"
#include "mail/resuming_source.hpp"
#include "sys/flush/flush_session.hpp"
#include "sys/flush/peer_connection.hpp"
#include "sys/flush/smtp_sender.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// A visit to one peer: connects, opens, sends what the source has, and remembers in the spool what it learned. Connects once more,
/// over TCP, where the peer broke off for a reason that can be avoided: TLS that was merely offered and fails (then in clear text, with
/// an event mail.tls-failed), pipelining or BDAT that it announces and does not know.
class PeerSession : public FlushSession {
 public:
  struct Observer {
    SmtpSender::Trace trace{};
    std::function<void(const std::string&)> note{};   ///< what does not change the outcome; escaped
  };
  /// `hop`: where to connect to. All references must outlive it.
  PeerSession(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events, std::string our_name,
              const config::Connector& connector, PeerAddress hop, SmtpSender::Journal journal, Observer observer);

  /// The largest message that the peer takes, as it announced lately; 0: not known. Asks the spool, not the peer.
  Result<std::uint64_t> known_size_limit();
  /// Connects, not beyond `deadline`. Errors as connect_peer() and opening_options().
  Result<void> open(std::optional<TimePoint> deadline);
  /// Before run(): where all went well, the session is not ended, and take_open() has it.
  void keep_open() { options_.keep_open = true; }
  std::optional<OpenedSession> take_open() { return std::exchange(opened_, std::nullopt); }
  /// After open(): runs the loop until the visit is over.
  Result<mail::SmtpFinished> run(mail::MessageSource& source);
  /// For a handler of the loop: as SmtpSender's.
  void stop() override;
  void abort() override;

  /// Of all its connections.
  std::uint64_t bytes_out() const override { return bytes_out_ + (sender_ ? sender_->bytes_out() : 0); }
  mail::SmtpClient::Answered answered() const override { return sender_ ? sender_->answered() : mail::SmtpClient::Answered(); }
  std::uint64_t bytes_in() const { return bytes_in_ + (sender_ ? sender_->bytes_in() : 0); }
  int connections() const { return connections_; }
  /// Members for an event: "tls", "tls_resumed", "tls_doubt", "connections".
  JsonObject facts() const;

 private:
  Result<void> connect();
  Result<mail::SmtpFinished> run_once(mail::ResumingSource& source);
  bool avoid(const mail::SmtpFinished& finished);
  void blame(const mail::SmtpLessons& lessons);
  void remember(const mail::SmtpFinished& finished);

  Loop& loop_;
  Spool& spool_;
  const config::Config& config_;
  const StatePaths& paths_;
  EventSink& events_;
  std::string our_name_;
  const config::Connector& connector_;
  PeerAddress hop_;
  SmtpSender::Journal journal_;
  Observer observer_;
  std::optional<TimePoint> deadline_;
  std::unique_ptr<ByteStream> line_;
  mail::SmtpClientOptions options_;
  mail::PeerMemory memory_;
  mail::SmtpPeer peer_;
  std::optional<SmtpSender> sender_;
  std::optional<TlsInfo> tls_;
  std::optional<OpenedSession> opened_;
  std::uint64_t bytes_out_ = 0, bytes_in_ = 0;
  int connections_ = 0;
  bool ending_ = false;
};

}  // namespace longline::sys
