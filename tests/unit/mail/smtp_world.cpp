// SPDX-License-Identifier: MIT
#include "unit/mail/smtp_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

namespace longline::mail::test {

void FakeSource::add(std::string id, std::vector<std::string> recipients, std::string content, std::string sender) {
  Outgoing message{id, std::move(sender), std::move(recipients), content.size(), false};
  message.eight_bit = std::any_of(content.begin(), content.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  queue.push_back(std::move(message));
  contents[std::move(id)] = std::move(content);
}

std::optional<Outgoing> FakeSource::next_message() {
  if (given == queue.size()) return std::nullopt;
  return queue[given++];
}

Result<std::string> FakeSource::read_body(const std::string& id, std::uint64_t offset, std::size_t most) {
  const std::string& content = contents.at(id);
  if (id == unreadable && offset * 2 >= content.size()) return Error(Errc::io, "disk gone");
  return content.substr(offset, std::min(most, largest_read));
}

void ClientLog::drain(SmtpClient& client) {
  bool unrecorded = false;
  while (true) {
    auto action = client.next_action();
    if (!action && !std::exchange(unrecorded, false)) return;
    if (!action) {
      if (on_recorded) on_recorded();
      client.on_recorded();
      continue;
    }
    REQUIRE(!finished);
    if (auto* write = std::get_if<Write>(&*action)) {
      REQUIRE(!write->bytes.empty());
      written += write->bytes;
      writes.push_back(write->bytes);
      largest_write = std::max(largest_write, write->bytes.size());
    } else if (auto* mark = std::get_if<MarkInDoubt>(&*action)) {
      for (const InFlight& message : mark->messages) marked.push_back(message.id);
    } else if (auto* result = std::get_if<MessageResult>(&*action)) {
      for (const RecipientResult& r : result->recipients) {
        const bool first = results[result->id].emplace(r.address, r).second;
        REQUIRE_MESSAGE(first, "two results for " << r.address);
        if (r.outcome == Outcome::sent || r.outcome == Outcome::in_doubt) {
          REQUIRE(std::find(marked.begin(), marked.end(), result->id) != marked.end());
        }
      }
      if (result->last) ++last_results[result->id];
      unrecorded = true;
    } else if (std::holds_alternative<StartTls>(*action)) {
      ++tls_starts;
    } else {
      finished = std::get<SmtpFinished>(*action);
    }
  }
}

Outcome ClientLog::outcome(const std::string& id) const {
  const auto found = results.find(id);
  REQUIRE(found != results.end());
  return found->second.begin()->second.outcome;
}

void ServerLog::drain(SmtpServer& server, TimePoint now) {
  while (auto action = server.next_action()) {
    REQUIRE(!finished);
    if (auto* write = std::get_if<Write>(&*action)) {
      written += write->bytes;
    } else if (auto* deliver = std::get_if<Deliver>(&*action)) {
      if (accepts) {
        delivered.push_back(std::move(*deliver));
        server.accept("q" + std::to_string(delivered.size()), now);
      } else {
        server.refuse(Error(Errc::disk_full, "full"), now);
      }
    } else {
      finished = std::get<SmtpServerFinished>(*action);
    }
  }
}

SmtpClientOptions client_options() {
  SmtpClientOptions options;
  options.helo = "here.example";
  return options;
}

SmtpServerOptions server_options() {
  SmtpServerOptions options;
  options.host = "far.example";
  options.local_domains = {"far.example", "*.far.example"};
  options.size_limit = 1'000'000;
  return options;
}

TimePoint at(std::int64_t milliseconds) { return TimePoint(Duration(milliseconds)); }

std::string without_received(std::string_view content) {
  if (content.starts_with("Received:")) content.remove_prefix(content.find("\r\n") + 2);
  return std::string(content);
}

Dialogue::Dialogue(FakeSource& source, SmtpClientOptions options) : client(std::move(options), source) {
  client.start(at(0));
  log.drain(client);
}

std::string Dialogue::hear(std::string_view reply) {
  std::string bytes;
  for (const char c : reply) {
    if (c == '\n') bytes += '\r';
    bytes += c;
  }
  client.on_bytes(bytes, at(++clock));
  log.drain(client);
  client.on_writable(65536, at(clock));
  log.drain(client);
  std::string fresh;
  for (const char c : log.written.substr(shown)) {
    if (c != '\r') fresh += c;
  }
  shown = log.written.size();
  return fresh;
}

}  // namespace longline::mail::test
