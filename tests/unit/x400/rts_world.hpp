// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "x400/rts.hpp"

/// Two ends of an association in memory, each with a store that survives the machine. Simulated time; nothing sleeps.
namespace longline::x400::test {

/// One MTA: what it has to send, what it has taken, and what its store holds. Nothing here is lost when an association ends.
class Site : public RtsHost {
 public:
  struct Outgoing {
    OutgoingTransfer transfer;
    std::string content;
    bool leased = false;
    bool sent = false;
    std::optional<Error> failed{};
  };
  struct Partial {
    std::vector<std::string> segments;
    std::uint64_t bytes() const {
      std::uint64_t sum = 0;
      for (const std::string& one : segments) sum += one.size();
      return sum;
    }
  };

  explicit Site(std::string name) {
    peer.our_name = std::move(name);
    peer.our_password = Secret("secret-" + peer.our_name);
    peer.checkpoint_size = 15;
    peer.window = 3;
  }
  void expects(const Site& other) {
    peer.peer_name = other.peer.our_name;
    peer.peer_password = other.peer.our_password;
  }
  void add(const std::string& id, std::string content, TransferPriority priority = TransferPriority::normal) {
    Outgoing one;
    one.transfer = OutgoingTransfer{id, content.size(), priority, {}};
    one.content = std::move(content);
    queue.push_back(id);
    outgoing.emplace(id, std::move(one));
  }

  // RtsHost
  std::optional<OutgoingTransfer> next_transfer() override {
    ++asked;
    for (const std::string& id : queue) {
      Outgoing& one = outgoing.at(id);
      if (one.leased || one.sent) continue;
      one.leased = true;
      return one.transfer;
    }
    return std::nullopt;
  }
  Result<std::string> read(const std::string& id, std::uint64_t offset, std::size_t most) override {
    if (unreadable) return Error(Errc::io, "the disk is gone");
    return outgoing.at(id).content.substr(offset, std::min<std::size_t>(most, 10000));
  }
  std::optional<IncomingState> find_incoming(const TransferKey& key) override {
    const TransferKey real = resolve(key);
    if (completed.contains(real)) return IncomingState{true, 0, 0};
    const auto found = partial.find(real);
    if (found == partial.end()) return std::nullopt;
    return IncomingState{false, static_cast<std::uint32_t>(found->second.segments.size()), found->second.bytes()};
  }
  Result<RtsPeer> find_peer(std::string_view name) override {
    called_by = name;
    if (no_peer) return *no_peer;
    return peer;
  }
  std::optional<Recovery> find_session(const SessionId& id) override {
    if (!knows(id)) return std::nullopt;
    return Recovery{peer, peer.peer_name, sessions.at(id).checkpoint_size};
  }

  /// Some transfer of it is unfinished, or was completed: its sender may not know.
  bool knows(const SessionId& id) const {
    if (!sessions.contains(id)) return false;
    const bool complete = std::any_of(completed.begin(), completed.end(), [&](const TransferKey& key) { return key.session == id; }) ||
                          std::any_of(names.begin(), names.end(), [&](const auto& one) { return one.first.session == id && completed.contains(one.second); });
    return complete || has_unfinished(id);
  }
  bool has_unfinished(const SessionId& id) const {
    for (const auto& [name, one] : outgoing) {
      if (!one.sent && one.transfer.progress && (one.transfer.progress->latest == id || one.transfer.progress->key.session == id)) return true;
    }
    const auto of_session = [&](const TransferKey& key) { return key.session == id; };
    for (const auto& [key, content] : partial) {
      if (of_session(key)) return true;
    }
    for (const auto& [also, key] : names) {
      if (of_session(also) && partial.contains(key)) return true;
    }
    return false;
  }
  /// What an initiator asks to recover.
  std::optional<RecoverableSession> to_recover() const {
    for (const auto& [name, one] : outgoing) {
      if (one.sent || !one.transfer.progress) continue;
      const SessionId& id = one.transfer.progress->latest;
      if (sessions.contains(id)) return RecoverableSession{id, sessions.at(id).checkpoint_size, sessions.at(id).window, true};
    }
    for (auto it = session_order.rbegin(); it != session_order.rend(); ++it) {
      if (has_unfinished(*it)) return RecoverableSession{*it, sessions.at(*it).checkpoint_size, sessions.at(*it).window, false};
    }
    return std::nullopt;
  }
  void forget_progress() {
    for (auto& [name, one] : outgoing) one.transfer.progress.reset();
  }
  void forget_incoming() {
    partial.clear();
    completed.clear();
    names.clear();
  }

  /// Carries out what is not a Write.
  void carry_out(const RtsAction& action) {
    if (const auto* bound = std::get_if<Bound>(&action)) {
      binds.push_back(*bound);
      sessions[bound->session] = *bound;
      session_order.push_back(bound->session);
    } else if (const auto* started = std::get_if<TransferStarted>(&action)) {
      outgoing.at(started->id).transfer.progress = started->progress;
    } else if (const auto* confirmed = std::get_if<TransferConfirmed>(&action)) {
      Outgoing& one = outgoing.at(confirmed->id);
      one.transfer.progress->serial = confirmed->serial;
      confirmations.push_back(*confirmed);
    } else if (const auto* sent = std::get_if<TransferSent>(&action)) {
      outgoing.at(sent->id).sent = true;
    } else if (const auto* failed = std::get_if<TransferFailed>(&action)) {
      Outgoing& one = outgoing.at(failed->id);
      one.failed = failed->error;
      if (!failed->resumable) one.transfer.progress.reset();
    } else if (const auto* store = std::get_if<StoreSegment>(&action)) {
      Partial& one = partial[resolve(store->key)];
      if (store->first) {
        one.segments.clear();
        completed.erase(resolve(store->key));
      }
      if (one.segments.size() + 1 != store->serial) misordered = true;
      one.segments.push_back(store->bytes);
    } else if (const auto* resume = std::get_if<ResumeIncoming>(&action)) {
      partial.at(resolve(resume->key)).segments.resize(resume->serial);
      names[resume->also] = resolve(resume->key);
    } else if (const auto* complete = std::get_if<TransferComplete>(&action)) {
      const TransferKey key = resolve(complete->key);
      if (partial.at(key).segments.size() != complete->segments) misordered = true;
      std::string whole;
      for (const std::string& one : partial.at(key).segments) whole += one;
      delivered.push_back(std::move(whole));
      partial.erase(key);
      completed.insert(key);
    } else if (const auto* discard = std::get_if<DiscardIncoming>(&action)) {
      partial.erase(resolve(discard->key));
      ++discarded;
    } else if (const auto* over = std::get_if<RtsFinished>(&action)) {
      finished = *over;
    }
  }

  RtsPeer peer;
  std::optional<Error> no_peer{};
  bool unreadable = false;
  std::vector<std::string> queue;
  std::map<std::string, Outgoing> outgoing;
  std::map<TransferKey, Partial> partial;
  std::set<TransferKey> completed;
  std::map<TransferKey, TransferKey> names;
  std::map<SessionId, Bound> sessions;
  std::vector<SessionId> session_order;
  std::vector<std::string> delivered;
  // What was seen
  std::string called_by;
  std::vector<Bound> binds;
  std::vector<TransferConfirmed> confirmations;
  std::optional<RtsFinished> finished{};
  int asked = 0;
  int discarded = 0;
  bool misordered = false;

 private:
  TransferKey resolve(const TransferKey& key) const {
    const auto found = names.find(key);
    return found == names.end() ? key : found->second;
  }
};

/// One association between two sites. `a` is the initiator.
class Association {
 public:
  /// How much of what one side writes the other sees before its own bytes go the other way.
  enum class Flow { by_write, all_at_once };

  Association(Site& a, Site& b, int number, Flow flow = Flow::by_write, std::function<void(RtsOptions&)> adapt = {})
      : ends_{End{a, b}, End{b, a}}, flow_(flow) {
    RtsOptions options;
    options.peer = a.peer;
    options.reference = "reference-" + a.peer.our_name + std::to_string(number);
    options.started = WallTime(std::chrono::seconds(1'795'000'000 + number));
    options.recover = a.to_recover();
    options.lifetime = Duration(15000);
    if (adapt) adapt(options);
    a.finished.reset();
    b.finished.reset();
    recovering = options.recover.has_value();
    RtsOptions answering = options;
    answering.initiator = false;
    answering.recover.reset();
    answering.peer = {};
    ends_[0].machine.emplace(options, a);
    ends_[1].machine.emplace(answering, b);
    // The leases of an earlier process are over.
    for (auto& [id, one] : a.outgoing) one.leased = false;
    for (auto& [id, one] : b.outgoing) one.leased = false;
  }

  /// Cut behind so many bytes from `side` (0: the initiator), with what is under way then lost. A cut within a Write lets its beginning through.
  void cut_behind(int side, std::uint64_t bytes) { cut_side_ = side, cut_at_ = bytes; }
  /// `side` dies with its machine when it has carried out so many actions. `arrives`: what it wrote before still does.
  void crash_behind(int side, int actions, bool arrives) { crash_side_ = side, crash_at_ = actions, arrives_ = arrives; }

  /// Until both machines are finished, or nothing moves any more with all deadlines passed `patience` times.
  void run(int patience = 50) {
    ends_[0].machine->start(now);
    ends_[1].machine->start(now);
    while (!over_) {
      drain(0);
      drain(1);
      if (over_ || (done(0) && done(1))) break;
      if (move()) continue;
      if (--patience < 0 || !pass_time()) break;
    }
  }

  Rts& machine(int side) { return *ends_[side].machine; }
  bool done(int side) const { return ends_[side].done; }
  bool was_cut() const { return over_; }
  std::uint64_t written(int side) const { return ends_[side].written; }
  /// Offsets in the bytes of `side` behind each of its Writes.
  const std::vector<std::uint64_t>& boundaries(int side) const { return ends_[side].boundaries; }
  const std::string& transcript(int side) const { return ends_[side].transcript; }
  int actions(int side) const { return ends_[side].actions; }
  std::uint64_t user_bytes(int side) const { return ends_[side].machine ? ends_[side].machine->traffic().user_out : ends_[side].user_out; }

  TimePoint now{};
  bool recovering = false;
  bool keep_transcript = false;
  /// Asked of each action before it is carried out; false: not carried out, and the machine is told.
  std::function<bool(int side, const RtsAction&)> before;

 private:
  struct End {
    Site& site;
    Site& other;
    std::optional<Rts> machine{};
    std::deque<std::string> out{};   ///< under way to the other
    std::uint64_t written = 0;       ///< bytes that arrived there
    std::vector<std::uint64_t> boundaries{};
    std::string transcript{};
    std::uint64_t user_out = 0;
    int actions = 0;
    bool done = false;
    bool told = false;               ///< the other's end
  };

  void drain(int side) {
    End& end = ends_[side];
    while (!over_ && !end.done) {
      auto action = end.machine->next_action();
      if (!action) return;
      if (before && !before(side, *action)) {
        end.machine->fail(Error(Errc::disk_full, "no room"), now);
        continue;
      }
      ++end.actions;
      if (auto* write = std::get_if<Write>(&*action)) {
        if (keep_transcript) end.transcript += write->bytes;
        end.out.push_back(std::move(write->bytes));
        end.machine->on_writable(65536, now);
      } else {
        end.site.carry_out(*action);
        end.done = std::holds_alternative<RtsFinished>(*action);
      }
      if (side == crash_side_ && end.actions == crash_at_) {
        crash(side);
        return;
      }
    }
  }

  /// The process dies; the other side sees the line end, with or without what was under way.
  void crash(int side) {
    over_ = true;
    End& end = ends_[side];
    end.user_out = end.machine->traffic().user_out;
    end.machine.reset();
    end.done = true;
    for (std::string& bytes : end.out) {
      if (!arrives_ || ends_[1 - side].done) break;
      ends_[1 - side].machine->on_bytes(bytes, now);
      carry_out_all(1 - side);
    }
    close(1 - side);
  }
  void cut() {
    over_ = true;
    close(0);
    close(1);
  }
  void close(int side) {
    End& end = ends_[side];
    if (end.done) return;
    end.machine->on_closed(now);
    carry_out_all(side);
  }
  /// Of a side whose words reach nobody.
  void carry_out_all(int side) {
    End& end = ends_[side];
    while (auto action = end.machine->next_action()) {
      if (std::holds_alternative<Write>(*action)) continue;
      end.site.carry_out(*action);
      if (std::holds_alternative<RtsFinished>(*action)) end.done = true;
    }
  }

  bool move() {
    for (int side : {0, 1}) {
      End& from = ends_[side];
      End& to = ends_[1 - side];
      if (from.out.empty()) {
        if (from.done && !to.done && !to.told) {
          to.told = true;
          to.machine->on_closed(now);
          return true;
        }
        continue;
      }
      do {
        std::string bytes = std::move(from.out.front());
        from.out.pop_front();
        const bool last = side == cut_side_ && from.written + bytes.size() >= cut_at_;
        if (last) bytes.resize(cut_at_ - from.written);
        from.written += bytes.size();
        if (!last) from.boundaries.push_back(from.written);
        if (!to.done && !bytes.empty()) {
          to.machine->on_bytes(bytes, now);
          drain(1 - side);
        }
        if (last && !over_) cut();
      } while (flow_ == Flow::all_at_once && !over_ && !from.out.empty());
      return true;
    }
    return false;
  }

  bool pass_time() {
    std::optional<TimePoint> first;
    for (End& end : ends_) {
      if (end.done) continue;
      const auto due = end.machine->deadline();
      if (due && (!first || *due < *first)) first = due;
    }
    if (!first) return false;
    now = std::max(now, *first);
    for (End& end : ends_) {
      if (!end.done) end.machine->on_time(now);
    }
    return true;
  }

  End ends_[2];
  Flow flow_;
  int cut_side_ = -1;
  std::uint64_t cut_at_ = 0;
  int crash_side_ = -1;
  int crash_at_ = 0;
  bool arrives_ = false;
  bool over_ = false;
};

/// Bytes that are all different enough for a lost or repeated kilobyte to show.
inline std::string content_of(std::size_t size, std::uint32_t seed = 1) {
  std::string out(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& c : out) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return out;
}

/// Two sites that expect each other, and one association at a time.
struct Pair {
  Pair() {
    a.expects(b);
    b.expects(a);
  }
  Association& prepare(std::function<void(RtsOptions&)> adapt = {}, Association::Flow flow = Association::Flow::by_write) {
    association.emplace(a, b, ++calls, flow, std::move(adapt));
    association->keep_transcript = true;
    return *association;
  }
  /// From the call until both ends have finished.
  void call(std::function<void(RtsOptions&)> adapt = {}) {
    prepare(std::move(adapt)).run();
    REQUIRE(a.finished);
    REQUIRE(b.finished);
  }
  Site a{"SITE7"};
  Site b{"HUB"};
  int calls = 0;
  std::optional<Association> association;
};

}  // namespace longline::x400::test
