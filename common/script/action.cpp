// SPDX-License-Identifier: MIT
#include "script/action.hpp"

#include <algorithm>

namespace longline::script {

std::optional<Error> to_error(const Finished& finished) {
  Errc code = Errc::script_error;
  switch (finished.outcome) {
    case Outcome::ok: return std::nullopt;
    case Outcome::unsuccessful:
    case Outcome::not_sent:
    case Outcome::timed_out: code = Errc::login_timeout; break;
    case Outcome::aborted:
    case Outcome::halted: code = Errc::login_failed; break;
    case Outcome::runtime_error: code = Errc::script_error; break;
    case Outcome::carrier_lost: code = Errc::line_dropped; break;
  }
  Error error(code, finished.reason, Stage::login);
  error.where = finished.where;
  return error;
}

int chat_status(const Finished& finished) {
  switch (finished.outcome) {
    case Outcome::ok: return 0;
    case Outcome::not_sent:
    case Outcome::runtime_error: return 1;
    case Outcome::carrier_lost: return 2;
    case Outcome::unsuccessful:
    case Outcome::timed_out: return 3;
    case Outcome::halted: return 4;
    case Outcome::aborted: return std::min(4 + finished.abort, 255);
  }
  return 1;
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::unsuccessful: return "unsuccessful";
    case Outcome::halted: return "halted";
    case Outcome::aborted: return "aborted";
    case Outcome::runtime_error: return "runtime-error";
    case Outcome::not_sent: return "not-sent";
    case Outcome::timed_out: return "timed-out";
    case Outcome::carrier_lost: return "carrier-lost";
  }
  return "";
}

}  // namespace longline::script
