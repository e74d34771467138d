// SPDX-License-Identifier: MIT
#include "config/policy.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"

namespace longline::config {
namespace {

std::optional<unsigned> day_of(std::string_view name) {
  for (unsigned i = 0; i < kDayNames.size(); ++i) {
    if (iequals(kDayNames[i], name)) return i;
  }
  return std::nullopt;
}

/// "Mo", "Mo-Fr", "Sa-Mo" (over the week's end), "Mo,We,Fr".
std::optional<unsigned> parse_days(std::string_view text) {
  unsigned days = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::optional<unsigned> first = day_of(part.substr(0, dash));
    const std::optional<unsigned> last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (unsigned day = *first;; day = (day + 1) % 7) {
      days |= 1u << day;
      if (day == *last) break;
    }
  }
  return days;
}

/// "06:00" … "24:00" in minutes.
std::optional<int> parse_clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<std::int64_t> hour = parse_integer(text.substr(0, 2)), minute = parse_integer(text.substr(3));
  if (!hour || !minute || *hour < 0 || *minute < 0 || *minute > 59 || *hour * 60 + *minute > 24 * 60) return std::nullopt;
  return static_cast<int>(*hour * 60 + *minute);
}

}  // namespace

Result<Hours> parse_hours(std::string_view text) {
  const Error bad(Errc::malformed, fmt::format("'{}' is not like \"Mo-Fr 06:00-22:00\"", escape_at_most(text, 64)));
  const std::size_t space = text.find(' ');
  const std::string_view clock = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  const std::size_t dash = clock.find('-');
  const std::optional<unsigned> days = parse_days(text.substr(0, space));
  if (!days || dash == std::string_view::npos) return bad;
  const std::optional<int> from = parse_clock(clock.substr(0, dash)), until = parse_clock(clock.substr(dash + 1));
  if (!from || !until || *from >= *until) return bad;
  return Hours{*days, *from, *until};
}

Result<Backoff> parse_backoff(std::string_view text) {
  const std::size_t dots = text.find("..");
  Result<Duration> first = parse_duration(text.substr(0, dots));
  Result<Duration> longest = dots == std::string_view::npos ? first : parse_duration(text.substr(dots + 2));
  if (!first || !longest || first->count() == 0 || *longest < *first) {
    return Error(Errc::malformed, fmt::format("'{}' is not like \"10m..6h\"", escape_at_most(text, 64)));
  }
  return Backoff{*first, *longest};
}

std::string_view objection_to_ppp_option(std::string_view option) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 23> kTaken = {{
      {"detach", "pppd stays the supervisor's child"},
      {"updetach", "pppd stays the supervisor's child"},
      {"persist", "attempts, interval and backoff say when to call again"},
      {"demand", "dialctl demand dials for traffic"},
      {"connect", "numbers and script say how to connect"},
      {"disconnect", "the supervisor hangs up"},
      {"init", "init = […] sets the modem up"},
      {"welcome", "script says how to log in"},
      {"pty", "the line is the link's port"},
      {"notty", "the line is the link's port"},
      {"socket", "the line is the link's port"},
      {"record", "the line is the link's port"},
      {"logfd", "pppd's log goes to the supervisor"},
      {"logfile", "pppd's log goes to the supervisor"},
      {"call", "the host's files play no part"},
      {"file", "the host's files play no part"},
      {"defaultroute", "default-route = true, or \"replace\""},
      {"replacedefaultroute", "default-route = \"replace\""},
      {"usepeerdns", "dns = true"},
      {"idle", "idle = \"…\" counts real traffic"},
      {"maxconnect", "max-call = \"…\""},
      {"password", "password-file keeps it out of command lines"},
      {"show-password", "secrets stay out of logs"},
  }};
  for (const auto& [name, why] : kTaken) {
    if (option == name) return why;
  }
  if (option.starts_with("/dev/") || option.starts_with("tty")) return "the line is the link's port";
  return {};
}

}  // namespace longline::config
