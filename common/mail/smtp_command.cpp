// SPDX-License-Identifier: MIT
#include "mail/smtp_command.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

/// Where the path at the start ends: behind its ">", or at a blank; quoted strings are skipped.
std::size_t path_length(std::string_view text) {
  const bool bracketed = text.starts_with('<');
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && bracketed && c == '>') return i + 1;
    else if (!quoted && !bracketed && c == ' ') return i;
  }
  return bracketed ? std::string_view::npos : text.size();
}

}  // namespace

SmtpCommand split_command(std::string_view line) {
  const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
  SmtpCommand command{std::string(line.substr(0, blank)), std::string(trim(line.substr(blank)))};
  for (char& c : command.verb) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return command;
}

Result<SmtpPath> parse_path(std::string_view argument, std::string_view keyword) {
  const std::size_t colon = argument.find(':');
  if (colon == std::string_view::npos || !iequals(trim(argument.substr(0, colon)), keyword)) {
    return Error(Errc::malformed, std::string(keyword) + ":<address> expected");
  }
  const std::string_view rest = trim(argument.substr(colon + 1));
  const std::size_t length = path_length(rest);
  if (length == std::string_view::npos || length == 0) return Error(Errc::malformed, "address in angle brackets expected");
  SmtpPath path;
  path.path = rest.substr(0, length);
  const std::string_view behind = rest.substr(length);
  if (!behind.empty() && behind.front() != ' ' && behind.front() != '\t') return Error(Errc::malformed, "blank expected behind the address");
  for (const std::string_view parameter : split(behind, ' ')) {
    if (!trim(parameter).empty()) path.parameters.emplace_back(trim(parameter));
  }
  return path;
}

Result<BdatArgument> parse_bdat(std::string_view argument) {
  const std::size_t blank = std::min(argument.find(' '), argument.size());
  const auto size = parse_integer(argument.substr(0, blank));
  const std::string_view rest = trim(argument.substr(blank));
  if (!size || *size < 0 || (!rest.empty() && !iequals(rest, "LAST"))) return Error(Errc::malformed, "BDAT size [LAST] expected");
  return BdatArgument{static_cast<std::uint64_t>(*size), !rest.empty()};
}

}  // namespace longline::mail
