// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "script/scp/program.hpp"

/// The ways through a program, for the lint. Conditions that are written TRUE or FALSE are followed one way only.
namespace longline::script::scp {

class Flow {
 public:
  explicit Flow(const Program& program);

  const std::vector<std::size_t>& after(std::size_t address) const { return successors_[address]; }
  /// Can it be reached from the first command?
  bool reachable(std::size_t address) const { return reachable_[address]; }
  /// Is there a way from here to an end of the script?
  bool can_end(std::size_t address) const { return can_end_[address]; }
  /// Where a wait goes when its time is over: what stands behind it.
  static std::size_t behind(std::size_t address) { return address + 1; }

 private:
  std::vector<std::vector<std::size_t>> successors_;
  std::vector<bool> reachable_;
  std::vector<bool> can_end_;
};

/// Seconds that a delay or a waitfor may take, if they are written as a number; else 0.
std::int64_t written_seconds(const Program& program, std::size_t address);

}  // namespace longline::script::scp
