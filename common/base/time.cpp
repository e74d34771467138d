// SPDX-License-Identifier: MIT
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "base/decimal.hpp"
#include "base/text.hpp"

namespace longline {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kUnits = {Unit{"w", 604'800'000}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
                               Unit{"m", 60'000},      Unit{"s", 1'000},      Unit{"ms", 1}};
constexpr std::int64_t kMost = 10LL * 366 * 86'400'000;

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second, millisecond;
};

Civil civil(WallTime t) {
  using namespace std::chrono;
  t = std::max(t, WallTime::min() + days(1));   // the first day of all begins before what a WallTime holds
  const auto day = floor<days>(t);
  const year_month_day ymd(day);
  const int ms = int((t - day).count());
  return {int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()), ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60, ms % 1'000};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const Error bad(Errc::malformed, fmt::format("'{}' is not a time; write it like 90s, 2m, 1h30m or 5d", escape_at_most(text, 64)));
  std::int64_t total = 0;
  std::string_view rest = text;
  do {
    const bool first = rest.size() == text.size();
    const std::optional<Decimal> number = take_decimal(rest);
    if (!number) return bad;
    std::size_t letters = 0;
    while (letters < rest.size() && !is_digit(rest[letters])) ++letters;
    std::string_view unit = rest.substr(0, letters);
    if (unit.empty() && first) unit = "s";
    rest.remove_prefix(letters);
    std::int64_t scale = 0;
    for (const Unit& u : kUnits) {
      if (u.name == unit) scale = u.milliseconds;
    }
    const std::optional<std::int64_t> part = scale == 0 ? std::nullopt : number->times(scale, kMost - total);
    if (!part) return bad;
    total += *part;
  } while (!rest.empty());
  return Duration(total);
}

std::string format_duration(Duration d) {
  std::int64_t rest = d.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  if (rest < 0) rest = -rest;
  for (const Unit& u : kUnits) {
    if (u.name == "w") continue;
    if (rest >= u.milliseconds) {
      out += std::to_string(rest / u.milliseconds);
      out += u.name;
      rest %= u.milliseconds;
    }
  }
  return out;
}

std::string format_iso8601(WallTime t) { return std::string(Iso8601(t).view()); }

Iso8601::Iso8601(WallTime t) {
  const Civil c = civil(t);
  char* at = text_.data();
  const auto put = [&](int two_digits, char behind) {
    *at++ = static_cast<char>('0' + two_digits / 10);
    *at++ = static_cast<char>('0' + two_digits % 10);
    if (behind != '\0') *at++ = behind;
  };
  if (c.year < 0 || c.year > 9999) {
    at = fmt::format_to(at, "{:04}-", c.year);
  } else {
    put(c.year / 100, '\0');
    put(c.year % 100, '-');
  }
  put(static_cast<int>(c.month), '-');
  put(static_cast<int>(c.day), 'T');
  put(c.hour, ':');
  put(c.minute, ':');
  put(c.second, c.millisecond == 0 ? 'Z' : '.');
  if (c.millisecond != 0) {
    *at++ = static_cast<char>('0' + c.millisecond / 100);
    put(c.millisecond % 100, 'Z');
  }
  size_ = static_cast<std::size_t>(at - text_.data());
}

Result<WallTime> parse_iso8601(std::string_view text) {
  const auto bad = [&] { return Error(Errc::malformed, fmt::format("'{}' is not a time like 2026-11-22T23:10:51Z", text)); };
  const auto number = [&](std::size_t at, std::size_t count, int& out) {
    if (at + count > text.size()) return false;
    const auto [end, failure] = std::from_chars(text.data() + at, text.data() + at + count, out);
    return failure == std::errc() && end == text.data() + at + count && is_digit(text[at]);
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text.back() != 'Z' || !number(0, 4, year) || !number(5, 2, month) || !number(8, 2, day) ||
      !number(11, 2, hour) || !number(14, 2, minute) || !number(17, 2, second)) {
    return bad();
  }
  if (text.size() == 24 ? (text[19] != '.' || !number(20, 3, millisecond)) : text.size() != 20) return bad();
  using namespace std::chrono;
  const year_month_day ymd{std::chrono::year(year), std::chrono::month(unsigned(month)), std::chrono::day(unsigned(day))};
  if (!ymd.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  return WallTime(sys_days(ymd)) + hours(hour) + minutes(minute) + seconds(second) + milliseconds(millisecond);
}

std::string format_rfc5322(WallTime t) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil c = civil(t);
  const std::chrono::weekday weekday(std::chrono::floor<std::chrono::days>(t));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[weekday.c_encoding()], c.day,
                     kMonths[c.month - 1], c.year, c.hour, c.minute, c.second);
}

}  // namespace longline
