// SPDX-License-Identifier: MIT
#include "mail/queue.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::array<std::string_view, 5> kMessageStates = {"ready", "deferred", "held", "sending", "in-doubt"};
constexpr std::array<std::string_view, 5> kRecipientStates = {"ready", "deferred", "in-doubt", "delivered", "refused"};
constexpr std::array<std::string_view, 9> kReasonClassNames = {"none", "dns",  "link",   "tls",  "auth",
                                                            "greylist", "size", "policy", "other"};
constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kIdLength = 7;

bool any(const std::vector<Recipient>& recipients, RecipientState state) {
  return std::any_of(recipients.begin(), recipients.end(), [&](const Recipient& r) { return r.state == state; });
}

bool contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return contains(text, word); });
}

/// "451" or "4.7.1" by itself, not as a part of a longer number.
bool has_number(std::string_view text, std::string_view number) {
  const auto in_number = [&](std::size_t i) { return i < text.size() && ((text[i] >= '0' && text[i] <= '9') || text[i] == '.'); };
  for (std::size_t at = text.find(number); at != std::string_view::npos; at = text.find(number, at + 1)) {
    if ((at == 0 || !in_number(at - 1)) && !in_number(at + number.size())) return true;
  }
  return false;
}

/// Greylisting, by name or by what it says. Mailboxes (X.2.1, X.2.2), addresses (X.1), systems (X.3) and networks (X.4) also ask to be tried again later, for
/// reasons of their own.
bool asks_to_come_back(std::string_view text) {
  if (contains_any(text, {"greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list"})) return true;
  if (!has_number(text, "450") && !has_number(text, "451") && !has_number(text, "4.7.1")) return false;
  if (contains_any(text, {" 4.1.", " 4.2.1", " 4.2.2", " 4.3.", " 4.4."})) return false;
  return contains_any(text, {"try again", "try later", "come back", "retry"});
}

}  // namespace

bool DsnWish::wants_success() const { return notify.find("SUCCESS") != std::string::npos; }
bool DsnWish::wants_failure() const { return notify.empty() || notify.find("FAILURE") != std::string::npos; }
DsnWish DsnWishes::of(const std::string& address) const {
  const auto found = recipients.find(address);
  return found == recipients.end() ? DsnWish() : found->second;
}
bool DsnWish::wants_delay() const { return notify.empty() || notify.find("DELAY") != std::string::npos; }

Result<int> parse_priority(std::string_view text) {
  if (text == "urgent" || text == "high") return kUrgent;
  if (text == "normal") return kNormal;
  if (text == "low" || text == "non-urgent") return kLow;
  const auto number = parse_integer(text);
  if (number && *number >= -9 && *number <= 9) return static_cast<int>(*number);
  return Error(Errc::usage, "priority '" + escape_at_most(text, 40) + "' is none of urgent, normal, low, -9...9",
               Stage::queue);
}

std::string_view priority_name(int priority) {
  return priority >= kUrgent ? "urgent" : priority <= kLow ? "low" : "normal";
}

std::optional<WallTime> QueuedMessage::next_attempt() const {
  std::optional<WallTime> earliest;
  for (const Recipient& r : recipients) {
    if (r.state != RecipientState::deferred || !r.next_attempt) continue;
    if (!earliest || *r.next_attempt < *earliest) earliest = r.next_attempt;
  }
  return earliest;
}

const Recipient* QueuedMessage::first_unfinished() const {
  for (const Recipient& r : recipients) {
    if (!r.finished()) return &r;
  }
  return nullptr;
}

MessageState message_state(bool held, bool leased, const std::vector<Recipient>& recipients) {
  if (leased) return MessageState::sending;
  if (held) return MessageState::held;
  if (any(recipients, RecipientState::in_doubt)) return MessageState::in_doubt;
  if (any(recipients, RecipientState::waiting)) return MessageState::ready;
  return any(recipients, RecipientState::deferred) ? MessageState::deferred : MessageState::ready;
}

bool is_due(const QueuedMessage& message, const Recipient& recipient, WallTime now, Duration longest) {
  if (message.state == MessageState::held || recipient.finished()) return false;
  if (recipient.state != RecipientState::deferred || !recipient.next_attempt) return true;
  return *recipient.next_attempt <= now || *recipient.next_attempt > now + longest;
}

std::string_view to_string(MessageState state) { return kMessageStates[static_cast<std::size_t>(state)]; }
std::string_view to_string(RecipientState state) { return kRecipientStates[static_cast<std::size_t>(state)]; }
std::string_view to_string(ReasonClass reason_class) { return kReasonClassNames[static_cast<std::size_t>(reason_class)]; }

std::optional<MessageState> message_state_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kMessageStates.size(); ++i) {
    if (kMessageStates[i] == name) return static_cast<MessageState>(i);
  }
  return std::nullopt;
}

std::vector<std::string> message_state_names() { return {kMessageStates.begin(), kMessageStates.end()}; }

std::string format_id(std::int64_t sequence) {
  std::string id(kIdLength, '0');
  for (std::size_t i = kIdLength; i-- > 0; sequence /= 32) id[i] = kDigits[static_cast<std::size_t>(sequence % 32)];
  return id;
}

std::optional<std::int64_t> parse_id(std::string_view id) {
  if (id.size() != kIdLength) return std::nullopt;
  std::int64_t sequence = 0;
  for (char c : to_lower(id)) {
    if (c == 'o') c = '0';
    if (c == 'i' || c == 'l') c = '1';
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    sequence = sequence * 32 + static_cast<std::int64_t>(digit);
  }
  return sequence;
}

ReasonClass classify_reason(std::string_view reason) {
  if (reason.empty()) return ReasonClass::none;
  const std::string text = to_lower(reason);
  if (asks_to_come_back(text)) return ReasonClass::greylist;
  // RFC 3463: X.3.4 and X.2.3 are about size, X.7.x about policy and security, X.4.x about the network.
  for (const std::string_view size : {"5.3.4", "4.3.4", "5.2.3", "4.2.3", "message size", "too big", "too large"}) {
    if (contains(text, size)) return ReasonClass::size;
  }
  for (const std::string_view auth : {"authentication", "535 ", "530 ", "auth "}) {
    if (contains(text, auth)) return ReasonClass::auth;
  }
  for (const std::string_view tls : {"tls", "certificate"}) {
    if (contains(text, tls)) return ReasonClass::tls;
  }
  for (const std::string_view dns : {"host not found", "domain not found", "name service", "name or service", "4.4.3", "5.4.4"}) {
    if (contains(text, dns)) return ReasonClass::dns;
  }
  if (contains_any(text, {"5.7.", "relay", "spam", "blocked", "policy"})) return ReasonClass::policy;
  // RFC 6647, 5: what greylisting answers. Postfix also says it of a client or a name that it does not like.
  if (has_number(text, "4.7.1") && !contains_any(text, {"host rejected", "command rejected", "denied"})) return ReasonClass::greylist;
  if (contains(text, "4.7.")) return ReasonClass::policy;
  for (const std::string_view link : {"link ", "line ", "connect", "unreachable", "timed out", "4.4.1", "4.4.2", "dropped"}) {
    if (contains(text, link)) return ReasonClass::link;
  }
  return ReasonClass::other;
}

}  // namespace longline::mail
