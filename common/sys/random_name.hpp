// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace longline::sys {

/// 16 random letters and digits (80 bits): for Message-IDs and MIME boundaries.
std::string random_name();

}  // namespace longline::sys
