// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

#include "base/exit_status.hpp"
#include "common/tool.hpp"

namespace longline::mtaq {

/// What could not be done of a verb that goes on with the rest. The first failure is the status; the others are said when they come.
class Failures {
 public:
  explicit Failures(const tools::CommonOptions& common) : common_(common) {}
  void add(Error error) {
    if (first_) tools::print_error("mtaq", common_, error);
    else first_ = std::move(error);
  }
  Result<ExitStatus> status() && {
    if (first_) return std::move(*first_);
    return ExitStatus::ok;
  }

 private:
  const tools::CommonOptions& common_;
  std::optional<Error> first_;
};

}  // namespace longline::mtaq
