// SPDX-License-Identifier: MIT
#include "modem/cme_error.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"

namespace longline::modem {
namespace {

struct CmeMeaning {
  int number;
  std::string_view meaning;
  Errc code;
};

constexpr std::array kErrors = {
    CmeMeaning{0, "phone failure", Errc::modem_error},
    CmeMeaning{1, "no connection to phone", Errc::modem_error},
    CmeMeaning{3, "operation not allowed", Errc::modem_error},
    CmeMeaning{4, "operation not supported", Errc::modem_error},
    CmeMeaning{5, "PH-SIM PIN required", Errc::sim_pin_refused},
    CmeMeaning{6, "PH-FSIM PIN required", Errc::sim_pin_refused},
    CmeMeaning{7, "PH-FSIM PUK required", Errc::sim_pin_refused},
    CmeMeaning{10, "SIM not inserted", Errc::sim_missing},
    CmeMeaning{11, "SIM PIN required", Errc::modem_error},
    CmeMeaning{12, "SIM PUK required", Errc::sim_pin_refused},
    CmeMeaning{13, "SIM failure", Errc::sim_missing},
    CmeMeaning{14, "SIM busy", Errc::sim_missing},
    CmeMeaning{15, "SIM wrong", Errc::sim_missing},
    CmeMeaning{16, "incorrect password", Errc::sim_pin_refused},
    CmeMeaning{17, "SIM PIN2 required", Errc::modem_error},
    CmeMeaning{18, "SIM PUK2 required", Errc::modem_error},
    CmeMeaning{30, "no network service", Errc::not_registered},
    CmeMeaning{31, "network timeout", Errc::not_registered},
    CmeMeaning{32, "network not allowed - emergency calls only", Errc::registration_denied},
    CmeMeaning{40, "network personalization PIN required", Errc::sim_pin_refused},
    CmeMeaning{100, "unknown", Errc::modem_error},
    CmeMeaning{103, "illegal MS", Errc::registration_denied},
    CmeMeaning{106, "illegal ME", Errc::registration_denied},
    CmeMeaning{107, "GPRS services not allowed", Errc::registration_denied},
    CmeMeaning{111, "PLMN not allowed", Errc::registration_denied},
    CmeMeaning{112, "location area not allowed", Errc::registration_denied},
    CmeMeaning{113, "roaming not allowed in this location area", Errc::registration_denied},
    CmeMeaning{132, "service option not supported", Errc::registration_denied},
    CmeMeaning{133, "requested service option not subscribed", Errc::registration_denied},
    CmeMeaning{134, "service option temporarily out of order", Errc::no_carrier},
    CmeMeaning{148, "unspecified GPRS error", Errc::no_carrier},
    CmeMeaning{149, "PDP authentication failure", Errc::auth_refused},
    CmeMeaning{150, "invalid mobile class", Errc::modem_error},
};

constexpr std::string_view kPrefix = "+CME ERROR:";

}  // namespace

std::optional<CmeError> parse_cme_error(std::string_view line) {
  line = trim(line);
  if (!iequals(line.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  const std::string_view rest = trim(line.substr(kPrefix.size()));
  const std::optional<std::int64_t> number = parse_integer(rest);
  for (const CmeMeaning& row : kErrors) {
    if (number ? *number == row.number : iequals(rest, row.meaning)) return CmeError{row.number, std::string(row.meaning), row.code};
  }
  if (number && *number >= 0 && *number <= 65'535) return CmeError{static_cast<int>(*number), fmt::format("error {}", *number)};
  return CmeError{-1, escape_at_most(rest, 80)};
}

}  // namespace longline::modem
