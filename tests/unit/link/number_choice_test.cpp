// SPDX-License-Identifier: MIT
#include "link/number_choice.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::link;

namespace {

/// "A B +60s A" for the dial order when every attempt fails with `failure`.
std::string order(std::vector<std::string> numbers, int attempts, Errc failure) {
  NumberChoice choice(std::move(numbers), attempts, Duration(60'000));
  std::string out;
  for (auto next = choice.first(); next; next = choice.next(failure)) {
    if (next->after.count() > 0) out += "+" + format_duration(next->after) + " ";
    out += next->number + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("numbers take turns, the interval lies between the rounds") {
  CHECK(order({"A", "B"}, 5, Errc::line_busy) == "A B +1m A B +1m A ");
  CHECK(order({"A"}, 3, Errc::no_answer) == "A +1m A +1m A ");
  CHECK(order({"A", "B", "C"}, 2, Errc::no_carrier) == "A B ");
}

TEST_CASE("a number where a person answers is not dialled again") {
  CHECK(order({"A", "B"}, 5, Errc::voice_answer) == "A B ");
  NumberChoice choice({"A", "B"}, 4, Duration(1'000));
  CHECK(choice.first()->number == "A");
  CHECK(choice.next(Errc::voice_answer)->number == "B");
  const auto next = choice.next(Errc::line_busy);
  CHECK(next->number == "B");
  CHECK(next->after == Duration(1'000));
}

TEST_CASE("what only a person can mend ends the attempts") {
  CHECK(order({"A", "B"}, 5, Errc::no_dial_tone) == "A ");
  CHECK(order({"A", "B"}, 5, Errc::modem_silent) == "A ");
  CHECK(order({"A", "B"}, 5, Errc::call_refused) == "A ");
}
