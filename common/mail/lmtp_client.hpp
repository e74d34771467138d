// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/time.hpp"
#include "mail/smtp_client.hpp"
#include "mail/smtp_reply.hpp"

namespace longline::mail {

struct LmtpOptions {
  std::string host;                     ///< our name, for LHLO
  std::string sender;                   ///< "" is the null reverse-path
  std::vector<std::string> recipients;  ///< at least one, printed form
  std::string_view content;             ///< stored form; must outlive the machine
  Duration reply_timeout = std::chrono::minutes(5);
  Duration session_limit = std::chrono::minutes(30);
};

/// The session is over: close the line when what was written is flushed. One result a recipient, in the order given: sent, deferred or refused. What
/// has no reply, whatever the reason, is deferred: the server may have it, and whoever asked for the delivery must ask again.
struct LmtpFinished {
  std::vector<RecipientResult> results;
};

using LmtpAction = std::variant<Write, LmtpFinished>;

/// Hands one message to a mail store (RFC 2033): as SMTP, but with one reply a recipient behind the message. In lock-step: such servers are near.
/// Machine without I/O.
class LmtpClient {
 public:
  explicit LmtpClient(LmtpOptions options);

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// The driver's buffer can take so many bytes now: the message leaves in pieces.
  void on_writable(std::size_t free, TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<LmtpAction> next_action();

 private:
  enum class Step { idle, greeting, lhlo, mail, recipient, data, body, verdicts, finished };

  void take_replies(TimePoint now);
  void take(const SmtpReply& reply);
  void send(std::string line);
  void next_recipient();
  void all_get(Outcome outcome, int code, std::string enhanced, std::string text);
  void finish();
  bool any_accepted() const;

  LmtpOptions options_;
  Step step_ = Step::idle;
  SmtpReplyParser replies_;
  std::deque<LmtpAction> actions_;
  std::vector<std::optional<RecipientResult>> results_;   // decided ones
  std::size_t at_ = 0;            // the recipient whose reply is awaited
  std::size_t sent_ = 0;          // bytes of the content that were written
  bool line_start_ = true;        // for the dots
  TimePoint started_{}, last_progress_{};
};

}  // namespace longline::mail
