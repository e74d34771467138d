// SPDX-License-Identifier: MIT
#include "route/route_key.hpp"

#include <bit>
#include <cstring>

namespace longline::route {

RouteKey key_of(const Route& route) { return {route.to, route.table, effective_metric(route), 0}; }

std::size_t hash_of(const RouteKey& key) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15u;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.to.address.bytes.data(), 8);
  std::memcpy(&low, key.to.address.bytes.data() + 8, 8);
  std::uint64_t hash = (high ^ std::rotl(low, 29)) * kMix;
  hash ^= (std::uint64_t{key.table} << 32 | key.metric) * 0xC2B2AE3D27D4EB4Fu;
  hash ^= static_cast<std::uint64_t>(key.to.length) << 8 | static_cast<std::uint64_t>(key.to.address.family) << 16 | key.tos;
  hash = (hash ^ (hash >> 31)) * kMix;
  return hash ^ (hash >> 29);
}

KeyIndex::KeyIndex(std::size_t expected) : slots_(std::bit_ceil(expected * 2 + 16)) {}

std::size_t KeyIndex::slot_of(const RouteKey& key) const {
  std::size_t at = hash_of(key) & (slots_.size() - 1);
  while (slots_[at].value != kNone && !(slots_[at].key == key)) at = (at + 1) & (slots_.size() - 1);
  return at;
}

std::size_t KeyIndex::insert(const RouteKey& key, std::size_t value) {
  if (used_ * 2 >= slots_.size()) grow();
  Slot& slot = slots_[slot_of(key)];
  if (slot.value == kNone) {
    slot = {key, value};
    ++used_;
  }
  return slot.value;
}

std::size_t KeyIndex::find(const RouteKey& key) const { return slots_[slot_of(key)].value; }

void KeyIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.value != kNone) slots_[slot_of(slot.key)] = slot;
  }
}

}  // namespace longline::route
