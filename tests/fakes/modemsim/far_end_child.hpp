// SPDX-License-Identifier: MIT
// The child's side of starting the far end: everything is prepared before the fork, so that the child only makes system calls.
#pragma once

#include <string>
#include <vector>

#include "far_end.hpp"

namespace modemsim {

class ChildPlan {
 public:
  ChildPlan(const FarEndScenario& scenario, const FarEnd::Caller& caller);

  // In the child: a session of its own, stdin, stdout, stderr, directory, then the command. Does not return.
  [[noreturn]] void become(int input, int output) const;

 private:
  const FarEndScenario& scenario_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
};

}  // namespace modemsim
