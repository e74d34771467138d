// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mail/smtp_client.hpp"
#include "mail/smtp_reply.hpp"
#include "mail/smtp_transaction.hpp"

namespace longline::mail {

/// The parts of SmtpClient: smtp_client.cpp opens the session and reads replies, smtp_client_writer.cpp writes, smtp_client_results.cpp
/// judges and ends.
struct SmtpClient::Impl {
  enum class Phase { idle, opening, running, finished };
  enum class Expected { noop, rset, mail, recipient, data, chunk, end_of_data, rset_behind };
  struct Expect {
    Expected what;
    std::shared_ptr<Transaction> transaction;
    std::size_t recipient = 0;
    bool last_chunk = false;
    std::uint64_t sent_up_to = 0;  ///< traffic.bytes_out with this command
  };

  Impl(SmtpClientOptions o, MessageSource& s) : options(std::move(o)), source(s), opening(options), window(options.window) {}

  // Session (smtp_client.cpp)
  void take_replies(TimePoint now);
  void pass_on_opening(TimePoint now);
  void begin_session(SmtpOpened&& opened, TimePoint now);
  void take_reply(SmtpReply reply, TimePoint now);
  void take_unexpected(const SmtpReply& reply);
  bool fits(const SmtpReply& reply, Expected what) const;
  bool only_lacks_confirmation();
  void end_out_of_step(const SmtpReply& reply);
  void take_data_reply(Transaction& transaction, SmtpReply reply);
  void end_without_chunking();
  void count_round_trip(std::uint64_t answered);
  std::optional<TimePoint> deadline() const;

  // Results and the end (smtp_client_results.cpp)
  void complete(const std::shared_ptr<Transaction>& transaction, TimePoint now);
  bool try_again(const std::shared_ptr<Transaction>& transaction);
  void count_envelope(const Transaction& transaction);
  void requeue_recipients(Transaction& transaction, std::vector<RecipientResult>& results);
  void report(const Transaction& transaction, std::vector<RecipientResult> results);
  void give(MessageResult result);
  void learn(const Transaction& transaction, TimePoint now);
  std::size_t in_flight() const;
  void blame_group();
  /// Gives every message that is under way its result, then Finished.
  void end(std::optional<Error> error);
  void quit();
  void leave_open();

  // Writer (smtp_client_writer.cpp)
  void pump(TimePoint now);
  bool begin_next(TimePoint now);
  bool has_room() const;
  bool may_begin(const Transaction& next) const;
  std::shared_ptr<Transaction> fetch();
  std::shared_ptr<Transaction> prepare(Outgoing message);
  Result<std::string> read_whole(const Outgoing& message);
  bool make_sendable(Transaction& transaction);
  /// Results that follow from the EHLO reply alone. A line that is cut can end that reply too early ("SIZE 10"), so they count only when
  /// the peer has answered something behind it.
  void judge(MessageResult result);
  void make_sure();
  bool write_step(TimePoint now);
  bool write_command(std::string_view command, Expect expect);
  bool write_data_command();
  bool write_chunk_header(TimePoint now);
  bool write_body();
  void give_up_unreadable(Error error);
  bool write_end();
  bool write_rset_behind();
  bool must_hold_body(const Transaction& transaction) const;
  bool is_probing(const Transaction& transaction) const;
  void leave_current(TimePoint now);
  bool put(std::string_view bytes);
  void flush(bool ends_packet = false);
  bool is_slow() const { return round_trip && *round_trip >= Duration(500); }
  bool ends_packet(const Transaction& transaction) const;
  std::size_t room() const { return free > chunk.size() ? free - chunk.size() : 0; }
  bool in_order() const { return !peer.pipelining || !options.pipelining || lock_step; }

  SmtpClientOptions options;
  MessageSource& source;
  SmtpOpening opening;
  SmtpReplyParser parser;
  SmtpPeer peer;
  SendWindow window;
  SmtpTraffic traffic;
  SmtpLessons lessons;
  Phase phase = Phase::idle;

  std::deque<SmtpClientAction> actions;
  std::deque<Expect> expected;
  std::shared_ptr<Transaction> current;                   ///< being written; also in `under_way`
  std::deque<std::shared_ptr<Transaction>> under_way;     ///< begun, no result yet
  std::deque<std::shared_ptr<Transaction>> waiting;       ///< taken from the source, not begun
  std::string chunk;                                      ///< collected for the next Write
  std::vector<InFlight> last_bytes_in_chunk;
  std::size_t free = 65536;                               ///< what the driver can take, `chunk` included
  std::size_t begun = 0;                                  ///< transactions in this session
  bool source_dry = false;
  bool stopping = false;
  bool use_chunking = false;
  bool careful = false;                                   ///< a 503 came: one message at a time
  bool lock_step = false;                                 ///< another one came: one command at a time
  bool hung_up = false;                                   ///< the connection ended by itself
  bool heard = false;                                     ///< a reply came behind that to EHLO
  std::vector<MessageResult> verdicts;                    ///< until then
  bool unrecorded = false;                                ///< results were given that the driver has not recorded yet
  bool out_of_step = false;                               ///< replies came that belong to no command: which is whose nobody knows
  bool understood = false;                                ///< a command of a transaction was taken
  bool transaction_open = false;                          ///< at the peer, as far as we know: RSET before MAIL

  TimePoint clock{};                                      ///< of the latest input
  TimePoint last_progress{};                              ///< bytes left, or a reply came
  std::uint64_t answered_up_to = 0;                       ///< bytes_out of the last answered command
  // What the line can do, for the window
  std::optional<Duration> round_trip;
  double best_rate = 0;                                   ///< answered bytes a second
  double line_rate = 0;                                   ///< likewise, of what took so long that it tells how fast the line is
  int samples = 0;
  std::uint64_t round_trip_mark = 0;                      ///< bytes_out when the round trip under way began
};

}  // namespace longline::mail
