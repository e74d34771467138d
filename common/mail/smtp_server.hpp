// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/time.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

struct SmtpServerOptions {
  std::string host;                         ///< our name: greeting, EHLO reply, Received
  std::vector<std::string> local_domains;   ///< patterns of match_domain(); recipients elsewhere get 550 5.7.1
  std::vector<std::string> relay_domains;   ///< patterns of what is taken though it is not local, to be passed on
  bool relays_all = false;                  ///< this client may send anywhere
  std::string peer;                         ///< for Received: "192.0.2.7", "line"; "" leaves it out
  std::uint64_t size_limit = 100'000'000;   ///< bytes a message; announced
  std::size_t recipient_limit = 1000;       ///< a message; then 452 4.5.3
  std::size_t error_limit = 50;             ///< refused commands in a row, then 421 and the end
  std::size_t hop_limit = 100;              ///< Received fields; more is a loop, 554 5.4.6
  Duration command_timeout = std::chrono::minutes(5);   ///< RFC 5321, 4.5.3.2.7
  Duration session_limit = std::chrono::hours(24);
  WallTime wall_at_start{};                 ///< civil time when start() is called: for Received
  bool dsn = true;                          ///< notices can be sent: DSN is announced
};

/// A message was received whole. Store it durably, then call accept() or refuse(); the machine reads no further before.
struct Deliver {
  std::string sender;                    ///< "" is the null reverse-path
  std::vector<std::string> recipients;   ///< printed form, at least one
  std::string content;                   ///< stored form (message.hpp), with our Received field on top
  bool eight_bit = false;                ///< BODY=8BITMIME, or 8-bit bytes all the same
  bool smtputf8 = false;
  std::string helo;
  std::size_t added = 0;                 ///< bytes of `content` that are our fields
  DsnWishes dsn{};                       ///< RET, ENVID, NOTIFY, ORCPT (RFC 3461)
  int priority = kNormal;                ///< where it is passed on
  std::string transfer{};                ///< names the transfer it came in, so that it is known when that is repeated; "" has no name
};

/// Flush what was written, then close.
struct SmtpServerFinished {
  bool quit = false;          ///< the client said QUIT; otherwise it went away, timed out or was thrown out
  std::string reason;         ///< for the log, one clause
  std::uint64_t messages = 0; ///< accepted
};

using SmtpServerAction = std::variant<Write, Deliver, SmtpServerFinished>;

/// The receiver's side of SMTP. Machine without I/O. Announces PIPELINING, CHUNKING, 8BITMIME, SIZE, SMTPUTF8, DSN and
/// ENHANCEDSTATUSCODES. 250 for a message comes only after accept(); a connection that ends before leaves nothing behind.
///
/// Only CRLF.CRLF ends DATA. A bare LF or CR is data like any other byte until the end of data (or of the last chunk) and then gives the
/// message 550 5.5.2, so neither side of a smuggled ".LF" or "LF.CRLF" is ever taken for a message's end. Command lines may end in
/// LF alone (a person with a terminal).
class SmtpServer {
 public:
  explicit SmtpServer(SmtpServerOptions options);
  SmtpServer(SmtpServer&&) noexcept;
  ~SmtpServer();

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// The answer to Deliver: stored durably, under this id (shown in the reply; may be empty).
  void accept(std::string_view id, TimePoint now);
  /// The answer to Deliver: not stored. 452 for `disk_full`, 554 for permanent ones (Errc::refused), 451 otherwise.
  void refuse(const Error& error, TimePoint now);
  /// The operator wants to stop: 421 at the next command, never within a message that is being stored.
  void stop(TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<SmtpServerAction> next_action();
  /// Between Deliver and its answer: do not read more from the line.
  bool waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace longline::mail
