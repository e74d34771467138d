// SPDX-License-Identifier: MIT
#include "modem/cme_error.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"

namespace longline::modem {
namespace {

struct Row {
  int number;
  std::string_view meaning;
  Errc code;
};

constexpr std::array kErrors = {
    Row{0, "phone failure", Errc::modem_error},
    Row{1, "no connection to phone", Errc::modem_error},
    Row{3, "operation not allowed", Errc::modem_error},
    Row{4, "operation not supported", Errc::modem_error},
    Row{5, "PH-SIM PIN required", Errc::sim_pin_refused},
    Row{6, "PH-FSIM PIN required", Errc::sim_pin_refused},
    Row{7, "PH-FSIM PUK required", Errc::sim_pin_refused},
    Row{10, "SIM not inserted", Errc::sim_missing},
    Row{11, "SIM PIN required", Errc::modem_error},
    Row{12, "SIM PUK required", Errc::sim_pin_refused},
    Row{13, "SIM failure", Errc::sim_missing},
    Row{14, "SIM busy", Errc::sim_missing},
    Row{15, "SIM wrong", Errc::sim_missing},
    Row{16, "incorrect password", Errc::sim_pin_refused},
    Row{17, "SIM PIN2 required", Errc::modem_error},
    Row{18, "SIM PUK2 required", Errc::modem_error},
    Row{30, "no network service", Errc::not_registered},
    Row{31, "network timeout", Errc::not_registered},
    Row{32, "network not allowed - emergency calls only", Errc::registration_denied},
    Row{40, "network personalization PIN required", Errc::sim_pin_refused},
    Row{100, "unknown", Errc::modem_error},
    Row{103, "illegal MS", Errc::registration_denied},
    Row{106, "illegal ME", Errc::registration_denied},
    Row{107, "GPRS services not allowed", Errc::registration_denied},
    Row{111, "PLMN not allowed", Errc::registration_denied},
    Row{112, "location area not allowed", Errc::registration_denied},
    Row{113, "roaming not allowed in this location area", Errc::registration_denied},
    Row{132, "service option not supported", Errc::registration_denied},
    Row{133, "requested service option not subscribed", Errc::registration_denied},
    Row{134, "service option temporarily out of order", Errc::no_carrier},
    Row{148, "unspecified GPRS error", Errc::no_carrier},
    Row{149, "PDP authentication failure", Errc::auth_refused},
    Row{150, "invalid mobile class", Errc::modem_error},
};

constexpr std::string_view kPrefix = "+CME ERROR:";

}  // namespace

std::optional<CmeError> parse_cme_error(std::string_view line) {
  line = trim(line);
  if (!iequals(line.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  const std::string_view rest = trim(line.substr(kPrefix.size()));
  const std::optional<std::int64_t> number = parse_integer(rest);
  for (const Row& row : kErrors) {
    if (number ? *number == row.number : iequals(rest, row.meaning)) return CmeError{row.number, std::string(row.meaning), row.code};
  }
  if (number && *number >= 0 && *number <= 65'535) return CmeError{static_cast<int>(*number), fmt::format("error {}", *number)};
  return CmeError{-1, escape_at_most(rest, 80)};
}

}  // namespace longline::modem
