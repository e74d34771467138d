// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace longline::link {

/// Which number to dial next, and when: the attempts of one call of `up`, over all numbers. The numbers take turns; the interval is
/// kept between two rounds, not between two numbers of one round (another number is another line). A number where a
/// person answered is not dialled again. A failure that only a person or time can change ends the attempts.
class NumberChoice {
 public:
  NumberChoice(std::vector<std::string> numbers, int attempts, Duration interval);

  struct Next {
    std::string number;
    Duration after;      ///< how long to wait first
  };
  std::optional<Next> first();
  /// After an attempt failed; nullopt: that was the last.
  std::optional<Next> next(Errc failure);

 private:
  std::optional<Next> choose(bool first);
  std::vector<std::string> numbers_;
  std::vector<bool> excluded_;
  std::size_t at_ = 0;
  int left_;
  Duration interval_;
};

}  // namespace longline::link
