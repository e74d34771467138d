// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace longline {
namespace {

struct Row {
  Errc code;
  std::string_view name;
  ExitStatus status;
  int ras;  // 0: none
};

constexpr std::array kTable = {
    Row{Errc::usage, "usage", ExitStatus::usage, 0},
    Row{Errc::malformed, "malformed", ExitStatus::data, 0},
    Row{Errc::script_error, "script-error", ExitStatus::data, 752},
    Row{Errc::refused, "refused", ExitStatus::data, 0},
    Row{Errc::route_refused, "route-refused", ExitStatus::data, 0},
    Row{Errc::not_found, "not-found", ExitStatus::no_input, 0},
    Row{Errc::no_device, "no-device", ExitStatus::unavailable, 608},
    Row{Errc::not_a_tty, "not-a-tty", ExitStatus::unavailable, 692},
    Row{Errc::modem_silent, "modem-silent", ExitStatus::unavailable, 666},
    Row{Errc::modem_error, "modem-error", ExitStatus::unavailable, 651},
    Row{Errc::sim_missing, "sim-missing", ExitStatus::unavailable, 0},
    Row{Errc::no_dial_tone, "no-dial-tone", ExitStatus::unavailable, 680},
    Row{Errc::next_hop_unreachable, "next-hop-unreachable", ExitStatus::unavailable, 0},
    Row{Errc::software, "software", ExitStatus::software, 0},
    Row{Errc::os, "os", ExitStatus::os, 0},
    Row{Errc::no_ppp, "no-ppp", ExitStatus::os, 711},
    Row{Errc::cannot_create, "cannot-create", ExitStatus::cannot_create, 0},
    Row{Errc::io, "io", ExitStatus::io, 0},
    Row{Errc::disk_full, "disk-full", ExitStatus::io, 0},
    Row{Errc::line_busy, "line-busy", ExitStatus::temporary, 676},
    Row{Errc::no_answer, "no-answer", ExitStatus::temporary, 678},
    Row{Errc::no_carrier, "no-carrier", ExitStatus::temporary, 679},
    Row{Errc::voice_answer, "voice-answer", ExitStatus::temporary, 677},
    Row{Errc::call_refused, "call-refused", ExitStatus::temporary, 770},
    Row{Errc::dial_timeout, "dial-timeout", ExitStatus::temporary, 638},
    Row{Errc::login_timeout, "login-timeout", ExitStatus::temporary, 638},
    Row{Errc::login_failed, "login-failed", ExitStatus::temporary, 703},
    Row{Errc::line_dropped, "line-dropped", ExitStatus::temporary, 628},
    Row{Errc::idle_timeout, "idle-timeout", ExitStatus::temporary, 828},
    Row{Errc::call_limit, "call-limit", ExitStatus::temporary, 0},
    Row{Errc::unreachable, "unreachable", ExitStatus::temporary, 0},
    Row{Errc::not_registered, "not-registered", ExitStatus::temporary, 0},
    Row{Errc::ppp_timeout, "ppp-timeout", ExitStatus::temporary, 718},
    Row{Errc::peer_ended_ppp, "peer-ended-ppp", ExitStatus::temporary, 719},
    Row{Errc::line_looped, "line-looped", ExitStatus::temporary, 737},
    Row{Errc::pool_exhausted, "pool-exhausted", ExitStatus::temporary, 717},
    Row{Errc::port_in_use, "port-in-use", ExitStatus::temporary, 633},
    Row{Errc::link_down, "link-down", ExitStatus::temporary, 668},
    Row{Errc::busy, "busy", ExitStatus::temporary, 0},
    Row{Errc::messages_left, "messages-left", ExitStatus::temporary, 0},
    Row{Errc::protocol, "protocol", ExitStatus::protocol, 0},
    Row{Errc::ppp_failed, "ppp-failed", ExitStatus::protocol, 720},
    Row{Errc::no_address, "no-address", ExitStatus::protocol, 738},
    Row{Errc::auth_refused, "auth-refused", ExitStatus::denied, 691},
    Row{Errc::caller_refused, "caller-refused", ExitStatus::denied, 649},
    Row{Errc::outside_hours, "outside-hours", ExitStatus::denied, 0},
    Row{Errc::over_budget, "over-budget", ExitStatus::denied, 0},
    Row{Errc::roaming_refused, "roaming-refused", ExitStatus::denied, 0},
    Row{Errc::registration_denied, "registration-denied", ExitStatus::denied, 0},
    Row{Errc::sim_pin_refused, "sim-pin-refused", ExitStatus::denied, 0},
    Row{Errc::permission, "permission", ExitStatus::denied, 0},
    Row{Errc::config, "config", ExitStatus::config, 0},
    Row{Errc::deadline, "deadline", ExitStatus::deadline, 0},
    Row{Errc::interrupted, "interrupted", ExitStatus::temporary, 631},
};

struct StageRow {
  Stage stage;
  std::string_view name;
};

constexpr std::array kStages = {
    StageRow{Stage::none, ""},           StageRow{Stage::policy, "policy"},   StageRow{Stage::lock, "lock"},
    StageRow{Stage::port, "port"},       StageRow{Stage::modem, "modem"},     StageRow{Stage::dial, "dial"},
    StageRow{Stage::login, "login"},     StageRow{Stage::ppp, "ppp"},         StageRow{Stage::auth, "auth"},
    StageRow{Stage::address, "address"}, StageRow{Stage::route, "route"},     StageRow{Stage::queue, "queue"},
    StageRow{Stage::connect, "connect"}, StageRow{Stage::transfer, "transfer"},
};

const Row& row(Errc code) {
  for (const Row& r : kTable) {
    if (r.code == code) return r;
  }
  return kTable.front();
}

}  // namespace

Error Error::context(std::string_view noun) && {
  what = std::string(noun) + ": " + what;
  return std::move(*this);
}

Error Error::in_stage(Stage s) && {
  if (stage == Stage::none) stage = s;
  return std::move(*this);
}

Error Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

std::string Error::message() const {
  std::string out;
  if (where) {
    out += where->file;
    if (where->line > 0) out += ':' + std::to_string(where->line);
    if (where->line > 0 && where->column > 0) out += ':' + std::to_string(where->column);
    out += ": ";
  }
  out += what;
  if (sys_errno != 0) {
    out += ": ";
    out += std::strerror(sys_errno);
  }
  return out;
}

Error system_error(int sys_errno, std::string what, Errc fallback) {
  Errc code = fallback;
  switch (sys_errno) {
    case EACCES:
    case EPERM: code = Errc::permission; break;
    case ENOSPC:
    case EDQUOT: code = Errc::disk_full; break;
    case ENOENT: code = Errc::not_found; break;
    case ENOMEM:
    case EMFILE:
    case ENFILE: code = Errc::os; break;
    default: break;
  }
  Error error(code, std::move(what));
  error.sys_errno = sys_errno;
  return error;
}

std::string_view to_string(Errc code) { return row(code).name; }

std::string_view to_string(Stage stage) {
  for (const StageRow& r : kStages) {
    if (r.stage == stage) return r.name;
  }
  return "";
}

std::optional<Errc> errc_from_name(std::string_view name) {
  for (const Row& r : kTable) {
    if (r.name == name) return r.code;
  }
  return std::nullopt;
}

std::optional<Stage> stage_from_name(std::string_view name) {
  for (const StageRow& r : kStages) {
    if (r.name == name) return r.stage;
  }
  return std::nullopt;
}

ExitStatus exit_status(Errc code) { return row(code).status; }

std::optional<int> ras_code(Errc code) {
  const int ras = row(code).ras;
  return ras == 0 ? std::nullopt : std::optional<int>(ras);
}

bool is_temporary(Errc code) {
  return exit_status(code) == ExitStatus::temporary || exit_status(code) == ExitStatus::deadline ||
         code == Errc::next_hop_unreachable || code == Errc::disk_full;
}

}  // namespace longline
