// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "script/matcher.hpp"

/// The words in which a run says why it failed: one line, escaped, without secrets.
namespace longline::script {

/// `last heard "…"`: the end of what came since the last match.
std::string heard(std::string_view unread, const std::vector<Secret>& secrets);

/// `"login:", "busy" or 2 more`; what is secret is masked.
std::string wanted(const std::vector<Matcher::Pattern>& patterns, const std::vector<bool>& secret);

}  // namespace longline::script
