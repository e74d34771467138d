// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mail/address.hpp"

namespace longline::mail {

/// A command line split at its verb. `verb` is in upper case.
struct SmtpCommand {
  std::string verb;
  std::string argument;  ///< without blanks at both ends
};
SmtpCommand split_command(std::string_view line);

/// MAIL FROM:<path> [parameters] or RCPT TO:<path> [parameters].
struct SmtpPath {
  std::string path;                     ///< with its angle brackets
  std::vector<std::string> parameters;  ///< "SIZE=1000", as written
};
/// `keyword` is "FROM" or "TO". A path without brackets and a blank behind the colon are let through. Errc::malformed.
Result<SmtpPath> parse_path(std::string_view argument, std::string_view keyword);

/// BDAT's argument (RFC 3030, 2). Errc::malformed.
struct BdatArgument {
  std::uint64_t size = 0;
  bool last = false;
};
Result<BdatArgument> parse_bdat(std::string_view argument);

}  // namespace longline::mail
