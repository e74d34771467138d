// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace longline::modem {

/// What a modem says about a command or a call (V.250, 5.7 and 6.3; Hayes, USR, Rockwell and GSM additions).
enum class ResultCode {
  ok,
  connect,        ///< CONNECT, CONNECT 115200/ARQ/V42BIS
  ring,
  no_carrier,
  error,          ///< ERROR, +CME ERROR: …, +CMS ERROR: …
  no_dial_tone,   ///< NO DIALTONE, NO DIAL TONE
  busy,
  no_answer,
  voice,          ///< a person or a fax answered
  delayed,        ///< the modem refuses to dial this number yet
  blacklisted,    ///< the modem refuses to dial this number
  dial_locked,
  line_in_use,    ///< an extension is off hook
  progress,       ///< RINGING, CARRIER n, PROTOCOL: …, COMPRESSION: …, +MCR …: a call on its way
};

/// The meaning of one line without its line end; nullopt for text that is no result code (an echo, a banner, an answer to a
/// query). Digits are read as V0 codes 0…8 and 10 and up (connect at a rate).
std::optional<ResultCode> parse_result_code(std::string_view line);

/// Why a call failed; nullopt for codes that are no failure of a call.
std::optional<Errc> call_failure(ResultCode code);

/// What to do after a failed attempt, by the facts of the trade.
enum class AfterFailure {
  redial,         ///< the same or another number, soon
  other_number,   ///< never this number again in this call of `up`
  stop,           ///< nobody but a person, or time, can change it
};
AfterFailure after_failure(Errc code);

}  // namespace longline::modem
