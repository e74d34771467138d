// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/x400/rts_world.hpp"
#include "x400/acse.hpp"
#include "x400/mts_bind.hpp"
#include "x400/presentation.hpp"
#include "x400/rts.hpp"
#include "x400/rtse.hpp"
#include "x400/session.hpp"

/// A peer that is only a session machine and what a test makes it do, opposite one Rts.
namespace longline::x400::test {

class Foreign {
 public:
  /// `calls`: the foreign side is the initiator.
  Foreign(Site& site, bool calls, std::function<void(RtsOptions&)> adapt = {}) : site_(site) {
    SessionOptions options;
    options.transport.initiator = calls;
    session.emplace(options);
    RtsOptions ours;
    ours.initiator = !calls;
    ours.peer = site.peer;
    ours.reference = "reference-ours";
    ours.lifetime = Duration(15000);
    if (adapt) adapt(ours);
    rts.emplace(ours, site);
  }

  /// The bind of a peer that the site expects.
  TransferOpen open_request() const {
    TransferOpen open{15, 3, 1, {}};
    open.connection.open = encode_bind_argument(MtsNames{site_.peer.peer_name, site_.peer.peer_password});
    return open;
  }
  static ConnectPpdu connect_with(const TransferOpen& open, std::string_view application = kMtsTransferContext, std::int64_t first = 1) {
    ConnectPpdu connect;
    const std::vector<std::string> ber{std::string(kBerSyntax)};
    connect.contexts = {{first, std::string(kAcseSyntax), ber}, {first + 2, std::string(kRtseSyntax), ber}, {first + 4, std::string(kMtseSyntax), ber}};
    connect.user_data = {{first, encode_acse(AssociateRequest{std::string(application), AssociationData{first + 2, encode_open(open)}})}};
    return connect;
  }
  std::string accept_data(TransferAccept accept) const {
    if (accept.connection.open.empty() && !accept.connection.recover) {
      accept.connection.open = encode_bind_result(MtsNames{site_.peer.peer_name, site_.peer.peer_password});
    }
    AcceptPpdu ppdu;
    ppdu.results.assign(3, ContextResult{0, std::string(kBerSyntax), {}});
    ppdu.user_data = {{1, encode_acse(AssociateResponse{std::string(kMtsTransferContext), 0, false, 0, AssociationData{3, encode_open_accept(accept)}})}};
    return encode_accept(ppdu);
  }

  /// Calls, and waits for the answer.
  void call(std::string user_data) {
    ConnectRequest request;
    request.references.user = std::string("\x14\x03" "poc", 5);
    request.references.common = std::string("\x17\x0d" "261122231051Z", 15);
    request.user_data = std::move(user_data);
    (void)session->connect(request);
    start();
  }
  void call() { call(encode_connect(connect_with(open_request()))); }
  /// Is called, and accepts with these sizes.
  void answer(TransferAccept accept = TransferAccept{15, 3, {}}) {
    start();
    (void)session->accept({}, accept_data(std::move(accept)));
    run();
  }
  void start() {
    session->start(now);
    rts->start(now);
    run();
  }

  /// A transfer's segment and the checkpoint behind it.
  void segment(std::string_view bytes, bool last = false) {
    (void)session->send_data(encode_segment(3, bytes));
    if (last) {
      (void)session->end_activity();
    } else {
      (void)session->minor_sync();
    }
  }

  /// Until nothing moves.
  void run() {
    bool moved = true;
    while (moved) {
      moved = false;
      while (auto action = session->next_action()) {
        moved = true;
        if (auto* write = std::get_if<Write>(&*action)) {
          rts->on_bytes(write->bytes, now);
        } else {
          if (on_action) on_action(*action);
          if (auto* over = std::get_if<SessionFinished>(&*action)) ended = *over;
          seen.push_back(std::move(*action));
        }
      }
      while (auto action = rts->next_action()) {
        moved = true;
        if (auto* write = std::get_if<Write>(&*action)) {
          session->on_bytes(write->bytes, now);
          rts->on_writable(65536, now);
        } else {
          site_.carry_out(*action);
          kinds.push_back(action->index());
        }
      }
      if (site_.finished && !ended) {
        moved = true;
        session->on_closed(now);
      }
      if (ended && !site_.finished && !moved) {
        moved = true;
        rts->on_closed(now);
      }
    }
  }
  void raw(std::string_view bytes) {
    rts->on_bytes(bytes, now);
    run();
  }
  /// Time passes for our side, as far as it has deadlines; at most so many.
  void pass(int deadlines = 1) {
    for (int i = 0; i < deadlines; ++i) {
      const auto due = rts->deadline();
      if (!due) return;
      now = std::max(now, *due);
      rts->on_time(now);
      run();
    }
  }

  template <class Action>
  int count() const {
    return static_cast<int>(std::count_if(seen.begin(), seen.end(), [](const SessionAction& one) { return std::holds_alternative<Action>(one); }));
  }
  template <class Action>
  const Action& last() const {
    const auto found = std::find_if(seen.rbegin(), seen.rend(), [](const SessionAction& one) { return std::holds_alternative<Action>(one); });
    return std::get<Action>(*found);
  }

  TimePoint now{};
  std::optional<Session> session;
  std::optional<Rts> rts;
  std::vector<SessionAction> seen;
  std::optional<SessionFinished> ended{};
  std::vector<std::size_t> kinds;                       ///< of our actions, but Writes
  std::function<void(SessionAction&)> on_action;

 private:
  Site& site_;
};

/// A site that has met the foreign MTA before.
struct Met {
  Met() {
    site.peer.peer_name = "POC";
    site.peer.peer_password = Secret("poc-secret");
  }
  Site site{"SITE7"};
};

}  // namespace longline::x400::test
