// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::mail {

/// What `mtaq list` says of a message. `sending` lasts as long as the lease of the flush that has it; a message whose
/// flush died is ready or in-doubt again.
enum class MessageState { ready, deferred, held, sending, in_doubt };

/// What became of one recipient. In doubt: the line was cut between the message's last byte and the reply, so the
/// peer may have it (RFC 1047); it goes again with the same Message-ID. Delivered and refused are final.
enum class RecipientState { waiting, deferred, in_doubt, delivered, refused };

/// Why a message waits, in classes that scripts can count.
enum class ReasonClass { none, dns, link, tls, auth, greylist, size, policy, other };

/// What the sender of a message wants to be told about one recipient (RFC 3461). Kept as it was given, checked.
struct DsnWish {
  std::string notify;                     ///< "NEVER", or of SUCCESS, FAILURE, DELAY some, with commas; "" the default
  std::string original;                   ///< ORCPT, "rfc822;bob+2Bx@example.com", still in xtext; "" none
  bool empty() const { return notify.empty() && original.empty(); }
  bool wants_success() const;
  bool wants_failure() const;             ///< also by default
  bool wants_delay() const;               ///< also by default
  bool operator==(const DsnWish&) const = default;
};

/// The wishes that came with one message.
struct DsnWishes {
  std::string ret;                            ///< RET: "FULL", "HDRS" or ""
  std::string envelope_id;                    ///< ENVID, still in xtext; ""
  std::map<std::string, DsnWish> recipients;  ///< by address, those that are not empty
  bool empty() const { return ret.empty() && envelope_id.empty() && recipients.empty(); }
  DsnWish of(const std::string& address) const;
  bool operator==(const DsnWishes&) const = default;
};

struct Recipient {
  std::string address;                    ///< as RCPT TO sends it, without angle brackets
  RecipientState state = RecipientState::waiting;
  std::string reason;                     ///< the peer's or our own words, escaped; "" when there is nothing to say
  ReasonClass reason_class = ReasonClass::none;
  std::optional<WallTime> next_attempt;   ///< only for deferred
  bool finished() const { return state == RecipientState::delivered || state == RecipientState::refused; }
};

/// -9…9 as in RFC 6710; names for the three classes of X.400 (RFC 6710, appendix C).
constexpr int kUrgent = 4;
constexpr int kNormal = 0;
constexpr int kLow = -4;
/// "urgent", "normal", "low" or a number from -9 to 9. Errc::usage otherwise.
Result<int> parse_priority(std::string_view text);
std::string_view priority_name(int priority);  ///< the class: "urgent" from 4, "low" to -4, else "normal"

struct QueuedMessage {
  std::string id;                         ///< sorts by age; never used again
  bool inbox = false;                     ///< received or local: nothing is sent
  std::string_view queue = "spool";       ///< a literal: "spool", "postfix", "exim"
  bool foreign = false;                   ///< another mail system's: attempts, priority and expiry are not known; the rest where not empty
  MessageState state = MessageState::ready;
  WallTime arrived{};
  std::int64_t size = 0;                  ///< bytes of the body as it goes over the line
  std::optional<std::int64_t> bytes_done; ///< of a transfer that was begun and can go on: what the peer has confirmed
  std::string sender;                     ///< "" for the null sender
  std::vector<Recipient> recipients;
  int priority = kNormal;
  int attempts = 0;                       ///< tries that a peer answered; a cut line does not count
  bool eight_bit = false;                 ///< holds bytes above 127
  std::string message_id;                 ///< with angle brackets
  std::string subject;                    ///< raw
  std::optional<WallTime> next_attempt() const;   ///< the earliest of the deferred recipients
  const Recipient* first_unfinished() const;      ///< nullptr when none is left
};

/// The state from what is stored. `leased`: a flush that lives has it.
MessageState message_state(bool held, bool leased, const std::vector<Recipient>& recipients);
/// Mail that a call is worth: ready, in doubt, or deferred until now or earlier. A next attempt more than `longest`
/// ahead is due: the clock was wrong when it was set.
bool is_due(const QueuedMessage& message, const Recipient& recipient, WallTime now,
            Duration longest = Duration(24 * 3'600'000));

/// A message on its way into the queue.
struct Submission {
  std::string sender;                     ///< "" for the null sender
  std::vector<std::string> recipients;    ///< printed form; they wait in the queue
  std::vector<std::string> local_recipients;   ///< these go straight to the inbox
  std::string content;                    ///< stored form (message.hpp)
  int priority = kNormal;
  bool eight_bit = false;
  std::string message_id;
  std::string subject;
  DsnWishes dsn{};
};

std::string_view to_string(MessageState state);     ///< "in-doubt"
std::string_view to_string(RecipientState state);
std::string_view to_string(ReasonClass reason_class);
std::optional<MessageState> message_state_from_name(std::string_view name);
std::vector<std::string> message_state_names();

/// Seven characters of Crockford's base 32, lower case: short, and sorts as the number does.
std::string format_id(std::int64_t sequence);
/// Also what people make of them: upper case, o for 0, i and l for 1. nullopt when it is no id.
std::optional<std::int64_t> parse_id(std::string_view id);

/// The class of a reply or of an error text of ours, from its enhanced status (RFC 3463) and its words.
ReasonClass classify_reason(std::string_view reason);

}  // namespace longline::mail
