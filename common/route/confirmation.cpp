// SPDX-License-Identifier: MIT
#include "route/confirmation.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace longline::route {
namespace {

constexpr std::size_t kLongestWord = 100;

bool is_word(std::string_view text) { return !text.empty() && text.size() <= kLongestWord; }

}  // namespace

Standing standing(const Confirmation& confirmation, std::string_view boot, Duration since_boot) {
  if (confirmation.boot != boot) return Standing::void_;
  const Duration left = confirmation.deadline - since_boot;
  return left <= Duration(0) || left > confirmation.limit ? Standing::due : Standing::waits;
}

std::string to_string(const Confirmation& c) {
  return fmt::format("{} {} {} {}\n", c.id, c.boot, c.deadline.count(), c.limit.count());
}

std::optional<Confirmation> parse_confirmation(std::string_view text) {
  const std::vector<std::string_view> words = split(trim(text), ' ');
  if (words.size() != 4 || !is_word(words[0]) || !is_word(words[1])) return std::nullopt;
  const std::optional<std::int64_t> deadline = parse_integer(words[2]);
  const std::optional<std::int64_t> limit = parse_integer(words[3]);
  // Differences of two such times must not overflow.
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  if (!deadline || !limit || *deadline < 0 || *limit < 0 || *deadline > kMost || *limit > kMost) return std::nullopt;
  return Confirmation{std::string(words[0]), std::string(words[1]), Duration(*deadline), Duration(*limit)};
}

Result<std::string> table_before(const std::vector<Wanted>& in_force, const Resolved& resolved, const KernelState& kernel) {
  KeyIndex targets(resolved.targets.size());
  for (std::size_t i = 0; i < resolved.targets.size(); ++i) targets.insert(resolved.targets[i].route.key(), i);
  KeyIndex others(0);
  std::string rest;
  for (std::size_t i = 0; i < kernel.routes.size(); ++i) {
    const KernelRoute& present = kernel.routes[i];
    if (!present.is_own()) continue;
    const std::size_t at = targets.find(present.key());
    if (at != KeyIndex::kNone && satisfies(present, resolved.targets[at].route)) continue;
    if (!can_be_said(present)) {
      return Error(Errc::route_refused,
                   fmt::format("'{}' has parts that a file of routes cannot say, so it could not be put back", to_string(present, kernel.interfaces)),
                   Stage::route)
          .with_hint("nothing was changed; remove it first, or apply without --confirm");
    }
    // Of two routes with one key a file can hold one.
    if (others.insert(present.key(), i) == i) rest += to_string(describe(present, kernel.interfaces)) + '\n';
  }
  std::string out;
  for (const Wanted& wanted : in_force) {
    if (others.find(key_of(wanted.route)) == KeyIndex::kNone) out += to_string(wanted.route) + '\n';
  }
  return out + rest;
}

}  // namespace longline::route
