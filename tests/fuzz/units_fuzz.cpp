// SPDX-License-Identifier: MIT
// Sizes, times and patterns as people write them: within their bounds, and what exact arithmetic says.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "base/decimal.hpp"
#include "base/host_name.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "mail/filter.hpp"

using namespace longline;

namespace {

void check_decimal(std::string_view text) {
  const std::string_view whole = text;
  const auto number = take_decimal(text);
  if (!number) {
    assert(text == whole);
    return;
  }
  assert(text.size() < whole.size() && number->whole >= 0 && number->fraction >= 0 && number->fraction < number->parts);
  for (const std::int64_t scale : {std::int64_t{1}, std::int64_t{1000}, std::int64_t{604'800'000}, std::int64_t{1} << 30}) {
    __extension__ using Wide = __int128;
    const Wide exact = (Wide(number->whole) * number->parts + number->fraction) * scale / number->parts;
    for (const std::int64_t most : {std::int64_t{0}, std::int64_t{100'000}, std::numeric_limits<std::int64_t>::max()}) {
      const auto product = number->times(scale, most);
      assert(!product || (*product == exact && *product <= most));
      assert(product || exact > most || (scale == 1 && number->parts != 1) || (exact == 0 && number->fraction != 0));
    }
  }
}

void check_pattern(const std::string& text) {
  std::string marks;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(character_length(rest))) {
    assert(character_length(rest) >= 1 && character_length(rest) <= 4 && character_length(rest) <= rest.size());
    marks += '?';
  }
  assert(mail::glob_match(marks, text) && !mail::glob_match(marks + "?", text) && mail::glob_match("*" + marks, text));
  assert(mail::glob_match("*", text) && (text.find_first_of("*?") != std::string::npos || mail::glob_match(text, text)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = parse_size(text)) assert(*bytes >= 0);
  if (const auto time = parse_duration(text)) {
    assert(*time >= Duration(0) && *time <= Duration(10LL * 366 * 86'400'000));
    assert(*parse_duration(format_duration(*time)) == *time);
  }
  check_decimal(text);
  if (size <= 256) check_pattern(text);
  if (!objection_to_host_name(text)) assert(text.find_first_of(std::string_view(" \r\n\0[]*", 7)) == std::string::npos && size <= 255);
  if (is_address_literal(text)) assert(text.find_first_of("\r\n") == std::string::npos);
  return 0;
}
