// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/peer_memory.hpp"
#include "sys/peer_connection.hpp"
#include "sys/smtp_sender.hpp"
#include "sys/spool.hpp"

namespace longline::sys {

/// The messages of one peer, over one connection after another where that helps: what a broken session left without an answer
/// is offered again.
class ResumingSource : public mail::MessageSource {
 public:
  explicit ResumingSource(mail::MessageSource& source) : source_(source) {}
  std::optional<mail::Outgoing> next_message() override;
  Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) override;

  /// Keeps back what has no answer; returns the rest.
  std::vector<mail::MessageResult> keep_unanswered(const std::vector<mail::MessageResult>& results);
  /// Offers what was kept back.
  void offer_again();
  std::vector<mail::MessageResult> take_unanswered();

 private:
  struct Again {
    mail::Outgoing message;
    std::vector<mail::RecipientResult> results;   // of the session before
  };
  mail::MessageSource& source_;
  std::map<std::string, mail::Outgoing> given_;   // and not finished
  std::map<std::string, std::vector<mail::RecipientResult>> unanswered_;
  std::deque<Again> again_;
};

/// A visit to one peer: connects, opens, sends what the source has, and remembers in the spool what it learned. Connects once more,
/// over TCP, where the peer broke off for a reason that can be avoided: TLS that was merely offered and fails (then in clear text, with
/// an event mail.tls-failed), pipelining or BDAT that it announces and does not know.
class PeerSession {
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
  /// After open(): runs the loop until the visit is over.
  Result<mail::SmtpFinished> run(mail::MessageSource& source);
  /// For a handler of the loop: as SmtpSender's.
  void stop();
  void abort();

  /// Of all its connections.
  std::uint64_t bytes_out() const { return bytes_out_ + (sender_ ? sender_->bytes_out() : 0); }
  std::uint64_t bytes_in() const { return bytes_in_ + (sender_ ? sender_->bytes_in() : 0); }
  int connections() const { return connections_; }
  /// Members for an event: "tls", "tls_resumed", "tls_doubt", "connections".
  JsonObject facts() const;

 private:
  Result<void> connect();
  Result<mail::SmtpFinished> run_once(ResumingSource& source);
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
  std::uint64_t bytes_out_ = 0, bytes_in_ = 0;
  int connections_ = 0;
  bool ending_ = false;
};

}  // namespace longline::sys
