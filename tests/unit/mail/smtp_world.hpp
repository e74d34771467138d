// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mail/smtp_client.hpp"
#include "mail/smtp_server.hpp"

namespace longline::mail::test {

/// Messages in memory, handed out in order.
class FakeSource : public MessageSource {
 public:
  void add(std::string id, std::vector<std::string> recipients, std::string content, std::string sender = "alice@here.example");
  std::optional<Outgoing> next_message() override;
  Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) override;

  std::vector<Outgoing> queue;
  std::size_t given = 0;
  std::map<std::string, std::string> contents;
  std::string unreadable;        ///< the id of a message whose second half cannot be read
  std::size_t largest_read = 1u << 20;
};

/// What the driver of a client saw.
struct ClientLog {
  std::string written;
  std::vector<std::string> writes;
  std::map<std::string, std::map<std::string, RecipientResult>> results;  ///< by id and recipient
  std::map<std::string, int> last_results;                                ///< how often `last` came
  std::vector<std::string> marked;                                        ///< ids, in order
  std::optional<SmtpFinished> finished;
  std::size_t largest_write = 0;
  int tls_starts = 0;
  std::function<void()> on_recorded;                                      ///< what recording a result leads to

  /// Drains the client; checks that every message is marked before its last byte is in `written`.
  void drain(SmtpClient& client);
  Outcome outcome(const std::string& id) const;
};

/// What the driver of a server stored.
struct ServerLog {
  std::string written;
  std::vector<Deliver> delivered;
  std::optional<SmtpServerFinished> finished;
  bool accepts = true;

  void drain(SmtpServer& server, TimePoint now);
};

SmtpClientOptions client_options();
SmtpServerOptions server_options();
TimePoint at(std::int64_t milliseconds);
/// Without the Received field that our server puts on top.
std::string without_received(std::string_view content);

/// A client that is fed what the test writes: lines as a person would type them.
struct Dialogue {
  explicit Dialogue(FakeSource& source, SmtpClientOptions options = client_options());
  /// The client gets `reply` ('\n' becomes CRLF); returns what it wrote since, CRLF as '\n'.
  std::string hear(std::string_view reply);
  SmtpClient client;
  ClientLog log;
  std::size_t shown = 0;
  std::int64_t clock = 0;
};

}  // namespace longline::mail::test
