// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "x400/session.hpp"

namespace longline::x400 {
namespace {

constexpr std::uint16_t kDefaultUnits = kHalfDuplex | kMinorSynchronization | kActivityManagement | kCapabilityData | kExceptions;
constexpr int kSelectorUnknown = 0x81;             // provider's reasons of RF (X.225, 8.3.5.10)
constexpr int kNobodyAttached = 0x82;
constexpr int kSessionCongested = 0x83;
constexpr int kVersionsUnknown = 0x84;
constexpr int kSessionRestricted = 0x86;
constexpr int kUserCongested = 1;
constexpr int kWithUserData = 2;
constexpr std::size_t kSmallestTsdu = 64;          // of what a peer may limit us to
constexpr std::size_t kMostShown = 100;
constexpr unsigned kAcceptorsSide = 1;             // of a token setting
constexpr unsigned kAcceptorsChoice = 2;

/// The one setting of data, minor and major/activity token; nullopt where they differ.
std::optional<unsigned> setting_of_turn(std::uint8_t setting) {
  const unsigned data = setting & 3u;
  if (data > kAcceptorsChoice || (setting >> 2 & 3u) != data || (setting >> 4 & 3u) != data) return std::nullopt;
  return data;
}

std::string_view reason_of_refusal(int reason) {
  switch (reason) {
    case kUserCongested: return "it is busy";
    case kSelectorUnknown: return "it knows no such session selector";
    case kNobodyAttached: return "nobody is there to take the call";
    case kSessionCongested: return "it is congested";
    case kVersionsUnknown: return "it speaks no version of the session protocol that we do";
    case kSessionRestricted: return "it does not do all that we ask for";
    default: return "no reason given";
  }
}

Errc code_of_refused_session(int reason) {
  switch (reason) {
    case kUserCongested:
    case kSessionCongested: return Errc::busy;
    case 0:
    case kWithUserData: return Errc::refused;
    case kSelectorUnknown:
    case kNobodyAttached: return Errc::next_hop_unreachable;
    default: return Errc::protocol;
  }
}

std::string missing_units(std::uint16_t units) {
  const unsigned missing = kTransferUnits & ~static_cast<unsigned>(units);
  std::string out;
  const auto add = [&](unsigned bit, std::string_view what) {
    if ((missing & bit) != 0) out += fmt::format("{}{}", out.empty() ? "" : ", ", what);
  };
  add(kHalfDuplex, "half-duplex");
  add(kMinorSynchronization, "checkpoints");
  add(kActivityManagement, "activities");
  add(kExceptions, "exceptions");
  return out;
}

}  // namespace

Result<void> Session::connect(ConnectRequest request) {
  LONGLINE_CHECK(allow(options_.transport.initiator && in({State::idle, State::connecting}) && !connected_once_, SpduKind::connect));
  LONGLINE_CHECK(encode(connect_spdu(request)));
  connected_once_ = true;
  turn_requested_ = request.turn;
  request_ = std::move(request);
  if (transport_open_) send_connect();
  return {};
}

Spdu Session::connect_spdu(const ConnectRequest& request) const {
  Spdu out;
  out.kind = SpduKind::connect;
  out.references = request.references;
  out.versions = options_.versions;
  out.token_setting = static_cast<std::uint8_t>((request.turn ? 0u : kAcceptorsSide) * kAllTokens);
  out.requirements = kTransferUnits;
  if (!options_.calling_selector.empty()) out.calling_selector = options_.calling_selector;
  if (!options_.called_selector.empty()) out.called_selector = options_.called_selector;
  out.user_data = request.user_data;
  return out;
}

void Session::send_connect() {
  (void)send(connect_spdu(*request_), request_->secret);
  request_.reset();
}

void Session::take_connect(Spdu& spdu) {
  if (state_ != State::awaiting_request) return out_of_place(spdu);
  const unsigned versions = spdu.versions.value_or(kSessionVersion1) & options_.versions;
  if (versions == 0) return refuse_by_provider(kVersionsUnknown, Error(Errc::protocol, "the caller speaks no version of the session protocol that we do"));
  const std::uint16_t units = spdu.requirements.value_or(kDefaultUnits);
  if (const std::string missing = missing_units(units); !missing.empty()) {
    return refuse_by_provider(kSessionRestricted, Error(Errc::protocol, fmt::format("the caller asks for a session without {}", missing)));
  }
  const auto setting = setting_of_turn(spdu.token_setting.value_or(0));
  if (!setting) return refuse_by_provider(kSessionRestricted, Error(Errc::protocol, "the caller would share the session's tokens out"));
  if (!options_.called_selector.empty() && !spdu.called_selector.value_or("").empty() && *spdu.called_selector != options_.called_selector) {
    return refuse_by_provider(kSelectorUnknown,
                              Error(Errc::caller_refused, fmt::format("the caller asks for session selector '{}', expected '{}'",
                                                                      escape_at_most(*spdu.called_selector, kMostShown), escape(options_.called_selector))));
  }
  longest_out_ = spdu.tsdu_sizes.value_or(0) & 0xffffu;
  if (longest_out_ != 0 && longest_out_ < kSmallestTsdu) {
    return refuse_by_provider(kSessionRestricted, Error(Errc::protocol, fmt::format("the caller would take no unit of more than {} octets", longest_out_)));
  }
  version_ = (versions & kSessionVersion2) != 0 ? 2 : 1;
  turn_ = *setting == kAcceptorsSide;
  if (*setting == kAcceptorsChoice) token_setting_ = 0;
  tsdu_sizes_ = spdu.tsdu_sizes;
  asked_selector_ = spdu.called_selector;
  state_ = State::deciding;
  actions_.push_back(SessionConnected{std::move(spdu.references), spdu.calling_selector.value_or(""), spdu.called_selector.value_or(""), version_, turn_,
                                      std::move(spdu.user_data)});
}

Result<void> Session::accept(SessionReferences called, std::string user_data, bool secret) {
  LONGLINE_CHECK(allow(state_ == State::deciding, SpduKind::accept));
  LONGLINE_CHECK(check_size(user_data.size()));
  Spdu out;
  out.kind = SpduKind::accept;
  out.references = std::move(called);
  out.versions = version_ == 2 ? kSessionVersion2 : kSessionVersion1;
  out.tsdu_sizes = tsdu_sizes_;
  out.token_setting = token_setting_;
  out.requirements = kTransferUnits;
  out.called_selector = asked_selector_;
  out.user_data = std::move(user_data);
  LONGLINE_CHECK(send(out, secret));
  open();
  return {};
}

Result<void> Session::check_size(std::size_t user_data) const {
  if (version_ == 2 || user_data <= kMostPlainConnectData) return {};
  return Error(Errc::malformed, fmt::format("{} octets of user data do not fit into version 1 of the session protocol", user_data));
}

Result<void> Session::refuse(int reason, std::string user_data, TimePoint now) {
  LONGLINE_CHECK(allow(state_ == State::deciding, SpduKind::refuse));
  LONGLINE_CHECK(check_size(user_data.size()));
  Spdu out;
  out.kind = SpduKind::refuse;
  out.disconnect = kTransportReleased;
  out.requirements = kTransferUnits;
  out.reason = static_cast<std::uint8_t>(reason);
  out.user_data = std::move(user_data);
  LONGLINE_CHECK(send(out));
  linger(State::aborting, now, {SessionEnd::ours});
  return {};
}

void Session::refuse_by_provider(int reason, Error error) {
  Spdu out;
  out.kind = SpduKind::refuse;
  out.disconnect = kTransportReleased;
  out.reason = static_cast<std::uint8_t>(reason);
  (void)send(out);
  linger(State::aborting, now_, {SessionEnd::ours, std::move(error).in_stage(Stage::connect)});
}

void Session::take_accept(Spdu& spdu) {
  if (state_ != State::connecting || !connected_once_ || request_) return out_of_place(spdu);
  const unsigned version = spdu.versions.value_or(kSessionVersion1);
  if ((version != kSessionVersion1 && version != kSessionVersion2) || (version & options_.versions) == 0) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer chose a version of the session protocol that was not offered (0x{:02x})", version)));
  }
  if (const std::string missing = missing_units(spdu.requirements.value_or(kDefaultUnits)); !missing.empty()) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer accepts a session without {}", missing)));
  }
  longest_out_ = spdu.tsdu_sizes.value_or(0) >> 16;
  if (longest_out_ != 0 && longest_out_ < kSmallestTsdu) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer would take no unit of more than {} octets", longest_out_)));
  }
  version_ = version == kSessionVersion2 ? 2 : 1;
  turn_ = turn_requested_;
  open();
  actions_.push_back(SessionConnected{std::move(spdu.references), spdu.calling_selector.value_or(""), spdu.called_selector.value_or(""), version_, turn_,
                                      std::move(spdu.user_data)});
}

void Session::take_refuse(Spdu& spdu) {
  if (state_ != State::connecting || !connected_once_ || request_) return out_of_place(spdu);
  const int reason = spdu.reason.value_or(0);
  std::string what = fmt::format("the peer refuses the session: {} (reason {})", reason_of_refusal(reason), reason);
  finish({SessionEnd::refused, Error(code_of_refused_session(reason), std::move(what), Stage::connect), reason, std::move(spdu.user_data)});
}

Result<void> Session::release(std::string_view user_data, TimePoint now) {
  LONGLINE_CHECK(allow(state_ == State::open && turn_ && !activity_, SpduKind::finish));
  Spdu out;
  out.kind = SpduKind::finish;
  out.disconnect = kTransportReleased;
  out.user_data = user_data;
  LONGLINE_CHECK(send(out));
  state_ = State::releasing;
  since_ = now;
  return {};
}

Result<void> Session::confirm_release(std::string_view user_data, TimePoint now) {
  LONGLINE_CHECK(allow(state_ == State::release_indicated, SpduKind::disconnect));
  Spdu out;
  out.kind = SpduKind::disconnect;
  out.user_data = user_data;
  LONGLINE_CHECK(send(out));
  linger(State::released, now, {SessionEnd::released});
  return {};
}

void Session::take_release(Spdu& spdu) {
  if (spdu.kind == SpduKind::disconnect) {
    if (state_ != State::releasing) return out_of_place(spdu);
    return finish({SessionEnd::released, std::nullopt, std::nullopt, std::move(spdu.user_data)});
  }
  if (state_ != State::open || turn_ || activity_) return out_of_place(spdu);
  just_ended_ = false;
  state_ = State::release_indicated;
  actions_.push_back(ReleaseAsked{std::move(spdu.user_data)});
}

Result<void> Session::abort(std::string_view user_data, TimePoint now) {
  LONGLINE_CHECK(allow(!in({State::idle, State::aborting, State::finished}), SpduKind::abort));
  const bool no_session = !transport_open_ || state_ == State::awaiting_request || (state_ == State::connecting && (request_ || !connected_once_));
  if (no_session) {
    finish({SessionEnd::ours});
    return {};
  }
  Spdu out;
  out.kind = SpduKind::abort;
  out.disconnect = kTransportReleased | kUserAbort;
  if (version_ == 2 || user_data.size() <= kMostPlainAbortData) out.user_data = user_data;
  LONGLINE_CHECK(send(out));
  linger(State::aborting, now, {SessionEnd::ours});
  return {};
}

void Session::take_abort(Spdu& spdu) {
  const unsigned how = spdu.disconnect.value_or(kTransportReleased | kNoReason);
  if ((how & kTransportReleased) == 0) {
    Spdu answer;
    answer.kind = SpduKind::abort_accept;
    (void)send(answer);
  }
  // Both have aborted: what we said holds.
  if (state_ == State::aborting) return finish(std::move(*last_));
  const Stage stage = in({State::connecting, State::awaiting_request, State::deciding}) ? Stage::connect : Stage::transfer;
  if ((how & kUserAbort) != 0) {
    return finish({SessionEnd::user_abort, Error(Errc::line_dropped, "the peer aborted the association", stage), std::nullopt, std::move(spdu.user_data)});
  }
  if ((how & kProtocolError) != 0) {
    return finish({SessionEnd::peer_abort, Error(Errc::protocol, "the peer's session protocol found an error of ours and aborted", stage)});
  }
  finish({SessionEnd::peer_abort, Error(Errc::line_dropped, "the peer's session protocol aborted and gave no reason", stage)});
}

}  // namespace longline::x400
