// SPDX-License-Identifier: MIT
#include "config/sections.hpp"

namespace longline::config {
namespace {

/// 3GPP TS 23.003, 9.1: at most 100 octets; what a quoted string of an AT command cannot hold is left out.
bool is_access_point(std::string_view text) {
  if (text.empty() || text.size() > 100) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) > 0x7E || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace

void read_gsm(TableReader& reader, const std::string& file, Link& link) {
  if (link.modem == ModemKind::gsm) {
    if (!reader.has("dial")) link.dial = "ATD";
    if (!reader.has("numbers")) link.numbers = {"*99***1#"};
  }
  if (reader.read("apn", link.apn) && !is_access_point(link.apn)) {
    reader.complain("apn", "bad-value", "an access point's name has 1 to 100 printable characters, no blank, quote or backslash");
  }
  read_secret(reader, file, "pin-file", "pin-command", link.pin);
  reader.read_duration("registration-timeout", kSecond, Duration(3'600'000), link.registration_timeout);
  reader.read("roaming", link.roaming);
  if (link.modem != ModemKind::gsm) {
    for (const std::string_view key : {"apn", "pin-file", "pin-command", "registration-timeout", "roaming"}) {
      if (reader.has(key)) reader.warn(key, "no-effect", "has an effect with modem = \"gsm\" only");
    }
  }
  if (reader.read_words("reset-command", link.reset_command)) {
    if (link.reset_command.empty()) reader.complain("reset-command", "bad-value", "must name a program");
    if (link.modem == ModemKind::none) reader.warn("reset-command", "no-effect", "has no effect without a modem");
  }
}

}  // namespace longline::config
