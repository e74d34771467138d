// SPDX-License-Identifier: MIT
#include "modem/command_limit.hpp"

#include <array>

#include "base/text.hpp"

namespace longline::modem {
namespace {

struct KnownLimit {
  std::string_view command;   // its start; the longest row that fits counts
  Duration limit;
};

constexpr Duration kOther{5'000};
constexpr std::array kLimits = {
    KnownLimit{"AT+CMEE", Duration(2'000)},
    KnownLimit{"AT+CPIN?", Duration(5'000)},
    KnownLimit{"AT+CPIN=", Duration(20'000)},    // the SIM computes, and some modems attach before they answer
    KnownLimit{"AT+CGDCONT=", Duration(5'000)},
    KnownLimit{"AT+CREG?", Duration(5'000)},
    KnownLimit{"AT+CGREG?", Duration(5'000)},
    KnownLimit{"AT+CEREG?", Duration(5'000)},
    KnownLimit{"AT+CSQ", Duration(5'000)},
    KnownLimit{"AT+CEER", Duration(5'000)},
    KnownLimit{"AT+CFUN=1,1", Duration(5'000)},  // the OK; the restart comes after it
};

}  // namespace

Duration command_limit(std::string_view command) {
  Duration limit = kOther;
  std::size_t longest = 0;
  for (const KnownLimit& row : kLimits) {
    if (row.command.size() < longest || !iequals(command.substr(0, row.command.size()), row.command)) continue;
    longest = row.command.size();
    limit = row.limit;
  }
  return limit;
}

}  // namespace longline::modem
