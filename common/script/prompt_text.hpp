// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace longline::script {

/// What a script should wait for before it answers: of `said`, what the host said last, the last words that are no escape sequences, as few as
/// make a usual prompt, and as many (of the lines before, too) as it takes not to match earlier in `heard`, all that came since the last
/// wait. Letter case does not count. No secret is in it. "" if there are no such words.
std::string prompt_text(std::string_view said, std::string_view heard, const std::vector<Secret>& secrets);

}  // namespace longline::script
