// SPDX-License-Identifier: MIT
#include "mail/queue_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace longline::mail {
namespace {

const Recipient& shown_recipient(const QueuedMessage& message) {
  static const Recipient kNone{};
  if (const Recipient* r = message.first_unfinished()) return *r;
  return message.recipients.empty() ? kNone : message.recipients.front();
}

std::string shown_sender(const QueuedMessage& message) { return message.sender.empty() ? "<>" : escape(message.sender); }

std::string_view queue_name(const QueuedMessage& message) { return message.inbox ? "inbox" : message.queue; }

std::string destination_text(const Destination& destination) {
  if (destination.local) return "local";
  if (destination.connector == nullptr) return "none";
  std::string text = escape(destination.connector->name);
  if (!destination.connector->link.empty()) text += " over link " + escape(destination.connector->link);
  return text + ", next hop " + escape(next_hop(destination.connector));
}

void time_or_null(JsonWriter& json, const JsonKey& key, std::optional<WallTime> time) {
  if (time) json.member(key, Iso8601(*time).view());
  else json.null(key);
}

/// A transfer holds an envelope too, so that it may be larger than the message.
std::string progress_text(const QueuedMessage& message) {
  return fmt::format("{} of {} have arrived there", format_size(std::min(*message.bytes_done, message.size)), format_size(message.size));
}

}  // namespace

std::string json_line(const QueuedMessage& message, ConnectorChoice& choice) {
  fmt::memory_buffer out;
  append_json_line(out, message, choice);
  return fmt::to_string(out);
}

void append_json_line(fmt::memory_buffer& out, const QueuedMessage& message, ConnectorChoice& choice) {
  const Recipient& shown = shown_recipient(message);
  const Destination destination = choice.choose(shown.address);
  const config::Connector* connector = destination.connector;
  const std::string reason = waiting_reason(message, shown, destination);
  const ReasonClass reason_class = shown.reason_class != ReasonClass::none ? shown.reason_class : classify_reason(reason);
  JsonWriter json(out);
  json.begin_object().member("id"_key, message.id).member("queue"_key, queue_name(message)).member("state"_key, to_string(message.state));
  json.member("arrived"_key, Iso8601(message.arrived).view()).member("size"_key, message.size).member("sender"_key, message.sender);
  json.begin_array("recipients"_key);
  for (const Recipient& r : message.recipients) {
    json.begin_object().member("address"_key, r.address).member("state"_key, to_string(r.state));
    if (&r == &shown) json.text_or_null("reason"_key, reason);
    else json.text_or_null("reason"_key, waiting_reason(message, r, choice.choose(r.address)));
    json.end_object();
  }
  json.end_array();
  if (connector == nullptr) json.null("connector"_key).null("link"_key).null("next_hop"_key);
  else json.text_or_null("connector"_key, connector->name).text_or_null("link"_key, connector->link).text_or_null("next_hop"_key, choice.next_hop(*connector));
  if (message.foreign) json.null("priority"_key).null("attempts"_key);
  else json.member("priority"_key, priority_name(message.priority)).member("attempts"_key, message.attempts);
  time_or_null(json, "next_attempt"_key, message.next_attempt());
  time_or_null(json, "expires"_key, connector != nullptr && !message.foreign ? choice.expires(*connector, message.arrived) : std::nullopt);
  json.text_or_null("reason"_key, reason).text_or_null("reason_class"_key, reason.empty() ? "" : to_string(reason_class));
  json.text_or_null("message_id"_key, message.message_id);
  if (message.foreign) json.text_or_null("subject"_key, message.subject);
  else json.member("subject"_key, message.subject);
  if (message.bytes_done) json.member("bytes_done"_key, *message.bytes_done);
  json.end_object();
}

std::string listing_header(std::size_t id_width) {
  return fmt::format("{:<{}}  {:<8} {:>4} {:>8}  {:<28} {}\n", "ID", id_width, "STATE", "AGE", "SIZE", "FROM", "TO");
}

std::string listing_lines(const QueuedMessage& message, ConnectorChoice& choice, WallTime now) {
  const Recipient& shown = shown_recipient(message);
  std::string to = escape(shown.address);
  if (message.recipients.size() > 1) to += fmt::format(" +{}", message.recipients.size() - 1);
  std::string out = fmt::format("{:<7}  {:<8} {:>4} {:>8}  {:<28} {}\n", message.id, to_string(message.state),
                                format_age(now - message.arrived), format_size(message.size), shown_sender(message), to);
  const std::string reason = waiting_reason(message, shown, choice.choose(shown.address));
  std::string more = reason;
  if (message.bytes_done) more += fmt::format("{}{}", more.empty() ? "" : "; ", progress_text(message));
  if (const auto next = message.next_attempt()) {
    more += fmt::format("{}next attempt {}", more.empty() ? "" : "; ", format_iso8601(*next));
  }
  if (!more.empty()) out += fmt::format("{:{}}{}\n", "", message.id.size() + 2, more);
  return out;
}

std::string describe(const QueuedMessage& message, ConnectorChoice& choice, WallTime now) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) { out += fmt::format("{:<12} {}\n", name, value); };
  line("id", message.id);
  line("queue", std::string(queue_name(message)));
  line("state", std::string(to_string(message.state)));
  line("arrived", fmt::format("{} ({} ago)", format_iso8601(message.arrived), format_age(now - message.arrived)));
  line("size", fmt::format("{} bytes", message.size));
  if (message.bytes_done) line("done", fmt::format("{} bytes", *message.bytes_done));
  line("sender", shown_sender(message));
  if (!message.foreign || !message.message_id.empty()) line("message-id", escape(message.message_id));
  if (!message.foreign || !message.subject.empty()) line("subject", escape(message.subject));
  if (!message.foreign) {
    line("priority", std::string(priority_name(message.priority)));
    line("attempts", std::to_string(message.attempts));
  }
  for (const Recipient& r : message.recipients) {
    const Destination destination = choice.choose(r.address);
    line("recipient", fmt::format("{} {}", escape(r.address), to_string(r.state)));
    if (const std::string reason = waiting_reason(message, r, destination); !reason.empty()) line("  reason", reason);
    if (!r.finished() && (!message.foreign || destination.connector != nullptr)) line("  connector", destination_text(destination));
    if (r.next_attempt) line("  next", format_iso8601(*r.next_attempt));
    if (!r.finished() && !message.foreign && destination.connector != nullptr) {
      if (const auto expires = choice.expires(*destination.connector, message.arrived)) line("  expires", format_iso8601(*expires));
    }
  }
  return out;
}

std::string printable_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    out += escape(line);
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string format_age(Duration age) {
  using namespace std::chrono_literals;
  constexpr std::array<std::pair<Duration, char>, 4> kUnits{{{24h, 'd'}, {1h, 'h'}, {1min, 'm'}, {1s, 's'}}};
  for (const auto& [unit, letter] : kUnits) {
    if (age >= unit) return fmt::format("{}{}", age / unit, letter);
  }
  return "0s";
}

}  // namespace longline::mail
