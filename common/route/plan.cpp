// SPDX-License-Identifier: MIT
#include "route/plan.hpp"

#include <algorithm>
#include <optional>

namespace longline::route {
namespace {

bool is_reject(const KernelRoute& route) { return route.type != rt::kUnicast; }

/// 0: goes first; see plan().
int turn(const Change& change) {
  switch (change.kind) {
    case ChangeKind::conflict: return 0;
    case ChangeKind::remove: return is_reject(*change.now) ? 1 : 4;
    case ChangeKind::add:
    case ChangeKind::replace: return change.then->route.via ? 3 : 2;
  }
  return 4;
}

}  // namespace

bool satisfies(const KernelRoute& present, const KernelRoute& target) {
  if (present.other || present.type != target.type || present.mtu != target.mtu || present.source != target.source) return false;
  if (is_reject(target)) return true;
  return present.via == target.via && present.onlink == target.onlink &&
         (target.interface == 0 || present.interface == target.interface);
}

namespace {

/// Finds our own routes in the kernel's table. What `export` wrote, and many a file, has the order of the kernel's dump:
/// then the next route is the one that is looked for, and no index is made.
class OwnRoutes {
 public:
  explicit OwnRoutes(const std::vector<KernelRoute>& present) : present_(present) {}

  std::size_t find(const RouteKey& key) {
    while (next_ < present_.size() && !present_[next_].is_own()) ++next_;
    std::size_t at = next_;
    if (at >= present_.size() || present_[at].key() != key) at = look_up(key);
    if (at != KeyIndex::kNone) next_ = at + 1;
    return at;
  }

 private:
  std::size_t look_up(const RouteKey& key) {
    if (!index_) {
      index_.emplace(present_.size());
      // An own route may exist beside another of its key only if somebody appended it: the second one has to go.
      for (std::size_t i = 0; i < present_.size(); ++i) {
        if (present_[i].is_own()) index_->insert(present_[i].key(), i);
      }
    }
    return index_->find(key);
  }

  const std::vector<KernelRoute>& present_;
  std::size_t next_ = 0;
  std::optional<KeyIndex> index_;
};

}  // namespace

std::vector<Change> plan(const Resolved& wanted, const KernelState& kernel) {
  const std::vector<KernelRoute>& present = kernel.routes;
  OwnRoutes own(present);
  std::vector<bool> kept(present.size(), false);
  std::vector<Change> changes;
  std::vector<const Target*> missing;
  for (const Target& target : wanted.targets) {
    const std::size_t at = own.find(target.route.key());
    if (at == KeyIndex::kNone) {
      missing.push_back(&target);
      continue;
    }
    kept[at] = true;
    if (!satisfies(present[at], target.route)) changes.push_back({ChangeKind::replace, &target, &present[at]});
  }
  if (!missing.empty()) {
    KeyIndex foreign(0);
    for (std::size_t i = 0; i < present.size(); ++i) {
      if (!present[i].is_own()) foreign.insert(present[i].key(), i);
    }
    for (const Target* target : missing) {
      const std::size_t at = foreign.find(target->route.key());
      if (at == KeyIndex::kNone) changes.push_back({ChangeKind::add, target, nullptr});
      else changes.push_back({ChangeKind::conflict, target, &present[at]});
    }
  }
  for (std::size_t i = 0; i < present.size(); ++i) {
    if (present[i].is_own() && !kept[i]) changes.push_back({ChangeKind::remove, nullptr, &present[i]});
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return turn(a) < turn(b); });
  return changes;
}

std::vector<Step> steps(const std::vector<Change>& changes) {
  std::vector<Step> out;
  out.reserve(changes.size());
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::conflict) continue;
    if (change.kind != ChangeKind::add) out.push_back({false, change.now, &change});
    if (change.kind != ChangeKind::remove) out.push_back({true, &change.then->route, &change});
  }
  return out;
}

std::vector<Step> undo(const std::vector<Step>& steps, std::size_t count) {
  std::vector<Step> out;
  for (std::size_t i = std::min(count, steps.size()); i > 0; --i) {
    Step step = steps[i - 1];
    step.add = !step.add;
    out.push_back(step);
  }
  return out;
}

void encode(std::string& out, const Step& step) {
  if (step.add) encode_add(out, *step.route);
  else encode_delete(out, *step.route);
}

}  // namespace longline::route
