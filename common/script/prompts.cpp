// SPDX-License-Identifier: MIT
#include "script/prompts.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.hpp"

namespace longline::script {
namespace {

template <std::size_t n>
bool has_one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  const std::string lower = to_lower(text);
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace

bool asks_for_password(std::string_view text) { return has_one_of<7>(text, {"assw", "asscode", "sswor", "kennwort", "mot de passe", "contrase", "pin:"}); }

bool asks_for_name(std::string_view text) { return has_one_of<4>(text, {"ogin", "sername", "user", "name:"}); }

}  // namespace longline::script
