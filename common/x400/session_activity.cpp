// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "x400/session.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kPieceHeader = 7;   // GT, DT and its enclosure item

Spdu of_kind(SpduKind kind) {
  Spdu out;
  out.kind = kind;
  return out;
}

Spdu with_serial(SpduKind kind, std::uint32_t serial) {
  Spdu out = of_kind(kind);
  out.serial = serial;
  return out;
}

}  // namespace

void Session::begin_activity(std::uint32_t first) {
  activity_ = true;
  just_ended_ = false;
  next_serial_ = unconfirmed_ = first;
}

/// The serial number of no minor point yet: the one of an end is not one.
std::uint32_t Session::first_beyond() const { return in({State::ending, State::end_indicated}) ? next_serial_ - 1 : next_serial_; }

Result<void> Session::start_activity(std::string_view id) {
  LONGLINE_CHECK(allow(state_ == State::open && turn_ && !activity_, SpduKind::activity_start));
  Spdu out = of_kind(SpduKind::activity_start);
  out.activity = id;
  LONGLINE_CHECK(send(out));
  begin_activity(1);
  return {};
}

Result<void> Session::resume_activity(const Resumption& from) {
  LONGLINE_CHECK(allow(state_ == State::open && turn_ && !activity_, SpduKind::activity_resume));
  Spdu out = of_kind(SpduKind::activity_resume);
  out.resumption = from;
  LONGLINE_CHECK(send(out));
  begin_activity(from.serial + 1);
  return {};
}

Result<void> Session::send_data(std::string_view ssdu) {
  LONGLINE_CHECK(allow(state_ == State::open && sending() && !ssdu.empty(), SpduKind::data));
  Spdu out = of_kind(SpduKind::data);
  if (longest_out_ == 0 || ssdu.size() + kPieceHeader <= longest_out_) {
    out.user_data = ssdu;
    return send(out);
  }
  const std::size_t piece = longest_out_ - kPieceHeader;
  for (bool first = true; !ssdu.empty(); first = false) {
    out.user_data = ssdu.substr(0, piece);
    ssdu.remove_prefix(out.user_data.size());
    out.enclosure = static_cast<std::uint8_t>((first ? kBeginsSsdu : 0u) | (ssdu.empty() ? kEndsSsdu : 0u));
    LONGLINE_CHECK(send(out));
  }
  return {};
}

Result<std::uint32_t> Session::minor_sync() {
  LONGLINE_CHECK(allow(state_ == State::open && sending() && next_serial_ < kLastSerial, SpduKind::minor_sync));
  LONGLINE_CHECK(send(with_serial(SpduKind::minor_sync, next_serial_)));
  return next_serial_++;
}

Result<std::uint32_t> Session::end_activity() {
  LONGLINE_CHECK(allow(state_ == State::open && sending() && next_serial_ <= kLastSerial, SpduKind::activity_end));
  LONGLINE_CHECK(send(with_serial(SpduKind::activity_end, next_serial_)));
  state_ = State::ending;
  return next_serial_++;
}

Result<void> Session::stop_activity(bool discard, std::optional<SessionReason> reason) {
  Spdu out = of_kind(discard ? SpduKind::activity_discard : SpduKind::activity_interrupt);
  LONGLINE_CHECK(allow(in({State::open, State::ending, State::excepted}) && sending(), out.kind));
  if (reason) out.reason = static_cast<std::uint8_t>(*reason);
  LONGLINE_CHECK(send(out));
  state_ = State::stopping;
  discard_ = discard;
  return {};
}

Result<void> Session::give_turn() {
  LONGLINE_CHECK(allow(state_ == State::open && turn_ && !activity_, SpduKind::give_control));
  LONGLINE_CHECK(send(of_kind(SpduKind::give_control)));
  turn_ = false;
  state_ = State::giving;
  return {};
}

Result<void> Session::confirm_minor(std::uint32_t serial) {
  const bool known = serial >= unconfirmed_ && serial < first_beyond();
  LONGLINE_CHECK(allow(in({State::open, State::end_indicated}) && receiving() && known, SpduKind::minor_sync_ack));
  LONGLINE_CHECK(send(with_serial(SpduKind::minor_sync_ack, serial)));
  unconfirmed_ = serial + 1;
  return {};
}

Result<void> Session::confirm_end() {
  LONGLINE_CHECK(allow(state_ == State::end_indicated, SpduKind::activity_end_ack));
  LONGLINE_CHECK(send(with_serial(SpduKind::activity_end_ack, next_serial_ - 1)));
  activity_ = false;
  just_ended_ = true;
  state_ = State::open;
  return {};
}

Result<void> Session::confirm_stop() {
  LONGLINE_CHECK(allow(state_ == State::stop_indicated, SpduKind::activity_interrupt_ack));
  LONGLINE_CHECK(answer_stop());
  activity_ = false;
  state_ = State::open;
  return {};
}

Result<void> Session::answer_stop() { return send(of_kind(discard_ ? SpduKind::activity_discard_ack : SpduKind::activity_interrupt_ack)); }

Result<void> Session::report_exception(SessionReason reason, std::string_view user_data) {
  LONGLINE_CHECK(allow(in({State::open, State::end_indicated}) && receiving(), SpduKind::exception_data));
  Spdu out = of_kind(SpduKind::exception_data);
  out.reason = static_cast<std::uint8_t>(reason);
  if (version_ == 2 || user_data.size() <= kMostPlainConnectData) out.user_data = user_data;
  LONGLINE_CHECK(send(out));
  state_ = State::excepting;
  ssdu_.clear();
  in_ssdu_ = false;
  return {};
}

Result<void> Session::ask_turn(std::string_view user_data) {
  const bool allowed = in({State::open, State::giving, State::end_indicated, State::stop_indicated, State::excepting}) && !turn_;
  LONGLINE_CHECK(allow(allowed, SpduKind::please_tokens));
  Spdu out = of_kind(SpduKind::please_tokens);
  out.tokens = kDataToken;
  out.user_data = user_data;
  return send(out);
}

}  // namespace longline::x400
