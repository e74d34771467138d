// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace longline::script {

/// Is a password, a name, what this text asks for ("ssword:", "sername:")? A guess, from the words that hosts use.
bool asks_for_password(std::string_view text);
bool asks_for_name(std::string_view text);

}  // namespace longline::script
