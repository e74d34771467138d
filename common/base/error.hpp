// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/exit_status.hpp"

namespace longline {

/// Everything that can go wrong, by meaning. Each has one name, one exit status, one answer to
/// "is it worth trying again?", and the Remote Access error number of the same meaning where there is one
/// (error.cpp holds the table; a test holds the names to facts that scripts rely on).
enum class Errc {
  usage,
  // data
  malformed,
  script_error,
  refused,
  route_refused,
  // named things that are not there
  not_found,
  // unavailable
  no_device,
  not_a_tty,
  modem_silent,
  modem_error,
  sim_missing,
  no_dial_tone,
  next_hop_unreachable,
  // ours, the system's
  software,
  os,
  no_ppp,
  cannot_create,
  io,
  disk_full,
  // temporary
  line_busy,
  no_answer,
  no_carrier,
  voice_answer,
  call_refused,
  dial_timeout,
  login_timeout,
  login_failed,
  line_dropped,
  idle_timeout,
  call_limit,
  unreachable,
  not_registered,
  ppp_timeout,
  peer_ended_ppp,
  line_looped,
  pool_exhausted,
  port_in_use,
  link_down,
  busy,
  messages_left,
  // the peer
  protocol,
  ppp_failed,
  no_address,
  // denied
  auth_refused,
  caller_refused,
  outside_hours,
  over_budget,
  roaming_refused,
  registration_denied,
  sim_pin_refused,
  permission,
  // configuration
  config,
  deadline,
  interrupted,
};

/// The step of the main job that failed: the "stage" of an error object and of events.
enum class Stage { none, policy, lock, port, modem, dial, login, ppp, auth, address, route, queue, connect, transfer };

/// A place in a text that the user wrote. Lines and columns count from 1; column 0 means the whole line,
/// line 0 the whole file. Columns count bytes.
struct Where {
  std::string file;
  int line = 0;
  int column = 0;
};

/// A failure on its way to the user. Layers below say what happened; each layer above adds one noun with
/// context(). Never holds a secret.
struct Error {
  Errc code = Errc::software;
  std::string what;               ///< one clause, no full stop, no newline
  Stage stage = Stage::none;
  int sys_errno = 0;              ///< errno of the call that failed, or 0
  std::string hint;               ///< what to do about it; may be empty
  std::optional<Where> where{};

  Error(Errc code_, std::string what_, Stage stage_ = Stage::none) : code(code_), what(std::move(what_)), stage(stage_) {}

  /// "NOUN: what"
  Error context(std::string_view noun) &&;
  /// Sets the stage if no layer below did.
  Error in_stage(Stage s) &&;
  Error with_hint(std::string text) &&;
  /// "file:line:column: what: strerror"
  std::string message() const;
};

/// An error of a system call: what failed and on which object, with errno's own meaning. EACCES and EPERM become
/// `permission`, ENOSPC and EDQUOT `disk_full`, ENOENT `not_found`; others `fallback`.
Error system_error(int sys_errno, std::string what, Errc fallback = Errc::io);

std::string_view to_string(Errc code);       ///< "line-busy"
std::string_view to_string(Stage stage);     ///< "dial"; "" for none
std::optional<Errc> errc_from_name(std::string_view name);
std::optional<Stage> stage_from_name(std::string_view name);
ExitStatus exit_status(Errc code);
std::optional<int> ras_code(Errc code);      ///< facts: RRAS error codes, 600…829
/// The only retry question: may the same attempt succeed later without anybody changing anything?
bool is_temporary(Errc code);

}  // namespace longline
