// SPDX-License-Identifier: MIT
#include "sys/queue/listed_messages.hpp"

#include <map>
#include <optional>

#include "mail/message.hpp"

namespace longline::sys {

using mail::QueuedMessage;

Result<QueuedMessage> find_listed(mail::QueueBackend& queue, const std::string& id) {
  std::optional<QueuedMessage> found;
  LONGLINE_CHECK(queue.visit([&](QueuedMessage&& message) {
    if (message.id == id) found = std::move(message);
    return !found;
  }));
  if (!found) return mail::not_in_queue(id);
  return std::move(*found);
}

void add_header_fields(mail::QueueBackend& queue, QueuedMessage& message) {
  constexpr std::size_t kHeader = 64 * 1024;
  std::string head;
  const Result<void> read = queue.read(message.id, [&](std::string_view piece) {
    head += piece.substr(0, kHeader - head.size());
    return head.size() < kHeader && head.find("\r\n\r\n") == std::string::npos;
  });
  if (!read) return;
  message.message_id = mail::header_field(head, "Message-ID").value_or("");
  message.subject = mail::header_field(head, "Subject").value_or("");
}

Result<Recheck> Recheck::of(mail::QueueBackend& queue, const std::vector<mail::SeenMessage>& as_seen) {
  std::map<std::string, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < as_seen.size(); ++i) places[as_seen[i].id].push_back(i);
  Recheck out;
  out.states.reserve(as_seen.size());
  out.results.reserve(as_seen.size());
  for (const mail::SeenMessage& message : as_seen) {
    out.states.push_back(message.state);
    out.results.emplace_back(mail::not_in_queue(message.id));
  }
  std::size_t left = as_seen.size();
  LONGLINE_CHECK(queue.visit([&](QueuedMessage&& message) {
    const auto found = places.find(message.id);
    if (found == places.end()) return true;
    for (const std::size_t i : found->second) {
      out.results[i] = mail::is_same_message(as_seen[i], message) ? Result<void>() : Result<void>(mail::changed_meanwhile(message.id));
      out.states[i] = message.state;
    }
    left -= found->second.size();
    return left > 0;
  }));
  return out;
}

bool CrlfSink::feed(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 32 + 16);
  for (const char c : bytes) {
    if (c == '\n' && last_ != '\r') out += '\r';
    out += c;
    last_ = c;
  }
  wanted_ = wanted_ && sink_(out);
  return wanted_;
}

void CrlfSink::finish() {
  if (wanted_ && last_ != '\n') sink_("\r\n");
}

}  // namespace longline::sys
