// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/connector_state.hpp"
#include "mail/peer_memory.hpp"
#include "mail/queue.hpp"
#include "mail/smtp_client.hpp"
#include "sys/process_identity.hpp"
#include "sys/spool/disk_reserve.hpp"
#include "sys/spool/spool_transfers.hpp"
#include "sys/sqlite.hpp"

struct sqlite3_blob;

namespace longline::sys {

/// The queue, and what `receive` took in without a Maildir.
enum class Box { queue = 0, inbox = 1 };

/// The bytes of one stored message, read in pieces. Must not outlive its Spool.
class SpoolBody {
 public:
  std::int64_t size() const { return size_; }
  /// At most `most` bytes from `offset`; "" only at the end.
  Result<std::string> read(std::int64_t offset, std::size_t most);

 private:
  friend class Spool;
  struct Close {
    void operator()(sqlite3_blob* blob) const;
  };
  SpoolBody(const Sqlite& db, sqlite3_blob* blob, std::int64_t size) : db_(&db), blob_(blob), size_(size) {}
  const Sqlite* db_;
  std::unique_ptr<sqlite3_blob, Close> blob_;
  std::int64_t size_;
};

/// What went over a connector, by sender; or, without a sender, over its line as a whole, protocol and all.
struct Traffic {
  std::string connector;                  ///< "": received from whoever called
  std::optional<std::string> sender{};    ///< "" the null sender; "*" those beyond a thousand a day
  std::int64_t messages_out = 0, bytes_out = 0, messages_in = 0, bytes_in = 0;
};

/// What an attempt did to one recipient.
struct RecipientUpdate {
  std::string address;
  mail::RecipientState state = mail::RecipientState::waiting;
  std::string reason;                      ///< escaped
  std::optional<WallTime> next_attempt;
};

/// One result, recorded in one transaction: either all of it is on the disk, or none.
struct MessageUpdate {
  std::string id;
  std::vector<RecipientUpdate> recipients;
  bool counts = false;                     ///< the peer answered: one attempt more
  bool ends = true;                        ///< the flush that has the message lets it go
  std::optional<mail::Submission> notification;   ///< a DSN, queued together with the result
  std::optional<mail::Submission> success_notice{};   ///< another, that it was passed on
  std::string receipt;                     ///< JSON for flushes that wait; "" for none
  std::optional<Traffic> traffic{};
  std::string ends_transfer{};             ///< a connector: its transfer of the message is over
  bool warns = false;                      ///< the notification says that the message is late: once is enough
};

/// A flush's result for one message, as the flush that had the line recorded it.
struct StoredReceipt {
  std::int64_t number = 0;
  std::string id;
  std::string json;
};

/// A file of the drop folder, read.
struct DroppedFile {
  std::string name;
  mail::Submission submission;
  WallTime at{};
};

/// What a message that a peer handed over puts into the spool, at once: copies for inbox and queue, notifications, and what to know it by when
/// it comes again.
struct ReceivedBatch {
  std::vector<mail::Submission> submissions;
  std::vector<std::string> keys;
  std::vector<std::string> forgotten{};   ///< keys that were put in before and are none
  std::optional<Traffic> traffic{};
};

/// The spool: one SQLite file with the messages, their bodies and what became of them (WAL, synchronous=FULL). Every
/// call is one transaction; what it returned is on the disk. Any number of processes may have it open. Errors:
/// disk_full and io with nothing stored, busy when another process held it for 30 s, config when the
/// file is of another version or another program's (it is then not even opened), not_found for an id that is not there.
/// On a full disk nothing can be added, but what makes room (sending, removing) still works, from a reserve beside the file (spool_room.cpp).
class Spool {
 public:
  static constexpr std::int64_t kVersion = 1;
  static constexpr Duration kBusyTimeout{30'000};

  /// Creates the folder (0700) and the file (0600) where they are missing; the file appears complete or not at all.
  /// Messages that a dead flush left in `sending` become ready or in-doubt.
  static Result<Spool> open(const std::string& path);
  /// Creates and changes nothing, works on a read-only file system. A file that is not there is an empty spool.
  static Result<Spool> open_read_only(const std::string& path);

  /// The id of the new message; when it has recipients of both kinds, that of the queued copy.
  Result<std::string> add(const mail::Submission& submission, WallTime now);

  /// All messages of a box, oldest first, as of one moment. The visitor returns false to end.
  Result<void> visit(Box box, const std::function<bool(mail::QueuedMessage&&)>& visitor);
  /// Likewise, from the message `first` to `last`, whether these are there or not.
  Result<void> visit_from_to(Box box, const std::string& first, const std::string& last, const std::function<bool(mail::QueuedMessage&&)>& visitor);
  /// From either box.
  Result<mail::QueuedMessage> find(const std::string& id);
  Result<SpoolBody> open_body(const std::string& id);

  /// hold or release; Errc::busy while it is being sent.
  Result<void> set_held(const std::string& id, bool held);
  /// Forgets deferrals, doubts and what a transfer has come to: the message is ready again.
  Result<void> requeue(const std::string& id);
  Result<void> remove(const std::string& id);
  /// spool_recipients.cpp: takes these out of it, and the message away with the last who waits; what is left is held from now on, or is not. In one
  /// transaction. Errc::busy as with remove().
  Result<void> remove_recipients(const std::string& id, const std::vector<std::string>& recipients, bool held);
  /// Removes it and queues the notification, if there is one, in its place: its id.
  Result<std::optional<std::string>> bounce(const std::string& id, const std::optional<mail::Submission>& notification, WallTime now);

  /// The right to send over `name` ("link:isp", "connector:lan"). nullopt: ours until release_lease() or the end of
  /// this process, otherwise who has it. A lease whose holder does not run any more is taken over.
  Result<std::optional<ProcessIdentity>> take_lease(const std::string& name);
  Result<void> release_lease();
  Result<std::optional<ProcessIdentity>> lease_holder(const std::string& name);

  // spool_traffic.cpp; 400 days are kept:
  Result<void> count_line(const std::string& connector, std::uint64_t bytes_out, std::uint64_t bytes_in, WallTime now);
  /// Whole days, from that of `since` on; the sums by connector, first the line, then senders, most bytes first.
  Result<std::vector<Traffic>> traffic_since(WallTime since);

  /// One transaction for the changes (hold, release, remove, …) that `statements` makes; may run it again from the start. What fails for one message
  /// (not_found, busy) has changed nothing, and need not end it.
  Result<void> together(const std::function<Result<void>()>& statements);

  // With the lease:
  /// Marks messages as being sent. Returns those that are still there, not held, and nobody else's. Nobody changes them from now on, but they may
  /// have changed since they were seen.
  Result<std::vector<std::string>> claim(const std::vector<std::string>& ids);
  Result<void> mark_in_doubt(const std::vector<mail::InFlight>& messages);
  /// The ids of the notifications that were queued. In one transaction where the disk has room for that.
  Result<std::vector<std::string>> record(const std::vector<MessageUpdate>& updates, WallTime now) { return record_all(updates, now); }

  /// Whether a message with these bytes and recipients was imported lately, sent since or not. `digest`: of all of it.
  Result<bool> was_imported(const std::string& digest);
  /// As add(), and remembers the digest, in one transaction. "": that came in before.
  Result<std::string> import(const mail::Submission& submission, const std::string& digest, WallTime now);

  /// Whether another process changed the spool since the last call (at first: yes).
  Result<bool> changed_by_others();

  Result<std::int64_t> last_receipt();
  /// The newest receipt of a message that was in the queue lately.
  Result<std::optional<StoredReceipt>> receipt_of(const std::string& id);
  Result<std::vector<StoredReceipt>> receipts_after(std::int64_t number);

  /// What was learned about a peer, by connector.
  Result<std::optional<mail::SendWindow>> peer_window(const std::string& peer);
  Result<void> set_peer_window(const std::string& peer, const mail::SendWindow& window, WallTime now);
  /// By connector and next hop: what was learned about one host says nothing about another behind the same name.
  Result<mail::PeerMemory> peer_memory(const std::string& peer, const std::string& hop, WallTime now);
  Result<void> set_peer_memory(const std::string& peer, const std::string& hop, const mail::PeerMemory& memory);

  // spool_connectors.cpp:
  /// By mail::state_key(); empty where nothing was ever kept.
  Result<mail::ConnectorStates> connector_states();
  /// All but the time of the last retrieval.
  Result<void> set_connector_state(const std::string& key, const mail::ConnectorState& state);
  /// The next retrieval through this connector is due an `every` after `when`: mail was fetched, or there was none; earlier than now where a
  /// failure is worth another attempt before that.
  Result<void> set_retrieved(const std::string& connector, WallTime when);
  /// Whether its sender was told that it is late. True also where that cannot be kept.
  Result<bool> was_warned(const std::string& id);
  /// What the sender of a message wants to be told.
  Result<mail::DsnWishes> wishes(const std::string& id);

  /// The ids of those that are in now, "" for what was in before. `is_there`: whether the file still has its name, asked under the spool's
  /// lock, in the order of the files.
  Result<std::vector<std::string>> take_dropped(const std::vector<DroppedFile>& files, const std::function<bool(const std::string&)>& is_there);
  Result<std::vector<std::string>> dropped_names();
  /// Those of the names whose file `is_gone`, asked under the spool's lock.
  Result<void> forget_dropped(const std::vector<std::string>& names, const std::function<bool(const std::string&)>& is_gone);

  /// Whether a message with this key came within the last seven days; 50,000 are remembered.
  Result<bool> was_received(const std::string& key, WallTime now);
  /// The ids of the submissions.
  Result<std::optional<std::vector<std::string>>> take_received(const ReceivedBatch& batch, WallTime now);
  /// Whether note_delivered() will find room, whoever fills the disk meanwhile. Errc::disk_full.
  Result<void> prepare_note();
  /// As take_received(), of mail that was delivered elsewhere and cannot be taken back: also from the reserve.
  Result<std::vector<std::string>> note_delivered(const ReceivedBatch& batch, WallTime now);

  // spool_transfers.cpp, what comes; `peer` is a connector:
  Result<std::optional<IncomingTransfer>> incoming_transfer(const std::string& peer, const TransferName& name);
  /// The transfer's number: names come again, and that of two unfinished transfers is neither's from then on. Before its first segment others go that
  /// are beyond `bounds`. Errc::protocol: not the next one, or somebody else goes on with it. Not from the reserve.
  Result<std::int64_t> store_segment(const IncomingSegment& segment, const AgreedSession& session, WallTime now, const TransferBounds& bounds);
  /// It goes on behind a checkpoint, in this session alone and under one more name. Its number.
  Result<std::int64_t> resume_incoming(const TransferName& name, const TransferName& also, std::int64_t serial, const AgreedSession& session);
  /// All bytes up to checkpoint `serial`, the last that this session has stored. Errc::protocol: somebody else goes on with it, or it is gone.
  Result<std::string> incoming_content(std::int64_t transfer, const std::string& session, std::int64_t serial);
  /// It was taken in: only that is remembered, under all its names.
  Result<void> complete_incoming(std::int64_t transfer, WallTime now);
  /// Likewise, for one of which nothing was stored.
  Result<void> note_completed(const TransferName& name, const AgreedSession& session, WallTime now, const TransferBounds& bounds);
  Result<void> drop_incoming(std::int64_t transfer);
  // What goes; by message and connector:
  Result<void> put_outgoing(const OutgoingTransfer& transfer);
  Result<void> confirm_outgoing(const std::string& id, const std::string& connector, std::int64_t serial, std::int64_t bytes, WallTime now);
  Result<std::optional<OutgoingTransfer>> outgoing_transfer(const std::string& id, const std::string& connector);
  Result<void> drop_outgoing(const std::string& id, const std::string& connector);
  // Both:
  /// The session in which something is unfinished; of several the latest. "": any session, any peer. By its name also one that was completed.
  Result<std::optional<AgreedSession>> find_session(const std::string& session, const std::string& peer);
  /// The peer has forgotten it: what is unfinished of it starts anew. If something of it was acknowledged, that is remembered for a week.
  Result<void> forget_session(const AgreedSession& session, WallTime now);

  /// Gives the room of removed messages back to the file system when it is worth it.
  Result<void> trim();

 private:
  Spool() = default;
  Result<SqliteStatement*> statement(const char* sql);
  Result<std::vector<std::int64_t>> running_leases();
  Result<void> drop_dead_leases();
  Result<void> visit_range(Box box, std::int64_t first, std::int64_t last, const std::function<bool(mail::QueuedMessage&&)>& visitor);
  Result<void> visit_rows(const char* sql, std::int64_t parameter,
                          const std::function<bool(mail::QueuedMessage&&)>& visitor);
  // spool_room.cpp:
  /// One transaction, or a part of the one that together() has; on a full disk once more with the reserve.
  Result<void> change(const std::function<Result<void>()>& statements);
  /// Likewise, but never with the reserve, and never without it in its place: what it frees is for what makes room.
  Result<void> add_only(const std::function<Result<void>()>& statements);
  enum class Reserve { leave, keep, spend };
  Result<void> transact(Reserve reserve, const std::function<Result<void>()>& statements);
  Result<void> also_from_reserve(const std::function<Result<void>()>& step);
  Result<std::int64_t> page_count();
  Result<void> vacuum(int pages, Reserve reserve);
  void bound_log();
  void empty_log();
  void make_room();
  void take_back(const Error& failure);
  Result<std::string> insert(const mail::Submission& submission, WallTime now);
  Result<std::string> insert_copy(const mail::Submission& submission, Box box, WallTime now);
  Result<std::vector<std::string>> write_received(const ReceivedBatch& batch, WallTime now);
  Result<std::vector<std::string>> record_all(std::span<const MessageUpdate> updates, WallTime now);
  Result<void> apply(const MessageUpdate& update, WallTime now, std::vector<std::string>& notifications);
  Result<void> insert_wishes(std::int64_t sequence, const mail::Submission& submission, const std::vector<std::string>& recipients);
  Result<void> erase_wishes(std::int64_t sequence);
  Result<void> add_traffic(const Traffic& traffic, WallTime now);
  Result<void> check_free(std::int64_t sequence, const std::string& id);
  Result<void> erase(std::int64_t sequence);
  Result<bool> has_waiting(std::int64_t sequence);
  Result<void> erase_outgoing(std::int64_t sequence, const std::string& connector);   ///< "": of every connector
  Result<void> erase_outgoing_to(std::int64_t sequence, const std::string& recipient);
  Result<std::map<std::int64_t, std::int64_t>> bytes_done();
  Result<std::int64_t> incoming_number(const std::string& peer, const TransferName& name);   ///< 0: none
  Result<void> name_incoming(std::int64_t n, const std::string& peer, const TransferName& name);
  Result<std::int64_t> begin_incoming(const TransferName& name, const AgreedSession& session, WallTime now, const TransferBounds& bounds);
  Result<void> bound_transfers(std::int64_t n, const std::string& peer, WallTime now, const TransferBounds& bounds);
  Result<void> erase_incoming(std::int64_t n);
  /// Spools that no writer of this version has opened lack later tables.
  Result<bool> has_table(std::string_view name);

  std::optional<DiskReserve> reserve_;
  std::unique_ptr<Sqlite> db_;   // null: a spool that is not there, opened to be read; its address is stable for bodies
  std::map<const char*, SqliteStatement> statements_;
  bool is_together_ = false;
  std::int64_t lease_ = 0;       // 0: none
  std::int64_t data_version_ = -1;
};

}  // namespace longline::sys
