// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace longline::script::chat {

/// CLR_ABORT, CLR_REPORT: takes `gone` out of the declared strings; how many there were. `as_chat`: chat(8) looks at one string less for each
/// that it finds, so that of one declared twice the last may stay.
std::size_t clear_declared(std::vector<std::string>& declared, const std::string& gone, bool as_chat);

}  // namespace longline::script::chat
