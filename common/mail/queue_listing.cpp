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

/// A transfer holds an envelope too, so that it may be larger than the message.
std::string progress_text(const QueuedMessage& message) {
  return fmt::format("{} of {} have arrived there", format_size(std::min(*message.bytes_done, message.size)), format_size(message.size));
}

}  // namespace

std::string json_line(const QueuedMessage& message, ConnectorChoice& choice) {
  const Recipient& shown = shown_recipient(message);
  const Destination destination = choice.choose(shown.address);
  const config::Connector* connector = destination.connector;
  const std::string reason = waiting_reason(message, shown, destination);
  const ReasonClass reason_class = shown.reason_class != ReasonClass::none ? shown.reason_class : classify_reason(reason);
  const std::optional<WallTime> next = message.next_attempt();
  std::string out;
  out.reserve(640);
  JsonWriter json(out);
  json.begin_object().member("id", message.id).member("queue", queue_name(message)).member("state", to_string(message.state));
  json.member("arrived", format_iso8601(message.arrived)).member("size", message.size).member("sender", message.sender);
  json.begin_array("recipients");
  for (const Recipient& r : message.recipients) {
    json.begin_object().member("address", r.address).member("state", to_string(r.state));
    json.text_or_null("reason", &r == &shown ? reason : waiting_reason(message, r, choice.choose(r.address))).end_object();
  }
  json.end_array();
  json.text_or_null("connector", connector == nullptr ? "" : connector->name).text_or_null("link", connector == nullptr ? "" : connector->link);
  json.text_or_null("next_hop", next_hop(connector));
  if (message.foreign) json.null("priority").null("attempts");
  else json.member("priority", priority_name(message.priority)).member("attempts", message.attempts);
  json.text_or_null("next_attempt", next ? format_iso8601(*next) : "");
  const auto expires = connector != nullptr && !message.foreign ? choice.expires(*connector, message.arrived) : std::nullopt;
  json.text_or_null("expires", expires ? format_iso8601(*expires) : "");
  json.text_or_null("reason", reason).text_or_null("reason_class", reason.empty() ? "" : to_string(reason_class));
  json.text_or_null("message_id", message.message_id);
  if (message.foreign) json.text_or_null("subject", message.subject);
  else json.member("subject", message.subject);
  if (message.bytes_done) json.member("bytes_done", *message.bytes_done);
  json.end_object();
  return out;
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
