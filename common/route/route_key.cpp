// SPDX-License-Identifier: MIT
#include "route/route_key.hpp"

#include <bit>
#include <cstring>

namespace longline::route {

RouteKey key_of(const Route& route) { return {route.to, route.table, effective_metric(route), 0}; }

std::uint32_t hash_of(const RouteKey& key) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15u;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.to.address.bytes.data(), 8);
  std::memcpy(&low, key.to.address.bytes.data() + 8, 8);
  std::uint64_t hash = (high ^ std::rotl(low, 29)) * kMix;
  hash ^= (std::uint64_t{key.table} << 32 | key.metric) * 0xC2B2AE3D27D4EB4Fu;
  hash ^= static_cast<std::uint64_t>(key.to.length) << 8 | static_cast<std::uint64_t>(key.to.address.family) << 16 | key.tos;
  hash = (hash ^ (hash >> 31)) * kMix;
  return static_cast<std::uint32_t>(hash >> 32);
}

KeyIndex::KeyIndex(std::size_t expected) : slots_(std::bit_ceil(expected * 2 + 16)) { entries_.reserve(expected); }

std::size_t KeyIndex::slot_of(const RouteKey& key, std::uint32_t hash) const {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].entry != 0 && !(slots_[at].hash == hash && entries_[slots_[at].entry - 1].key == key)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

std::size_t KeyIndex::insert(const RouteKey& key, std::size_t value) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::uint32_t hash = hash_of(key);
  Slot& slot = slots_[slot_of(key, hash)];
  if (slot.entry != 0) return entries_[slot.entry - 1].value;
  entries_.push_back({key, value});
  slot = {hash, static_cast<std::uint32_t>(entries_.size())};
  return value;
}

std::size_t KeyIndex::find(const RouteKey& key) const {
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  return slot.entry == 0 ? kNone : entries_[slot.entry - 1].value;
}

void KeyIndex::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
  for (const Slot& slot : slots_) {
    if (slot.entry == 0) continue;
    std::size_t at = slot.hash & (larger.size() - 1);
    while (larger[at].entry != 0) at = (at + 1) & (larger.size() - 1);
    larger[at] = slot;
  }
  slots_ = std::move(larger);
}

}  // namespace longline::route
