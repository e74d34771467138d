// SPDX-License-Identifier: MIT
#include "x400/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/overloaded.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestSpdu = 65539;        // with user data in it (X.225, 8.3.5.10); a DT has its own behind it
constexpr std::size_t kDataHeaders = 64;           // GT and DT before an SSDU

TransportOptions transport_options(const SessionOptions& options) {
  TransportOptions out = options.transport;
  out.opening = options.opening;
  out.longest_tsdu = kLongestSpdu;
  return out;
}

SessionEnd end_of(const TransportClosed& how, bool opening) {
  if (!how.error || how.error->code == Errc::line_dropped) return SessionEnd::line;
  const bool refused = how.error->code == Errc::busy || how.error->code == Errc::next_hop_unreachable;
  return opening && refused ? SessionEnd::refused : SessionEnd::ours;
}

Error too_late(std::string_view what, Duration wait, Stage stage) {
  return Error(Errc::deadline, fmt::format("the peer did not {} within {}", what, format_duration(wait)), stage);
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)), transport_(transport_options(options_)) {}

void Session::start(TimePoint now) {
  now_ = since_ = now;
  state_ = options_.transport.initiator ? State::connecting : State::awaiting_request;
  transport_.start(now);
}

void Session::on_bytes(std::string_view in, TimePoint now) {
  now_ = now;
  transport_.on_bytes(in, now);
}

void Session::on_closed(TimePoint now) {
  now_ = now;
  transport_.on_closed(now);
}

void Session::open() {
  state_ = State::open;
  transport_.bound_tsdu(std::max(kLongestSpdu, options_.longest_ssdu + kDataHeaders));
}

std::optional<Duration> Session::patience() const {
  switch (state_) {
    case State::connecting:
    case State::awaiting_request:
    case State::deciding: return options_.opening;
    case State::releasing:
    case State::released: return options_.release;
    case State::aborting: return options_.abort;
    default: return std::nullopt;
  }
}

std::optional<TimePoint> Session::deadline() const {
  const auto wait = patience();
  if (!wait) return std::nullopt;
  return since_ + *wait;
}

void Session::on_time(TimePoint now) {
  now_ = now;
  const auto due = deadline();
  if (!due || now < *due) return;
  switch (state_) {
    case State::aborting:
    case State::released: return finish(std::move(*last_));
    case State::releasing:
      return finish({SessionEnd::ours, too_late("answer the release", options_.release, Stage::transfer)});
    default: break;
  }
  // The transport has the same deadline, and knows better what did not come.
  if (!transport_open_) return transport_.on_time(now);
  finish({SessionEnd::ours, too_late(state_ == State::connecting ? "answer the session request" : "ask for a session", options_.opening, Stage::connect)});
}

std::optional<SessionAction> Session::next_action() {
  while (actions_.empty()) {
    auto action = transport_.next_action();
    if (!action) break;
    if (auto* write = std::get_if<Write>(&*action)) return std::move(*write);
    if (state_ != State::finished) take_transport(std::move(*action));
  }
  if (actions_.empty() && state_ == State::finished && last_) {
    SessionAction last = std::move(*last_);
    last_.reset();
    return last;
  }
  return take_first(actions_);
}

void Session::take_transport(TransportAction action) {
  std::visit(Overloaded{
                 [](const Write&) {},
                 [&](const TransportOpened&) {
                   transport_open_ = true;
                   if (request_) send_connect();
                 },
                 [&](const TsduArrived& tsdu) { take_tsdu(tsdu.bytes); },
                 [&](TransportClosed& how) {
                   if (state_ == State::aborting || state_ == State::released) return finish(std::move(*last_));
                   const bool opening = state_ == State::connecting;
                   const SessionEnd end = end_of(how, opening);
                   if (!how.error) {
                     how.error = Error(Errc::line_dropped, opening ? "the peer closed the line before it answered" : "the peer closed the line without a word",
                                       opening ? Stage::connect : Stage::transfer);
                   }
                   finish({end, std::move(how.error)});
                 },
             },
             action);
}

void Session::take_tsdu(std::string_view tsdu) {
  auto spdus = decode_tsdu(tsdu, std::exchange(behind_prefix_, false));
  if (!spdus) {
    if (state_ != State::aborting) abort_by_provider(std::move(spdus).error());
    return;
  }
  for (Spdu& spdu : *spdus) {
    if (state_ == State::finished) return;
    take(std::move(spdu));
  }
}

bool Session::in(std::initializer_list<State> states) const { return std::find(states.begin(), states.end(), state_) != states.end(); }

Result<void> Session::allow(bool allowed, SpduKind kind) const {
  if (allowed) return {};
  const std::string_view turn = turn_ ? "ours" : "the peer's";
  return Error(Errc::software, fmt::format("no {} can be sent now: {}, the turn is {}", name(kind), words(state_), turn));
}

Result<void> Session::send(const Spdu& spdu, bool secret) {
  LONGLINE_TRY(const std::string tsdu, encode_tsdu(spdu));
  transport_.send(tsdu, secret);
  return {};
}

void Session::out_of_place(const Spdu& spdu) {
  const std::string_view turn = turn_ ? ", the turn is ours" : "";
  abort_by_provider(Error(Errc::protocol, fmt::format("the peer's {} is out of place: {}{}", name(spdu.kind), words(state_), turn)));
}

void Session::abort_by_provider(Error error) {
  error.code = Errc::protocol;
  Spdu abort;
  abort.kind = SpduKind::abort;
  abort.disconnect = kTransportReleased | kProtocolError;
  (void)send(abort);
  linger(State::aborting, now_, {SessionEnd::ours, std::move(error).in_stage(activity_ ? Stage::transfer : Stage::connect)});
}

void Session::linger(State state, TimePoint now, SessionFinished after) {
  state_ = state;
  since_ = now;
  activity_ = false;
  ssdu_.clear();
  last_ = std::move(after);
}

void Session::finish(SessionFinished how) {
  // `how` may be what last_ held.
  last_ = std::move(how);
  state_ = State::finished;
  activity_ = false;
  ssdu_.clear();
  transport_.close();
}

std::string_view Session::words(State state) {
  switch (state) {
    case State::idle: return "nothing has begun";
    case State::connecting: return "the session is not answered yet";
    case State::awaiting_request: return "no session is asked for yet";
    case State::deciding: return "the session is not accepted yet";
    case State::open: return "the session is open";
    case State::ending:
    case State::end_indicated: return "an activity is at its end";
    case State::stopping:
    case State::stop_indicated: return "an activity is being stopped";
    case State::excepted:
    case State::excepting: return "an exception is reported";
    case State::giving: return "the turn is on its way to the peer";
    case State::releasing:
    case State::release_indicated:
    case State::released: return "the session is being released";
    case State::aborting: return "the session is aborted";
    case State::finished: return "the session is over";
  }
  return "";
}

}  // namespace longline::x400
