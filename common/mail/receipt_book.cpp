// SPDX-License-Identifier: MIT
#include "mail/receipt_book.hpp"

#include <utility>

namespace longline::mail {

void ReceiptBook::join(const Receipt& part) {
  const auto [place, fresh] = parts_.try_emplace(part.id, part);
  if (!fresh) merge(place->second, part);
}

void ReceiptBook::note(const Receipt& part) { join(part); }

std::optional<Receipt> ReceiptBook::close_one(const std::string& id) {
  const auto open = open_.find(id);
  if (open == open_.end() || --open->second > 0) return std::nullopt;
  open_.erase(open);
  const auto whole = parts_.extract(id);
  return whole.empty() ? std::nullopt : std::optional<Receipt>(whole.mapped());
}

std::optional<Receipt> ReceiptBook::add(const Receipt& part) {
  join(part);
  return close_one(part.id);
}

std::optional<Receipt> ReceiptBook::drop(const std::string& id) { return close_one(id); }

std::vector<std::pair<bool, Receipt>> ReceiptBook::rest() {
  std::vector<std::pair<bool, Receipt>> out;
  for (auto& [id, receipt] : parts_) out.emplace_back(open_.contains(id), std::move(receipt));
  parts_.clear();
  open_.clear();
  return out;
}

}  // namespace longline::mail
