// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mail/receipt.hpp"

namespace longline::mail {

/// Joins what the lanes of one flush say of the same message: it has one receipt, whole when the last lane has spoken. Nearly all messages
/// are one lane's: of these nothing is kept.
class ReceiptBook {
 public:
  /// One lane more than the first will speak of this message of the snapshot.
  void expect_another(const std::string& id) { ++others_[id]; }
  /// A part that is no lane's: recipients whom none serves. Some lane has yet to speak of the message, or to drop it.
  void note(const Receipt& part, bool in_snapshot);
  /// What a lane says. The receipt, when it is whole. Mail that is not of the snapshot has no number of lanes: it is whole at the end.
  std::optional<Receipt> add(const Receipt& part, bool in_snapshot);
  /// A lane has nothing to say after all. The receipt, when that makes it whole.
  std::optional<Receipt> drop(const std::string& id);
  /// At the end: what is left, by id; `first`: whether it is of the snapshot.
  std::vector<std::pair<bool, Receipt>> rest();

 private:
  bool was_last(const std::string& id);
  std::map<std::string, int> others_;                       // more than one lane
  std::map<std::string, std::pair<bool, Receipt>> parts_;   // not whole yet
};

}  // namespace longline::mail
