// SPDX-License-Identifier: MIT
#include "mail/postfix_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "mail/peer_words.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kReason = 1000;
// Seconds that a WallTime in milliseconds holds with room to spare.
constexpr std::int64_t kLatest = 253'402'300'799;   // 9999-12-31

MessageState state_of(std::string_view queue) {
  if (queue == "hold") return MessageState::held;
  if (queue == "active") return MessageState::sending;
  return queue == "deferred" ? MessageState::deferred : MessageState::ready;
}

// After "NAME=", up to the next comma.
std::string_view member(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + name.size());
  return rest.substr(0, rest.find_first_of(", "));
}

std::optional<Outcome> outcome_of(std::string_view status) {
  if (status == "sent") return Outcome::sent;
  if (status == "deferred") return Outcome::deferred;
  if (status == "bounced" || status == "expired" || status == "force-expired") return Outcome::refused;
  return std::nullopt;
}

// What postsuper did to a message; "requeued" stands before pickup's line, which says as what.
std::optional<Fate> administered(Fate fate, std::string_view what) {
  if (what == "removed") fate.kind = Fate::Kind::removed;
  else if (what == "requeued") fate.kind = Fate::Kind::requeued;
  else return std::nullopt;
  return fate;
}

// "uid=0 from=<SENDER> orig_id=ID". A sender may hold anything, but ends with its bracket.
std::optional<Fate> come_again(Fate fate, std::string_view what) {
  constexpr std::string_view kMark = "> orig_id=";
  const std::size_t at = what.rfind(kMark);
  if (!what.starts_with("uid=") || at == std::string_view::npos || !is_postfix_id(what.substr(at + kMark.size()))) return std::nullopt;
  fate.new_id = std::exchange(fate.id, std::string(what.substr(at + kMark.size())));
  fate.kind = Fate::Kind::renamed;
  return fate;
}

}  // namespace

bool is_postfix_id(std::string_view id) {
  return !id.empty() && id.size() <= 40 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

std::string postfix_hash_name(std::string_view id) {
  // mail_queue.h: seconds (6 or more), microseconds (4 digits in base 52), 'z', inode (without a 'z'); the digits have no vowels.
  constexpr std::string_view kDigits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
  constexpr std::size_t kSeconds = 6, kMicroseconds = 4;
  const std::size_t separator = id.rfind('z');
  if (separator == std::string_view::npos || separator < kSeconds + kMicroseconds) return std::string(id);
  std::size_t value = 0;
  for (const char c : id.substr(separator - kMicroseconds, kMicroseconds)) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::string(id);
    value = value * kDigits.size() + digit;
  }
  return fmt::format("{:05X}", value);
}

Result<QueuedMessage> parse_postfix_listing(std::string_view line) {
  LONGLINE_TRY(const JsonObject object, parse_json_object(line));
  QueuedMessage out;
  out.queue = "postfix";
  out.foreign = true;
  out.id = object.string("queue_id").value_or("");
  if (!is_postfix_id(out.id)) return Error(Errc::malformed, "postqueue: an object without a queue_id", Stage::queue);
  out.state = state_of(object.string("queue_name").value_or(""));
  out.arrived = WallTime(Duration(std::clamp<std::int64_t>(object.integer("arrival_time").value_or(0), 0, kLatest) * 1000));
  out.size = std::max<std::int64_t>(object.integer("message_size").value_or(0), 0);
  out.sender = object.string("sender").value_or("");
  if (out.sender == "MAILER-DAEMON") out.sender.clear();
  for (const JsonObject& recipient : object.objects("recipients")) {
    Recipient one;
    one.address = recipient.string("address").value_or("");
    one.reason = escape_at_most(recipient.string("delay_reason").value_or(""), kReason);
    if (!one.reason.empty()) {
      one.state = RecipientState::deferred;
      one.reason_class = classify_reason(one.reason);
    }
    out.recipients.push_back(std::move(one));
  }
  return out;
}

std::optional<Fate> parse_postfix_log(std::string_view line) {
  // "TIME HOST postfix[-INSTANCE]/PROGRAM[PID]: ID: …"; the first "]: " ends the head.
  const std::size_t head = line.find("]: ");
  if (head == std::string_view::npos) return std::nullopt;
  const std::size_t slash = line.substr(0, head).rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view program = line.substr(slash + 1, line.substr(slash + 1, head - slash - 1).find('['));
  line.remove_prefix(head + 3);
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || !is_postfix_id(line.substr(0, colon))) return std::nullopt;
  Fate fate;
  fate.id = line.substr(0, colon);
  line.remove_prefix(colon + 2);
  if (program == "postsuper") return administered(std::move(fate), trim(line));
  if (program == "pickup") return come_again(std::move(fate), trim(line));
  if (!line.starts_with("to=<") && !line.starts_with("from=<")) return std::nullopt;
  // An address may hold anything; what Postfix wrote itself stands behind it.
  std::size_t end = line.find(line.front() == 't' ? ">, " : ">, status=");
  if (end == std::string_view::npos) return std::nullopt;
  if (line.front() == 't') fate.result.address = line.substr(4, end - 4);
  line.remove_prefix(end + 3);
  const std::size_t words = line.find(" (");
  const std::string_view facts = line.substr(0, words);
  const auto outcome = outcome_of(member(facts, "status="));
  if (!outcome) return std::nullopt;
  fate.result.outcome = *outcome;
  fate.result.enhanced = escape_at_most(member(facts, "dsn="), 20);
  if (words != std::string_view::npos) {
    std::string_view text = trim(line.substr(words + 2));
    if (text.ends_with(')')) text.remove_suffix(1);
    if (fate.result.outcome != Outcome::sent) {
      take_account(fate.result, text);
    } else {
      const std::optional<PeerWords> reply = read_reply_text(text);
      if (reply) fate.result.code = reply->code;
      fate.result.text = escape_at_most(reply ? std::string_view(reply->text) : text, 400);
    }
  } else {
    fate.result.text = escape_at_most(trim(line), 400);
  }
  return fate;
}

}  // namespace longline::mail
