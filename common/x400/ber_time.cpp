// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "x400/ber.hpp"

namespace longline::x400 {
namespace {

Error bad_time(std::string_view text) { return Error(Errc::malformed, fmt::format("'{}' is not a time", escape_at_most(text, 40))); }

struct Civil {
  int year, month, day, hour, minute, second;
};

Civil civil(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<Duration> clock(time - day);
  return {int(date.year()), int(unsigned(date.month())), int(unsigned(date.day())), int(clock.hours().count()), int(clock.minutes().count()),
          int(clock.seconds().count())};
}

WallTime start_of(int year) { return WallTime(std::chrono::sys_days(std::chrono::year(year) / std::chrono::January / 1)); }

/// Takes numbers of two digits, fractions and zones off the front of a time's text.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}
  bool has_digits() const { return rest_.size() >= 2 && is_digit(rest_[0]) && is_digit(rest_[1]); }
  /// -1: there are none.
  int two() {
    if (!has_digits()) return -1;
    const int value = (rest_[0] - '0') * 10 + (rest_[1] - '0');
    rest_.remove_prefix(2);
    return value;
  }
  /// Of the unit before it, in thousandths; 0 without one. False: a point without digits.
  bool fraction(int& thousandths) {
    thousandths = 0;
    if (rest_.empty() || (rest_[0] != '.' && rest_[0] != ',')) return true;
    rest_.remove_prefix(1);
    int scale = 100, digits = 0;
    for (; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1), ++digits, scale /= 10) thousandths += (rest_[0] - '0') * scale;
    return digits > 0;
  }
  /// What must be taken off to get UTC. False: not a zone, or something is behind it. `needed`: no zone is an error.
  bool zone(Duration& offset, bool needed) {
    offset = Duration(0);
    if (rest_.empty()) return !needed;
    const char sign = rest_[0];
    rest_.remove_prefix(1);
    if (sign == 'Z') return rest_.empty();
    if (sign != '+' && sign != '-') return false;
    const int hour = two();
    const int minute = rest_.empty() ? 0 : two();
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !rest_.empty()) return false;
    offset = (std::chrono::hours(hour) + std::chrono::minutes(minute)) * (sign == '-' ? -1 : 1);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string encode_utc_time(WallTime time) {
  const Civil c = civil(std::clamp(time, start_of(1950), start_of(2050) - std::chrono::seconds(1)));
  return fmt::format("{:02}{:02}{:02}{:02}{:02}{:02}Z", c.year % 100, c.month, c.day, c.hour, c.minute, c.second);
}

std::string encode_generalized_time(WallTime time) {
  const Civil c = civil(std::clamp(time, start_of(0), start_of(10000) - std::chrono::seconds(1)));
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

namespace {

Result<WallTime> decode_time(std::string_view text, bool generalized) {
  TimeText rest(text);
  int year = rest.two();
  if (generalized) {
    const int low = rest.two();
    year = year < 0 || low < 0 ? -1 : year * 100 + low;
  } else if (year >= 0) {
    year += year < 50 ? 2000 : 1900;
  }
  const int month = rest.two();
  const int day = rest.two();
  const int hour = rest.two();
  const int minute = rest.has_digits() ? rest.two() : (generalized ? 0 : -1);
  const bool has_seconds = rest.has_digits();
  const int second = has_seconds ? rest.two() : 0;
  if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0) return bad_time(text);
  int thousandths = 0;
  Duration offset{};
  // A fraction of hours or minutes is legal and never seen; it is dropped.
  if ((generalized && !rest.fraction(thousandths)) || !rest.zone(offset, !generalized)) return bad_time(text);
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)), std::chrono::day(unsigned(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad_time(text);
  return WallTime(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + milliseconds(has_seconds ? thousandths : 0) - offset;
}

}  // namespace

Result<WallTime> decode_utc_time(std::string_view text) { return decode_time(text, false); }
Result<WallTime> decode_generalized_time(std::string_view text) { return decode_time(text, true); }

}  // namespace longline::x400
