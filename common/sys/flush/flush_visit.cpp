// SPDX-License-Identifier: MIT
// A visit of a flush to one peer: where it is, what the session moved, what its end says about the connector.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/hours.hpp"
#include "sys/flush/mx_lookup.hpp"
#include "sys/flush/peer_session.hpp"
#include "sys/flush/queue_flush.hpp"
#include "sys/link/link_client.hpp"
#include "sys/local_clock.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kProgressStep(250);
constexpr Duration kDnsPatience(15'000);
constexpr int kNotOpened = 289, kSessionEnded = 1294;   // Exchange's event numbers

}  // namespace

Result<void> QueueFlush::note(const FlushHop& hop, const Error* why, bool opened) {
  const WallTime now = wall_now();
  for (const config::Connector* connector : hop.all) {
    const std::string key = mail::state_key(*connector, hop.domain);
    mail::ConnectorState& state = states_[key];
    if (why == nullptr) {
      if (mail::note_success(state)) LONGLINE_CHECK(spool_.set_connector_state(key, state));
      continue;
    }
    const std::string reason = printable_at_most(why->message(), 400);
    if (opened) mail::note_broken_transfer(state, *connector, reason, now);
    else mail::note_open_failure(state, *connector, reason, now);
    failed_.insert(key);
    LONGLINE_CHECK(spool_.set_connector_state(key, state));
  }
  return {};
}

Result<void> QueueFlush::fail_hop(FlushBatch& batch, const FlushHop& hop, const Error& why, bool opened) {
  const config::Connector& connector = *hop.connector;
  LONGLINE_CHECK(note(hop, &why, opened));
  LONGLINE_CHECK(load_states());
  const config::Connector* next = nullptr;
  const FlushBatch::LetGo moved = batch.hand_over(hop, [&](const std::string& address) {
    const config::Connector* other = choice_.choose(address).connector;
    const bool takes = is_usable(other) && !hop.serves(other, address) && !failed_.contains(mail::state_key(*other, mail::domain_of(address)));
    if (takes) next = other;
    return takes;
  });
  if (next == nullptr) return {};
  Event event{"connector.failover"};
  event.link = connector.link;
  event.connector = connector.name;
  event.text = fmt::format("its retries are spent ({}); {} {} now through connector {}", printable_at_most(why.message(), 300), moved.shares.size(),
                           moved.shares.size() == 1 ? "message goes" : "messages go", next->name);
  event.more.set("next", next->name);
  events_.emit(event);
  observer_.on_note(fmt::format("connector {}: {}", connector.name, event.text));
  distribute(moved);
  return {};
}

void QueueFlush::show_progress() {
  if (!observer_.wants_progress()) return;
  mail::FlushProgress progress;
  progress.done = messages_done_;
  progress.total = std::max(messages_total_, messages_done_);
  progress.bytes_total = std::max(bytes_total_, bytes_done_);
  progress.bytes_done = bytes_done_;
  if (session_ != nullptr) {
    const auto out = static_cast<std::int64_t>(session_->bytes_out());
    progress.bytes_done = std::clamp(bytes_done_before_ + out, bytes_done_, progress.bytes_total);
    progress.rate = out * 1000 / std::max<std::int64_t>((loop_.now() - session_began_).count(), 1);
  }
  observer_.on_progress(progress);
}

void QueueFlush::keep_showing() {
  show_progress();
  if (observer_.wants_progress()) progress_timer_ = loop_.at(loop_.now() + kProgressStep, [this] { keep_showing(); });
}

Result<void> QueueFlush::send_hop(FlushBatch& batch, const FlushHop& hop) {
  const config::Connector& connector = *hop.connector;
  if (!config::within_hours(connector.hours, local_clock()(wall_now()))) {
    const Error closed(Errc::outside_hours, "outside its hours, " + config::format_hours(connector.hours), Stage::policy);
    return batch.give_up(hop, Error(closed).context("connector " + connector.name), false);
  }
  if (connector.protocol == config::Protocol::x400) return associate(batch, hop);
  if (connector.host != "mx") return visit(batch, hop, {peer_address(connector)});
  if (Result<void> up = check_link_up(config_, paths_, connector); !up) return unreachable(batch, hop, std::move(up).error());
  // Where no name server can be reached, the other domains need not wait for that too.
  if (const auto known = no_dns_.find(&connector); known != no_dns_.end()) return unreachable(batch, hop, known->second);
  const Duration patience = end_ ? std::clamp((*end_ - steady_now()) / 2, Duration(0), kDnsPatience) : kDnsPatience;
  Result<Exchangers> found = find_exchangers(connector, hop.domain, connector.helo.empty() ? settings_.host : connector.helo, patience);
  if (!found) {
    if (found.error().sys_errno != 0) no_dns_.emplace(&connector, found.error());
    return unreachable(batch, hop, std::move(found).error());
  }
  if (found->refusal) return batch.refuse(hop, found->refusal->enhanced, found->refusal->text);
  return visit(batch, hop, found->addresses);
}

Result<void> QueueFlush::unreachable(FlushBatch& batch, const FlushHop& hop, Error why) {
  const config::Connector& connector = *hop.connector;
  // The loop, and with it the timer, stood still meanwhile.
  if (end_ && steady_now() >= *end_) ended_by_ = Errc::deadline;
  if (why.code == Errc::interrupted) {
    if (!ended_by_) ended_by_ = Errc::interrupted;
    return batch.give_up(hop, cut_short().context("connector " + connector.name), false);
  }
  const bool link_down = why.code == Errc::link_down;
  why = std::move(why).context("connector " + connector.name);
  if (!link_down) {
    Event event = failure_event("mail.unreachable", kNotOpened, connector.link, why);
    event.connector = connector.name;
    events_.emit(event);
    TransferReport(paths_, connector.link).finish(static_cast<std::int64_t>(batch.due(hop)), 0, connector.name);
    if (!ended_by_) LONGLINE_CHECK(fail_hop(batch, hop, why, false));
  }
  return batch.give_up(hop, ended_by_ ? cut_short() : why, !link_down);
}

/// The connectors whose retrievals go into the hop's session; what turns the line round comes last.
std::vector<const config::Connector*> QueueFlush::heirs_in(const FlushHop& hop) const {
  std::vector<const config::Connector*> heirs;
  if (settings_.heir == nullptr || !hop.domain.empty()) return heirs;
  for (const config::Connector* connector : hop.all) {
    if (in_scope(*connector) && settings_.heir->wants(*connector)) heirs.push_back(connector);
  }
  std::stable_partition(heirs.begin(), heirs.end(), [](const config::Connector* c) { return c->retrieve->by == config::Retrieve::By::etrn; });
  return heirs;
}

Result<void> QueueFlush::hand_on(const std::vector<const config::Connector*>& heirs, std::optional<OpenedSession> session) {
  for (auto heir = heirs.begin(); heir != heirs.end() && session; ++heir) {
    Result<std::optional<OpenedSession>> taken = settings_.heir->take(**heir, std::move(*session), heir + 1 != heirs.end());
    if (!taken && taken.error().code != Errc::interrupted && taken.error().code != Errc::deadline) return taken.error();
    if (!taken && !ended_by_) ended_by_ = taken.error().code;
    session = taken ? std::move(*taken) : std::nullopt;
  }
  // Our timers and signals stood still meanwhile.
  return heirs.empty() ? Result<void>() : loop_.run_once(loop_.now());
}

Result<void> QueueFlush::visit(FlushBatch& batch, const FlushHop& hop, const std::vector<PeerAddress>& addresses) {
  const config::Connector& connector = *hop.connector;
  for (const PeerAddress& address : addresses) {
    const bool last = &address == &addresses.back();
    PeerSession::Observer observer;
    if (observer_.wants_trace()) observer.trace = [this](bool received, std::string_view bytes) { observer_.on_trace(received, bytes); };
    observer.note = [this](const std::string& note) { observer_.on_note(note); };
    PeerSession session(loop_, spool_, config_, paths_, events_, settings_.host, connector, address,
                        {[&](const std::vector<mail::InFlight>& messages) { return batch.mark_in_doubt(messages); },
                         [&](const std::vector<mail::MessageResult>& results) { return batch.record_tried(results); }},
                        std::move(observer));
    LONGLINE_TRY(const std::uint64_t size_limit, session.known_size_limit());
    LONGLINE_CHECK(batch.refuse_too_large(hop, static_cast<std::int64_t>(size_limit)));
    const std::size_t due = batch.due(hop);
    if (due == 0) return {};
    LONGLINE_TRY(const mail::PeerMemory memory, spool_.peer_memory(connector.name, to_string(address), wall_now()));
    allowance_.start_session(memory.known_rate(), memory.round_trip, loop_.now());
    if (batch.holds_back_all(hop) && heirs_in(hop).empty()) {
      return batch.give_up(hop, Error(Errc::messages_left, "nothing fits into what is left", Stage::transfer), true);
    }
    TransferReport report(paths_, connector.link);
    if (Result<void> opened = session.open(end_); !opened) {
      const bool next = !last && opened.error().code == Errc::next_hop_unreachable && !(end_ && steady_now() >= *end_);
      if (next) continue;
      return unreachable(batch, hop, std::move(opened).error());
    }
    allowance_.start_session(memory.known_rate(), memory.round_trip, loop_.now());
    batch.start_hop(hop, settings_.scope.ids.empty());
    const std::vector<const config::Connector*> heirs = heirs_in(hop);
    if (!heirs.empty()) session.keep_open();
    session_ = &session;
    session_began_ = loop_.now();
    bytes_done_before_ = bytes_done_;
    keep_showing();
    Result<mail::SmtpFinished> finished = session.run(batch);
    progress_timer_.reset();
    session_ = nullptr;
    if (!finished) return std::move(finished).error();
    if (const auto failure = batch.source_failure()) return *failure;
    report.finish(static_cast<std::int64_t>(due), static_cast<std::int64_t>(batch.sent_in_hop()), connector.name);
    Event event{"queue.flushed"};
    if (finished->error) event = failure_event("queue.flushed", kSessionEnded, connector.link, *finished->error);
    event.link = connector.link;
    event.connector = connector.name;
    event.more = session.facts();
    event.more.set("due", static_cast<std::int64_t>(due)).set("sent", static_cast<std::int64_t>(batch.sent_in_hop()));
    event.more.set("bytes_out", static_cast<std::int64_t>(session.bytes_out())).set("bytes_in", static_cast<std::int64_t>(session.bytes_in()));
    events_.emit(event);
    const bool moved_nothing = finished->error && batch.answered_in_hop() == 0;
    // Another exchanger may be better disposed.
    if (moved_nothing && !last && !ended_by_) continue;
    Error why = finished->error ? *finished->error : Error(Errc::messages_left, "the session ended before its turn", Stage::transfer);
    why = std::move(why).context("connector " + connector.name);
    if (!moved_nothing) {
      LONGLINE_CHECK(note(hop, nullptr, true));
    } else if (!ended_by_) {
      const bool opened = finished->error->stage != Stage::connect && finished->error->stage != Stage::auth;
      LONGLINE_CHECK(fail_hop(batch, hop, why, opened));
    }
    const auto rest = ended_by_ || finished->error ? FlushBatch::Rest::all : FlushBatch::Rest::but_elsewhere;
    LONGLINE_CHECK(batch.give_up(hop, ended_by_ ? cut_short().context("connector " + connector.name) : why, true, rest));
    return hand_on(heirs, session.take_open());
  }
  return {};
}

}  // namespace longline::sys
