// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mail/receipt.hpp"

namespace longline::mail {

/// Joins what the lanes of one flush say of the same message: it has one receipt, whole when the last lane has spoken.
class ReceiptBook {
 public:
  /// One lane more will speak of this message of the snapshot.
  void expect(const std::string& id) { ++open_[id]; }
  /// A part that is no lane's: recipients whom none serves. After expect().
  void note(const Receipt& part);
  /// What a lane says. The receipt, when it is whole. Mail that is not of the snapshot has no number of lanes: it is whole at the end.
  std::optional<Receipt> add(const Receipt& part);
  /// A lane has nothing to say after all. The receipt, when that makes it whole.
  std::optional<Receipt> drop(const std::string& id);
  /// At the end: what is left, by id; `first`: whether it is of the snapshot.
  std::vector<std::pair<bool, Receipt>> rest();
  bool expects(const std::string& id) const { return open_.contains(id); }

 private:
  void join(const Receipt& part);
  std::optional<Receipt> close_one(const std::string& id);
  std::map<std::string, int> open_;
  std::map<std::string, Receipt> parts_;
};

}  // namespace longline::mail
