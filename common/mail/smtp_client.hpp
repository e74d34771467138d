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
#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/queue.hpp"
#include "mail/smtp_opening.hpp"
#include "mail/smtp_peer.hpp"

namespace longline::mail {

/// One message for the peer. Addresses in printed form.
struct Outgoing {
  std::string id;                       ///< opaque; unique among the messages of one session
  std::string sender;                   ///< "" is the null reverse-path
  std::vector<std::string> recipients;  ///< at least one
  std::uint64_t size = 0;               ///< exact length of the stored form
  bool eight_bit = false;               ///< StoredMessage::eight_bit
  DsnWishes dsn{};                      ///< passed on where the peer knows DSN
};

/// Where the machine gets its work, when it has room for more. What these calls do outside is the driver's.
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  /// The next message to send, now leased by the caller; nullopt: none now. After nullopt asked again when nothing is
  /// under way any more, and a last time before QUIT, so that mail which came meanwhile still goes.
  virtual std::optional<Outgoing> next_message() = 0;
  /// Up to `most` bytes of the stored form from `offset`. Never "" before the end. An error (or fewer bytes than
  /// Outgoing::size) ends the session so that no truncated message can be taken for a whole one.
  virtual Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) = 0;
};

enum class Outcome {
  sent,       ///< 250 for the whole message: the peer is responsible now
  deferred,   ///< 4xx: later
  refused,    ///< 5xx, or cannot be sent to such a peer: never
  in_doubt,   ///< the last byte was handed to the line, and the line ended before the reply
  not_tried,  ///< nothing that could have been accepted was sent
};
std::string_view to_string(Outcome outcome);  ///< "sent", "deferred", "refused", "in-doubt", "not-tried"

struct RecipientResult {
  std::string address;
  Outcome outcome = Outcome::not_tried;
  int code = 0;          ///< of the reply that decided; 0: none came
  std::string enhanced;  ///< "5.1.1", or ""
  std::string text;      ///< the peer's words, or ours; escaped, at most 400 bytes
};

/// Some recipients of one message.
struct InFlight {
  std::string id;
  std::vector<std::string> recipients;
};

/// Make this durable before the next Write leaves: the last bytes of these messages are in it.
struct MarkInDoubt {
  std::vector<InFlight> messages;
  bool ends_packet = false;   ///< that Write ends with a message, and nothing should wait for what follows (see ends_packet())
};

/// What became of some recipients of one message; each recipient of each message taken from the source gets exactly one.
/// Record it before the session goes on, and say so (SmtpClient::on_recorded()); consecutive results may share a commit. `last`: nothing
/// more will come for this id.
struct MessageResult {
  std::string id;
  std::vector<RecipientResult> recipients;
  bool last = true;
  bool peer_notifies = false;   ///< it was told what the sender wants to hear (DSN)
};

/// How much may be unanswered at a time: what the operator risks to send twice. Learned per peer; store it.
struct SendWindow {
  int messages = 1;
  std::int64_t bytes = 16384;  ///< from three messages on; two may be larger
  bool operator==(const SendWindow&) const = default;
};

struct SmtpTraffic {
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
  int round_trips = 0;  ///< from EHLO on, as if every reply came one round trip after its command
};

/// What a session taught about the peer and the line, for the next one.
struct SmtpLessons {
  bool tls_failed = false;          ///< STARTTLS was agreed upon, and the handshake failed
  bool pipelining_failed = false;   ///< the peer hung up on, or did not understand, the first group that it was sent, or a RSET in one
  bool chunking_failed = false;     ///< it announces CHUNKING and does not know BDAT
  bool said_so = false;             ///< one of these was answered: no line that is cut looks like that
  int tried = 0;                    ///< messages whose envelope was answered
  int rejected = 0;                 ///< of these, without a recipient: their bodies were for nothing
  std::int64_t rate = 0;            ///< bytes a second that were answered, at best; 0: too little was sent
  bool rate_is_least = false;       ///< small messages on a fast line: it may be much more
  std::optional<Duration> round_trip{};
};

/// The session is over: QUIT is written (flush it before closing; its reply need not be waited for), or the line is of
/// no more use, or (`open`) somebody else goes on with it. Every result has been given before.
struct SmtpFinished {
  std::optional<Error> error;  ///< absent: all that the source gave was answered
  SendWindow window;           ///< to start with next time
  SmtpTraffic traffic;
  SmtpLessons lessons{};
  bool open = false;           ///< the peer waits for a command: SmtpClientOptions::keep_open, and nothing went wrong
};

struct SmtpClientOptions : SmtpOpeningOptions {
  SendWindow window{};                    ///< as learned last time
  double rejection = 0.02;                ///< the part of messages that the peer refuses before their body, as learned
  std::int64_t rate = 0;                  ///< bytes a second, as learned; 0: not known
  bool pipelining = true;                 ///< false: lock-step whatever the peer announces
  bool chunking = true;                   ///< false: DATA whatever the peer announces
  bool stream = false;                    ///< a byte goes over the line when its turn comes, in no packet: small flights cost nothing
  bool return_headers_only = true;        ///< RET=HDRS where the peer knows DSN: a bounce need not carry the body back
  bool keep_open = false;                 ///< no QUIT at the end: the session is wanted for something else (ETRN, ATRN)
};

using SmtpClientAction = std::variant<Write, StartTls, MarkInDoubt, MessageResult, SmtpFinished>;

/// The sender's side of SMTP over one connection, for many messages (RFC 5321, 2920, 3030, 6152, 1870, 6531, 9422).
/// Machine without I/O; the start is SmtpOpening's. With CHUNKING whole messages are pipelined, `window` of them unanswered (on a
/// stream, the envelope of the next behind the first of all), RSET before each MAIL whose predecessor is not known to have ended well;
/// with PIPELINING alone the body of one message and the envelope of the next share a flight; otherwise lock-step. A 503 makes it send one
/// message at a time from then on.
/// Bytes leave in Writes of at most 64 KiB, and only as many as on_writable() allows: memory stays bounded.
class SmtpClient {
 public:
  /// The source must outlive the machine.
  SmtpClient(SmtpClientOptions options, MessageSource& source);
  SmtpClient(SmtpClient&&) noexcept;
  ~SmtpClient();

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// After StartTls: the line is encrypted, or it could not be.
  void on_secured(TimePoint now);
  void on_tls_failed(const Error& why, TimePoint now);
  /// The driver's buffer can now take `free` bytes (an absolute number; 65536 at the start). Call it when bytes left
  /// for the line, also to extend the deadline of a slow write.
  void on_writable(std::size_t free, TimePoint now);
  /// The results that next_action() gave are recorded. Not before that is the source asked for the last time: what became of a message
  /// may have made another one, a notification.
  void on_recorded();
  /// Take no further messages; answer those under way, then QUIT.
  void stop(TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<SmtpClientAction> next_action();
  /// After SmtpFinished with `open`: goes on behind the last reply.
  SmtpReplyParser take_parser();

  const SmtpPeer& peer() const;
  SmtpTraffic traffic() const;
  /// Bytes that were answered, and how many a second the line carries; 0: not known, or fast.
  struct Answered {
    std::uint64_t bytes = 0;
    std::int64_t rate = 0;
  };
  Answered answered() const;
  /// Messages whose last byte was handed to the line and that have no reply.
  std::size_t in_flight() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace longline::mail
