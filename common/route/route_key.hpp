// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "route/route.hpp"

namespace longline::route {

/// What the kernel holds at most one route for (unless somebody appends): a second one is EEXIST.
struct RouteKey {
  Prefix to{};
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;     ///< the effective one
  std::uint8_t tos = 0;

  auto operator<=>(const RouteKey&) const = default;
};

RouteKey key_of(const Route& route);
std::uint32_t hash_of(const RouteKey& key);

/// Finds numbers by key; made for a hundred thousand routes at a time, which std::unordered_map is too slow for.
class KeyIndex {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit KeyIndex(std::size_t expected);
  /// Keeps `value` unless the key is there already; returns the value that the key has now.
  std::size_t insert(const RouteKey& key, std::size_t value);
  std::size_t find(const RouteKey& key) const;

 private:
  struct Entry {
    RouteKey key{};
    std::size_t value = 0;
  };
  struct Slot {                     // 8 bytes, so that the whole table stays in the cache
    std::uint32_t hash = 0;
    std::uint32_t entry = 0;        // from 1; 0: free
  };
  std::size_t slot_of(const RouteKey& key, std::uint32_t hash) const;
  void grow();
  std::vector<Slot> slots_;
  std::vector<Entry> entries_;
};

}  // namespace longline::route
