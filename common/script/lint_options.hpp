// SPDX-License-Identifier: MIT
#pragma once

#include "base/time.hpp"

namespace longline::script {

struct LintOptions {
  Duration deadline{300'000};   ///< of the run: chatrun's --deadline, a link's login-timeout
};

}  // namespace longline::script
