// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mail/queue.hpp"
#include "mail/smtp_client.hpp"

namespace longline::mail {

/// What can be done to a message of any queue. bounce ends it with a notification to its sender; requeue makes it ready
/// again as if it had just come.
enum class QueueChange { hold, release, remove, bounce, requeue };
std::string_view to_string(QueueChange change);     ///< "hold"
std::string_view done_name(QueueChange change);     ///< "held", "released", "removed", "bounced", "requeued"

/// What a mail system wrote down about one recipient of one message or, without an address, about all of it.
struct Fate {
  enum class Kind {
    outcome,    ///< `result`
    removed,    ///< by somebody, with no word to its sender
    requeued,   ///< it leaves the queue, to come again under another id
    renamed     ///< it came again, as `new_id`
  };
  std::string id;
  RecipientResult result;
  Kind kind = Kind::outcome;
  std::string new_id{};
};

/// What tells a message that was seen from another that has its id by now.
struct SeenMessage {
  std::string id;
  WallTime arrived{};
  std::string sender;
  MessageState state = MessageState::ready;   ///< then
  SeenMessage() = default;
  SeenMessage(const QueuedMessage& message) : id(message.id), arrived(message.arrived), sender(message.sender), state(message.state) {}
};

/// Some of those who wait for a message, or all.
struct MessagePart {
  SeenMessage message;
  std::vector<std::string> recipients;
};

/// Leaves of `recipients` those who still wait for the message as it is now.
void keep_waiting(std::vector<std::string>& recipients, const QueuedMessage& message);

/// A queue of messages: our spool, Postfix's, Exim's, or one in memory. Calls are synchronous; each runs one short command or
/// touches files, and ends. Errors: permission; not_found for an id that is not there; next_hop_unreachable when the
/// mail system does not run; deadline when it does not answer; usage for what this queue cannot do.
class QueueBackend {
 public:
  using Visitor = std::function<bool(QueuedMessage&&)>;
  using Sink = std::function<bool(std::string_view)>;

  virtual ~QueueBackend() = default;
  virtual std::string_view name() const = 0;   ///< "spool", "postfix", "exim"
  /// An id as a person typed it, in the form that visit() gives.
  virtual std::string canonical_id(std::string id) const { return id; }

  /// Every message once; the visitor returns false to end. Of a queue that changes meanwhile, a message may be missing.
  virtual Result<void> visit(const Visitor& visitor) = 0;
  /// With what a listing leaves out (Message-ID, subject), where that can be read.
  virtual Result<QueuedMessage> find(const std::string& id) = 0;
  /// The message in stored form (CRLF), in pieces; the sink returns false to end.
  virtual Result<void> read(const std::string& id, const Sink& sink) = 0;

  /// What the sender wants to be told, where the queue knows that.
  virtual Result<DsnWishes> wishes(const std::string&) { return DsnWishes(); }

  /// nullopt: it can. Otherwise why not, for the operator.
  virtual std::optional<std::string> why_not(QueueChange) const { return std::nullopt; }
  /// One result a message, in their order. Ids are used again, so each is looked at first: what has another time of arrival or
  /// sender than `as_seen` is left alone ("changed meanwhile"). not_found: gone; busy: being sent.
  virtual Result<std::vector<Result<void>>> change(QueueChange change, const std::vector<SeenMessage>& as_seen) = 0;

  /// Whether remove_recipients() works.
  virtual bool removes_recipients() const { return false; }
  /// They leave their message, with no notification; it goes with the last who waits. What is left is held only if it was when it was seen.
  /// Results as of change().
  virtual Result<std::vector<Result<void>>> remove_recipients(const std::vector<MessagePart>& parts);

  /// Asks the mail system to try these now (nothing named: all that is not held). Returns when it was asked.
  virtual Result<void> trigger(const std::vector<std::string>& ids) = 0;
  /// These were asked for, and nobody has come to them: asks again. next_hop_unreachable: the mail system does not run any more.
  virtual Result<void> remind(const std::vector<std::string>&) { return {}; }
  /// Whether it is being sent, or will be with nobody asking: not trigger() begins it.
  virtual bool goes_by_itself(const QueuedMessage& message) const { return message.state == MessageState::sending; }
  /// Whether the run that trigger() asked for is over; nullopt: this mail system does not tell.
  virtual std::optional<bool> run_is_over() { return std::nullopt; }
  /// Whether the last visit() found that the mail system does not run; a listing may have come nevertheless.
  virtual bool is_down() const { return false; }
  /// Whether new_fates() finds something to read.
  virtual bool tells_fates() const { return false; }
  /// What was written down since trigger() or the last call.
  virtual Result<std::vector<Fate>> new_fates() { return std::vector<Fate>(); }
};

/// The message of an error for one that is not what it was.
Error changed_meanwhile(const std::string& id);
Error not_in_queue(const std::string& id);
/// Whether `now` is the message that was seen.
bool is_same_message(const SeenMessage& seen, const QueuedMessage& now);

}  // namespace longline::mail
