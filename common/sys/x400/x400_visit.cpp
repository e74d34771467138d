// SPDX-License-Identifier: MIT
#include "sys/x400/x400_visit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/patience.hpp"
#include "sys/local_clock.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"
#include "sys/x400/transfer_names.hpp"
#include "sys/x400/x400_peers.hpp"

namespace longline::sys {
namespace {

constexpr Duration kNoDeadline(24 * 3'600'000);

// Exchange has ten to a connector: nine and an urgent one. Here what is urgent goes first in each.
constexpr std::size_t kMostAssociations = 10;
constexpr Duration kHelperPatience(5'000);
// A peer that forgets each time, or confirms nothing that it had not confirmed before, must not be called for ever. A message of 5 MiB that comes
// over a line of 56 kbit/s that is cut every minute takes as many calls.
constexpr int kMostRefusals = 1, kMostUnconfirmed = 20;

}  // namespace

struct X400Visit::Helper {
  OutgoingTransfers outgoing;
  std::unique_ptr<IncomingTransfers> incoming;
  std::unique_ptr<Association> association;
  bool ended = false;
};

X400Visit::~X400Visit() = default;

X400Visit::X400Visit(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events, std::string host,
                     const config::Connector& connector, PeerAddress address, Observer observer)
    : loop_(loop), spool_(spool), config_(config), paths_(paths), events_(events), host_(std::move(host)), connector_(connector),
      address_(std::move(address)), observer_(std::move(observer)) {}

Result<void> X400Visit::open(std::optional<TimePoint> deadline) {
  deadline_ = deadline;
  LONGLINE_TRY(peer_, rts_peer(connector_, host_));
  LONGLINE_TRY(incoming_, open_incoming());
  return connect();
}

Result<std::unique_ptr<IncomingTransfers>> X400Visit::open_incoming() {
  IncomingMailSettings settings = incoming_mail_settings(config_, connector_, host_, address_.host == "line" ? "" : address_.host);
  settings.from = address_.host == "line" ? "the line" : to_string(address_);
  return IncomingTransfers::open(loop_, spool_, config_, paths_, events_, connector_, std::move(settings));
}

Result<void> X400Visit::connect() {
  LONGLINE_TRY(line_, connect_peer(config_, paths_, connector_, address_, deadline_.value_or(steady_now() + kNoDeadline)));
  ++connections_;
  return {};
}

Result<x400::RtsOptions> X400Visit::options(bool recovers) {
  x400::RtsOptions out = rts_options(connector_);
  out.peer = peer_;
  out.reference = random_name();
  out.started = wall_now();
  // Whoever holds a line for mail lets it go when there is none.
  out.lifetime = Duration(0);
  recovering_.reset();
  if (!recovers) return out;
  LONGLINE_TRY(recovering_, spool_.find_session("", connector_.name));
  if (!recovering_) return out;
  // Who has forgotten before does so when his time is over.
  mail::Patience patience(config_, local_clock());
  if (recovering_->forgets && patience.is_over(connector_, recovering_->changed, connector_.x400.recovery_timeout, wall_now())) {
    LONGLINE_CHECK(spool_.forget_session(*recovering_, wall_now()));
    recovering_.reset();
    return out;
  }
  out.recover = x400::RecoverableSession{session_id(recovering_->session), static_cast<std::uint32_t>(recovering_->checkpoint_size),
                                         static_cast<std::uint32_t>(recovering_->window), recovering_->outgoing};
  return out;
}

Result<x400::RtsFinished> X400Visit::associate(x400::RtsOptions options, std::function<Result<void>(const x400::Bound&)> on_bound,
                                               OutgoingTransfers* outgoing, IncomingTransfers* incoming, const std::function<void()>& help) {
  std::optional<x400::RtsFinished> finished;
  Association::Handlers handlers;
  handlers.on_bound = std::move(on_bound);
  handlers.on_ended = [&](const x400::RtsFinished& end) { finished = end; };
  association_ = std::make_unique<Association>(loop_, std::move(line_), std::move(options), std::move(handlers));
  association_->use(outgoing, incoming);
  association_->start();
  if (stopping_) association_->stop();
  Loop::Registration helping;
  if (help) {
    helping = loop_.at(loop_.now() + connector_.transfer_interval, [&] {
      if (!finished) help();
    });
  }
  while (!finished || any_helper_left()) LONGLINE_CHECK(loop_.run_once());
  const std::optional<Error> failure = association_->failure();
  bytes_out_ += association_->bytes_out();
  bytes_in_ += association_->bytes_in();
  association_.reset();
  // A store that cannot be written is no matter of the peer's.
  if (failure && (failure->code == Errc::io || failure->code == Errc::disk_full)) return *failure;
  return std::move(*finished);
}

void X400Visit::tell(const x400::Bound& bound) {
  if (!observer_.note) return;
  observer_.note(fmt::format("{} {}: checkpoints of {} K, window {}, {}", bound.recovered ? "back with" : "bound to",
                             bound.peer_name.empty() ? "a peer without a name" : bound.peer_name, bound.checkpoint_size, bound.window,
                             bound.two_way ? "both ways" : "one way"));
}

/// A connection that moved something and broke may do so again; over a line there is only the one.
/// Whether more of a message is there than after any call before.
bool X400Visit::got_further(const OutgoingTransfers& outgoing) {
  bool further = outgoing.sent() > 0;
  for (const auto& [id, bytes] : outgoing.confirmed()) {
    std::int64_t& most = confirmed_[id];
    if (bytes > most) most = bytes, further = true;
  }
  return further;
}

bool X400Visit::may_call_again(const x400::RtsFinished& end, bool further, bool moved) {
  if (stopping_ || ending_ || address_.host == "line" || !end.error) return false;
  if (end.recovery_refused) return ++refusals_ <= kMostRefusals;
  if (end.error->code != Errc::line_dropped || !moved) return false;
  unconfirmed_ = further ? 0 : unconfirmed_ + 1;
  return unconfirmed_ < kMostUnconfirmed;
}

// ---- helpers

bool X400Visit::any_helper_left() const {
  return std::any_of(helpers_.begin(), helpers_.end(), [](const auto& helper) { return !helper->ended; });
}

/// Their recovery is the first association's: what they resume goes by the names of old sessions.
void X400Visit::call_helpers(FlushBatch& batch, std::size_t count) {
  const TimePoint end = std::min(deadline_.value_or(steady_now() + kNoDeadline), steady_now() + kHelperPatience);
  for (std::size_t i = 0; i < count && !stopping_; ++i) {
    Result<std::unique_ptr<ByteStream>> line = connect_peer(config_, paths_, connector_, address_, end);
    Result<std::unique_ptr<IncomingTransfers>> incoming = open_incoming();
    Result<x400::RtsOptions> with = options(false);
    if (!line || !incoming || !with) return;
    ++connections_;
    helpers_.push_back(std::make_unique<Helper>(Helper{OutgoingTransfers(spool_, batch, events_, connector_, host_), std::move(*incoming), nullptr}));
    Helper& helper = *helpers_.back();
    Association::Handlers handlers;
    handlers.on_bound = [this, &helper](const x400::Bound& bound) -> Result<void> {
      const AgreedSession agreed = Association::agreed(bound, connector_.name);
      helper.outgoing.bound(agreed);
      helper.incoming->bound(agreed);
      return {};
    };
    handlers.on_ended = [&helper](const x400::RtsFinished&) { helper.ended = true; };
    helper.association = std::make_unique<Association>(loop_, std::move(*line), std::move(*with), std::move(handlers));
    helper.association->use(&helper.outgoing, helper.incoming.get());
    helper.association->start();
  }
}

void X400Visit::add_up_helpers(Finished& out) {
  for (const auto& helper : helpers_) {
    bytes_out_ += helper->association->bytes_out();
    bytes_in_ += helper->association->bytes_in();
    out.sent += helper->outgoing.sent();
    received_by_helpers_ += helper->incoming->received();
    out.moved = out.moved || helper->outgoing.moved() || helper->incoming->received() > 0;
  }
  helpers_.clear();
}

std::uint64_t X400Visit::bytes_out() const {
  std::uint64_t out = bytes_out_ + (association_ ? association_->bytes_out() : 0);
  for (const auto& helper : helpers_) out += helper->association ? helper->association->bytes_out() : 0;
  return out;
}

// ---- the visit

Result<X400Visit::Finished> X400Visit::run(FlushBatch& batch, const std::function<void()>& start_hop, const std::function<std::size_t()>& waiting) {
  const bool on_lan = connector_.link.empty() && address_.host != "line";
  const auto help = [&] {
    const std::size_t due = waiting(), threshold = static_cast<std::size_t>(connector_.x400.threshold);
    if (due > threshold) call_helpers(batch, std::min((due - 1) / threshold, kMostAssociations - 1));
  };
  Finished out;
  for (bool recovers = true;;) {
    start_hop();
    OutgoingTransfers outgoing(spool_, batch, events_, connector_, host_);
    const std::size_t received_before = incoming_->received();
    const auto on_bound = [&](const x400::Bound& bound) -> Result<void> {
      const AgreedSession agreed = Association::agreed(bound, connector_.name);
      outgoing.bound(agreed);
      incoming_->bound(agreed);
      tell(bound);
      return {};
    };
    LONGLINE_TRY(x400::RtsOptions with, options(recovers));
    LONGLINE_TRY(const x400::RtsFinished end,
                 associate(std::move(with), on_bound, &outgoing, incoming_.get(), on_lan ? help : std::function<void()>()));
    add_up_helpers(out);
    if (const auto failure = outgoing.failure()) return *failure;
    out.sent += outgoing.sent();
    out.received = incoming_->received() + received_by_helpers_;
    const bool moved = outgoing.moved() || incoming_->received() > received_before || end.traffic.user_in > 0;
    out.moved = out.moved || moved;
    out.bound = out.bound || end.bound;
    out.error = end.error;
    if (end.recovery_refused && recovering_) {
      LONGLINE_CHECK(spool_.forget_session(*recovering_, wall_now()));
      if (observer_.note) observer_.note("the peer has forgotten what it has of the last call: begun anew");
    }
    if (!may_call_again(end, got_further(outgoing), moved)) break;
    recovers = !end.recovery_refused;
    if (const Result<void> again = connect(); !again) {
      if (again.error().code == Errc::interrupted) out.error = again.error();   // else the first end is the one to tell of
      break;
    }
  }
  // Not worth failing for: what was sent is recorded.
  (void)spool_.count_line(connector_.name, bytes_out_, bytes_in_, wall_now());
  return out;
}

Result<x400::Bound> X400Visit::ping() {
  std::optional<x400::Bound> agreed;
  LONGLINE_TRY(x400::RtsOptions with, options(false));
  const auto on_bound = [&](const x400::Bound& bound) -> Result<void> {
    agreed = bound;
    stop();
    return {};
  };
  LONGLINE_TRY(const x400::RtsFinished end, associate(std::move(with), on_bound, nullptr, nullptr));
  if (end.error && !(agreed && end.error->code == Errc::line_dropped)) return *end.error;
  if (!agreed) return Error(Errc::protocol, "the peer released the association before it stood", Stage::connect);
  return std::move(*agreed);
}

void X400Visit::stop() {
  stopping_ = true;
  if (association_) association_->stop();
  for (const auto& helper : helpers_) {
    if (!helper->ended) helper->association->stop();
  }
}

void X400Visit::abort() {
  stopping_ = ending_ = true;
  if (association_) association_->abort(Error(Errc::interrupted, "interrupted", Stage::transfer));
  for (const auto& helper : helpers_) {
    if (!helper->ended) helper->association->abort(Error(Errc::interrupted, "interrupted", Stage::transfer));
  }
}

}  // namespace longline::sys
