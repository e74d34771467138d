// SPDX-License-Identifier: MIT
#include "mail/smtp_peer.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kMostMechanisms = 32;

void learn_limits(SmtpPeer& peer, std::string_view limits) {
  for (const std::string_view limit : split(limits, ' ')) {
    const std::size_t equals = limit.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = to_lower(limit.substr(0, equals));
    const auto value = parse_integer(limit.substr(equals + 1));
    if (!value || *value < 1 || *value > 1'000'000) continue;
    if (name == "rcptmax") peer.recipients_max = static_cast<std::size_t>(*value);
    if (name == "mailmax") peer.messages_max = static_cast<std::size_t>(*value);
  }
}

void learn_mechanisms(SmtpPeer& peer, std::string_view mechanisms) {
  for (const std::string_view name : split(mechanisms, ' ')) {
    const std::string upper = to_upper(trim(name));
    const bool known = std::find(peer.auth.begin(), peer.auth.end(), upper) != peer.auth.end();
    if (!upper.empty() && !known && peer.auth.size() < kMostMechanisms) peer.auth.push_back(upper);
  }
}

}  // namespace

void learn_extension(SmtpPeer& peer, std::string_view line) {
  std::string keyword = to_lower(first_word(line));
  std::string_view rest = trim(line.substr(keyword.size()));
  if (keyword.starts_with("auth=")) {  // as Exchange 5 and its contemporaries wrote it
    rest = trim(line.substr(5));
    keyword = "auth";
  }
  if (keyword == "pipelining") peer.pipelining = true;
  if (keyword == "chunking") peer.chunking = true;
  if (keyword == "8bitmime") peer.eight_bit_mime = true;
  if (keyword == "smtputf8") peer.smtputf8 = true;
  if (keyword == "dsn") peer.dsn = true;
  if (keyword == "starttls") peer.starttls = true;
  if (keyword == "etrn") peer.etrn = true;
  if (keyword == "atrn") peer.atrn = true;
  if (keyword == "turn") peer.turn = true;
  if (keyword == "size") {
    peer.size = true;
    peer.size_limit = static_cast<std::uint64_t>(std::max<std::int64_t>(0, parse_integer(first_word(rest)).value_or(0)));
  }
  if (keyword == "auth") learn_mechanisms(peer, rest);
  if (keyword == "limits") learn_limits(peer, rest);
}

}  // namespace longline::mail
