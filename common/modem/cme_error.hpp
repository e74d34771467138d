// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace longline::modem {

/// What a cellular modem says is wrong: "+CME ERROR: 10", or its text where the modem prefers AT+CMEE=2 (3GPP TS 27.007, 9.2).
struct CmeError {
  int number = -1;            ///< -1: a text that we do not know
  std::string meaning;        ///< "SIM not inserted"; the modem's own words, escaped, where we know none
  Errc code = Errc::modem_error;
};

/// nullopt for a line that is no such error.
std::optional<CmeError> parse_cme_error(std::string_view line);

}  // namespace longline::modem
