// SPDX-License-Identifier: MIT
#include "mail/receipt_book.hpp"

namespace longline::mail {

void ReceiptBook::note(const Receipt& part, bool in_snapshot) {
  const auto [place, fresh] = parts_.try_emplace(part.id, in_snapshot, part);
  if (!fresh) merge(place->second.second, part);
}

bool ReceiptBook::was_last(const std::string& id) {
  const auto others = others_.find(id);
  if (others == others_.end()) return true;
  if (--others->second == 0) others_.erase(others);
  return false;
}

std::optional<Receipt> ReceiptBook::add(const Receipt& part, bool in_snapshot) {
  if (in_snapshot && !others_.contains(part.id) && !parts_.contains(part.id)) return part;
  note(part, in_snapshot);
  return in_snapshot ? drop(part.id) : std::nullopt;
}

std::optional<Receipt> ReceiptBook::drop(const std::string& id) {
  if (!was_last(id)) return std::nullopt;
  auto whole = parts_.extract(id);
  return whole.empty() ? std::nullopt : std::optional<Receipt>(std::move(whole.mapped().second));
}

std::vector<std::pair<bool, Receipt>> ReceiptBook::rest() {
  std::vector<std::pair<bool, Receipt>> out;
  for (auto& [id, part] : parts_) out.push_back(std::move(part));
  parts_.clear();
  others_.clear();
  return out;
}

}  // namespace longline::mail
