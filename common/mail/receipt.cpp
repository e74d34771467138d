// SPDX-License-Identifier: MIT
#include "mail/receipt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::array kWorstFirst = {Outcome::in_doubt, Outcome::not_tried, Outcome::deferred, Outcome::refused, Outcome::sent};

constexpr std::size_t kMostReasons = 100;

std::optional<std::string> non_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

std::optional<Outcome> outcome_from_name(std::string_view name) {
  for (const Outcome outcome : kWorstFirst) {
    if (to_string(outcome) == name) return outcome;
  }
  return std::nullopt;
}

bool is_left(Outcome outcome) { return outcome != Outcome::sent && outcome != Outcome::refused; }

std::string messages(int n) { return fmt::format("{} message{}", n, n == 1 ? "" : "s"); }

}  // namespace

bool Receipt::left() const { return is_left(outcome()); }

Outcome Receipt::outcome() const {
  for (const Outcome worst : kWorstFirst) {
    for (const RecipientResult& r : recipients) {
      if (r.outcome == worst) return worst;
    }
  }
  return Outcome::not_tried;
}

void merge(Receipt& into, const Receipt& part) {
  const bool had_left = !into.recipients.empty() && into.left(), has_left = !part.recipients.empty() && part.left();
  if (!had_left) into.cause = part.cause;
  else if (has_left && into.cause != part.cause) into.cause.reset();
  if (into.reason.empty() || !had_left) into.reason = part.reason.empty() ? into.reason : part.reason;
  if (part.next_attempt && (!into.next_attempt || *part.next_attempt < *into.next_attempt)) into.next_attempt = part.next_attempt;
  if (into.connector.empty()) {
    into.connector = part.connector;
    into.link = part.link;
  }
  for (const RecipientResult& r : part.recipients) {
    const auto known = std::find_if(into.recipients.begin(), into.recipients.end(), [&](const RecipientResult& o) { return o.address == r.address; });
    if (known == into.recipients.end()) into.recipients.push_back(r);
    else if (r.outcome != Outcome::not_tried) *known = r;
  }
}

JsonObject to_json(const Receipt& receipt) {
  std::vector<JsonObject> recipients;
  for (const RecipientResult& r : receipt.recipients) {
    JsonObject one;
    one.set("address", r.address).set("result", to_string(r.outcome));
    one.set("code", r.code == 0 ? std::nullopt : std::optional<int>(r.code)).set("reason", non_empty(r.text));
    recipients.push_back(std::move(one));
  }
  JsonObject out;
  out.set("id", receipt.id).set("result", to_string(receipt.outcome()));
  out.set("connector", non_empty(receipt.connector)).set("link", non_empty(receipt.link));
  out.set("size", receipt.size).set("recipients", recipients);
  out.set("next_attempt", receipt.next_attempt ? std::optional<std::string>(format_iso8601(*receipt.next_attempt)) : std::nullopt);
  out.set("cause", receipt.cause ? std::optional<std::string>(to_string(*receipt.cause)) : std::nullopt);
  out.set("reason", non_empty(receipt.reason)).set("message_id", non_empty(receipt.message_id));
  return out;
}

Result<Receipt> receipt_from_json(const std::string& text) {
  LONGLINE_TRY(const JsonObject object, parse_json_object(text));
  Receipt receipt;
  receipt.id = object.string("id").value_or("");
  receipt.connector = object.string("connector").value_or("");
  receipt.link = object.string("link").value_or("");
  receipt.size = object.integer("size").value_or(0);
  receipt.message_id = object.string("message_id").value_or("");
  receipt.reason = object.string("reason").value_or("");
  if (const auto cause = object.string("cause")) receipt.cause = errc_from_name(*cause);
  if (const auto next = object.string("next_attempt")) {
    LONGLINE_TRY(receipt.next_attempt, parse_iso8601(*next));
  }
  for (const JsonObject& r : object.objects("recipients")) {
    RecipientResult one;
    one.address = r.string("address").value_or("");
    one.outcome = outcome_from_name(r.string("result").value_or("")).value_or(Outcome::not_tried);
    one.code = static_cast<int>(r.integer("code").value_or(0));
    one.text = r.string("reason").value_or("");
    receipt.recipients.push_back(std::move(one));
  }
  if (receipt.id.empty() || receipt.recipients.empty()) return Error(Errc::malformed, "not a receipt", Stage::queue);
  return receipt;
}

std::string to_text(const Receipt& receipt) {
  std::string out = fmt::format("{} {}", receipt.id, to_string(receipt.outcome()));
  if (receipt.outcome() == Outcome::sent) {
    out += " to " + escape(receipt.recipients.front().address);
    if (receipt.recipients.size() > 1) out += fmt::format(" and {} more", receipt.recipients.size() - 1);
    return out + fmt::format(" ({})", format_size(receipt.size));
  }
  for (const RecipientResult& r : receipt.recipients) {
    if (r.outcome == Outcome::sent) continue;
    out += fmt::format("{} {}", &r == receipt.recipients.data() ? ":" : ";", escape(r.address));
    if (!r.text.empty()) out += fmt::format(" ({}{})", r.code == 0 ? "" : std::to_string(r.code) + " ", r.text);
  }
  if (!receipt.reason.empty()) out += ": " + receipt.reason;
  return out;
}

void FlushTally::add(const Receipt& receipt) {
  const Outcome outcome = receipt.outcome();
  std::string reason = receipt.reason;
  for (const RecipientResult& r : receipt.recipients) {
    // What was refused for good is not what the rest waits for.
    if (is_left(r.outcome) == is_left(outcome) && r.outcome != Outcome::sent && !r.text.empty()) {
      reason = r.code == 0 ? r.text : fmt::format("{} {}", r.code, r.text);
      break;
    }
  }
  if (outcome == Outcome::sent) {
    ++sent_;
    bytes_ += receipt.size;
  } else if (outcome == Outcome::refused) {
    ++refused_;
    if (first_refused_reason_.empty()) first_refused_reason_ = reason;
  } else {
    ++left_;
    if (receipt.cause == Errc::next_hop_unreachable) ++unreachable_;
    // It was not begun because it could not have been through in time.
    if (receipt.cause == Errc::deadline && !ended_by_) ended_by_ = Errc::deadline;
    if (receipt.cause == Errc::link_down && link_down_++ == 0) first_link_down_ = receipt.link;
    held_ += receipt.reason == "held" || reason == "held" ? 1 : 0;
    const auto known = std::find_if(left_reasons_.begin(), left_reasons_.end(), [&](const auto& one) { return one.first == reason; });
    if (known != left_reasons_.end()) ++known->second;
    else if (!reason.empty() && left_reasons_.size() < kMostReasons) left_reasons_.emplace_back(reason, 1);
    if (receipt.next_attempt && (!next_attempt_ || *receipt.next_attempt < *next_attempt_)) next_attempt_ = receipt.next_attempt;
  }
}

std::optional<Error> FlushTally::judgement() const {
  if (left_ > 0) {
    Errc code = Errc::messages_left;
    Stage stage = Stage::transfer;
    if (ended_by_) {
      code = *ended_by_;
    } else if (unreachable_ == left_) {
      code = Errc::next_hop_unreachable;
      stage = Stage::connect;
    } else if (link_down_ == left_) {
      code = Errc::link_down;
      stage = Stage::connect;
    }
    const auto most = std::max_element(left_reasons_.begin(), left_reasons_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::string what = fmt::format("{} of {} left", left_, messages(total()));
    if (code == Errc::deadline) what += ": the time ran out";
    else if (code == Errc::interrupted) what += ": interrupted";
    else if (!left_reasons_.empty()) what += ": " + most->first;
    if (next_attempt_) what += "; due again at " + format_iso8601(*next_attempt_);
    else what += held_ == left_ ? "; mtaq release lets it go" : "; tried again by the next flush";
    Error error(code, std::move(what), stage);
    if (code != Errc::link_down) return error;
    return std::move(error).with_hint(fmt::format("flush never dials: dialctl run {0} -- mtaq flush --link {0} --wait", first_link_down_));
  }
  if (refused_ > 0) {
    return Error(Errc::refused, fmt::format("{} of {} refused for good: {}", refused_, messages(total()), first_refused_reason_),
                 Stage::transfer);
  }
  return std::nullopt;
}

Duration retry_delay(int attempts) {
  constexpr Duration kFirst(5 * 60'000), kLongest(4 * 3'600'000);
  return std::min(kLongest, kFirst * (1 << std::clamp(attempts - 1, 0, 10)));
}

}  // namespace longline::mail
