// SPDX-License-Identifier: MIT
#include "sys/x400/x400_responder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/hours.hpp"
#include "sys/local_clock.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"
#include "sys/x400/transfer_names.hpp"

namespace longline::sys {
namespace {

constexpr Duration kLookAgainAtPeers(5'000);
constexpr int kCredentials = 48, kRemoteRefused = 1293;   // Exchange's event numbers

}  // namespace

X400Responder::X400Responder(Loop& loop, const config::Config& config, const StatePaths& paths, EventSink& events, std::unique_ptr<ByteStream> line,
                             Settings settings, Ended ended)
    : loop_(loop), config_(config), paths_(paths), events_(events), settings_(std::move(settings)), ended_(std::move(ended)) {
  x400::RtsOptions options;
  options.initiator = false;
  options.reference = random_name();
  options.started = wall_now();
  if (settings_.idle) {
    for (Duration* patience : {&options.opening, &options.acknowledgement, &options.piece, &options.silence}) *patience = std::min(*patience, *settings_.idle);
  }
  Association::Handlers handlers;
  handlers.find_peer = [this](std::string_view name) { return find_peer(name); };
  handlers.find_session = [this](const x400::SessionId& id) { return find_session(id); };
  handlers.on_bound = [this](const x400::Bound& agreed) { return bound(agreed); };
  handlers.on_ended = [this](const x400::RtsFinished& end) { on_ended(end); };
  association_ = std::make_unique<Association>(loop_, std::move(line), std::move(options), std::move(handlers));
}

Result<Spool*> X400Responder::spool() {
  if (!spool_) {
    LONGLINE_TRY(Spool opened, Spool::open(paths_.spool));
    spool_.emplace(std::move(opened));
  }
  return &*spool_;
}

void X400Responder::tell_refusal(const Error& error, int id) {
  told_ = true;
  Event event = failure_event("mail.caller-refused", id, "", error);
  if (connector_ != nullptr) {
    event.connector = connector_->name;
    event.link = connector_->link;
  }
  event.more.set("caller", settings_.caller.shown);
  events_.emit(event);
}

// ---- who calls

Result<x400::RtsPeer> X400Responder::find_peer(std::string_view name) {
  if (!may_call_) may_call_ = callers_connectors(config_, settings_.caller);
  const X400Match match = match_caller(config_, *may_call_, settings_.caller, name);
  if (match.refusal) {
    tell_refusal(match.refusal->error, match.refusal->id);
    return match.refusal->error;
  }
  connector_ = match.connector;
  std::optional<Error> busy;
  if (settings_.why_busy) busy = settings_.why_busy(*connector_);
  if (!config::within_hours(connector_->hours, local_clock()(wall_now()))) {
    busy = Error(Errc::busy, fmt::format("connector {} is outside its hours, {}", connector_->name, config::format_hours(connector_->hours)), Stage::policy);
  }
  if (busy) {
    tell_refusal(*busy, kRemoteRefused);
    return std::move(*busy);
  }
  return rts_peer(*connector_, settings_.host);
}

std::optional<x400::RtsHost::Recovery> X400Responder::find_session(const x400::SessionId& id) {
  if (!may_call_) may_call_ = callers_connectors(config_, settings_.caller);
  const Result<Spool*> store = spool();
  if (!store) return std::nullopt;
  const Result<std::optional<AgreedSession>> found = (*store)->find_session(stored_session(id), "");
  if (!found || !*found) return std::nullopt;
  const auto named = std::find_if(may_call_->begin(), may_call_->end(), [&](const config::Connector* c) { return c->name == (*found)->peer; });
  if (named == may_call_->end()) return std::nullopt;
  Result<x400::RtsPeer> peer = rts_peer(**named, settings_.host);
  if (!peer) return std::nullopt;
  connector_ = *named;
  return x400::RtsHost::Recovery{std::move(*peer), (*found)->mta, static_cast<std::uint32_t>((*found)->checkpoint_size)};
}

// ---- the association stands

Result<void> X400Responder::bound(const x400::Bound& agreed) {
  if (connector_ == nullptr) return Error(Errc::software, "bound to nobody", Stage::auth);
  bound_ = true;
  LONGLINE_TRY(Spool* const store, spool());
  IncomingMailSettings settings = incoming_mail_settings(config_, *connector_, settings_.host, settings_.caller.address);
  settings.from = fmt::format("{} ({})", agreed.peer_name.empty() ? "an MTA" : agreed.peer_name, settings_.caller.shown);
  if (settings_.adjust) settings_.adjust(settings);
  LONGLINE_TRY(incoming_, IncomingTransfers::open(loop_, *store, config_, paths_, events_, *connector_, std::move(settings)));
  const AgreedSession session = Association::agreed(agreed, connector_->name);
  incoming_->bound(session);
  if (agreed.two_way) LONGLINE_CHECK(offer_mail(session));
  association_->use(outgoing_ ? &*outgoing_ : nullptr, incoming_.get());
  if (!settings_.note) return {};
  settings_.note(fmt::format("{} {} for connector {}: checkpoints of {} K, window {}, {}{}", agreed.recovered ? "back is" : "bound is",
                             agreed.peer_name.empty() ? "an MTA without a name" : agreed.peer_name, connector_->name, agreed.checkpoint_size, agreed.window,
                             agreed.two_way ? "both ways" : "one way", outgoing_ ? "" : "; nothing is sent"));
  return {};
}

/// What waits for him, and what comes while he is there; unless a flush sends it.
Result<void> X400Responder::offer_mail(const AgreedSession& agreed) {
  const std::string lane = mail::lease_name(*connector_);
  LONGLINE_TRY(const std::optional<ProcessIdentity> holder, spool_->take_lease(lane));
  if (holder) return {};
  has_lease_ = true;
  LONGLINE_TRY(mail::ConnectorStates states, spool_->connector_states());
  FlushBatch::Callbacks callbacks;
  callbacks.on_receipt = [](const mail::Receipt&, bool) {};
  callbacks.in_scope = [this](const config::Connector& connector) { return &connector == connector_; };
  callbacks.refusal = [](std::int64_t) { return std::nullopt; };
  callbacks.on_begin = [](std::int64_t) {};
  // Who has called can be reached, whatever came before.
  std::erase_if(states, [this](const auto& one) { return one.first == connector_->name; });
  batch_.emplace(*spool_, config_, events_, settings_.host, lane, mail::ConnectorChoice(config_, std::move(states), wall_now()), std::move(callbacks));
  const FlushHop hop{connector_, {connector_}};
  batch_->start_hop(hop, true);
  outgoing_.emplace(*spool_, *batch_, events_, *connector_, settings_.host);
  outgoing_->bound(agreed);
  looking_ = loop_.at(loop_.now() + kLookAgainAtPeers, [this] { look_again(); });
  return {};
}

void X400Responder::look_again() {
  looking_ = loop_.at(loop_.now() + kLookAgainAtPeers, [this] { look_again(); });
  association_->wake();
}

void X400Responder::on_ended(const x400::RtsFinished& end) {
  looking_.reset();
  if (has_lease_) (void)spool_->release_lease();
  if (!end.bound && end.error && !told_) {
    tell_refusal(*end.error, end.error->code == Errc::auth_refused ? kCredentials : kRemoteRefused);
  } else if (end.bound) {
    Event event{"queue.flushed"};
    if (end.error) event = failure_event("queue.flushed", kAssociationEnded, "", *end.error);
    event.link = connector_->link;
    event.connector = connector_->name;
    event.more.set("caller", settings_.caller.shown);
    event.more.set("sent", static_cast<std::int64_t>(outgoing_ ? outgoing_->sent() : 0));
    event.more.set("received", static_cast<std::int64_t>(incoming_ ? incoming_->received() : 0));
    event.more.set("bytes_out", static_cast<std::int64_t>(association_->bytes_out())).set("bytes_in", static_cast<std::int64_t>(association_->bytes_in()));
    events_.emit(event);
    if (spool_) (void)spool_->count_line(connector_->name, association_->bytes_out(), association_->bytes_in(), wall_now());
  }
  ended_(end);
}

}  // namespace longline::sys
