// SPDX-License-Identifier: MIT
#include "script/matcher.hpp"

#include <doctest/doctest.h>

#include <random>

#include "base/text.hpp"

using namespace longline;
using namespace longline::script;

namespace {

bool same(Matcher::Compare compare, std::string tail, const std::string& pattern) {
  if (compare == Matcher::Compare::caseless) return iequals(tail, pattern);
  if (compare == Matcher::Compare::seven_bits) {
    for (char& c : tail) c = static_cast<char>(c & 0x7F);
  }
  return tail == pattern;
}

/// The rule itself, slowly.
std::optional<Matcher::Match> slow(const std::vector<Matcher::Pattern>& patterns, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const std::string& p = patterns[i].bytes;
      if (p.size() > end) continue;
      const std::string tail = text.substr(end - p.size(), p.size());
      if (same(patterns[i].compare, tail, p)) return Matcher::Match{i, end};
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("the matcher agrees with the rule on random strings, cut anywhere") {
  std::mt19937 random(175410);
  const auto word = [&](std::size_t longest, std::string_view letters) {
    std::string out;
    for (std::size_t n = 1 + random() % longest; n > 0; --n) out += letters[random() % letters.size()];
    return out;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Matcher::Pattern> patterns;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) patterns.push_back({word(5, "abAB"), static_cast<Matcher::Compare>(random() % 3)});
    const std::string text = word(30, "abAB\xE1\xC2");
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
  Matcher matcher({{"x"}, {""}});
  CHECK(matcher.feed("")->pattern == 1);
}
