// SPDX-License-Identifier: MIT
#include "script/matcher.hpp"

#include <doctest/doctest.h>

#include <random>

#include "base/text.hpp"

using namespace longline;
using namespace longline::script;

namespace {

/// The rule itself, slowly.
std::optional<Matcher::Match> slow(const std::vector<Matcher::Pattern>& patterns, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const std::string& p = patterns[i].bytes;
      if (p.size() > end) continue;
      const std::string tail = text.substr(end - p.size(), p.size());
      if (patterns[i].matchcase ? tail == p : iequals(tail, p)) return Matcher::Match{i, end};
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("the matcher agrees with the rule on random strings, cut anywhere") {
  std::mt19937 random(175410);
  const auto word = [&](std::size_t longest) {
    std::string out;
    for (std::size_t n = 1 + random() % longest; n > 0; --n) out += "abAB"[random() % 4];
    return out;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Matcher::Pattern> patterns;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) patterns.push_back({word(5), random() % 2 == 0});
    const std::string text = word(30);
    const auto expected = slow(patterns, text);
    const std::size_t cut = random() % (text.size() + 1);
    Matcher matcher(patterns);
    auto found = matcher.feed(text.substr(0, cut));
    if (!found) {
      found = matcher.feed(text.substr(cut));
      if (found) found->end += cut;
    }
    REQUIRE(found.has_value() == expected.has_value());
    if (found) {
      REQUIRE(found->pattern == expected->pattern);
      REQUIRE(found->end == expected->end);
    }
  }
}

TEST_CASE("an empty string is there before any byte") {
  Matcher matcher({{"x", false}, {"", false}});
  CHECK(matcher.feed("")->pattern == 1);
}
