// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Values and keys as TOML 1.0 writes them.
namespace longline::config {

/// A basic string; the text must be UTF-8.
std::string toml_string(std::string_view text);
std::string toml_array(const std::vector<std::string>& items);
/// Bare where TOML allows it, else quoted: isp, "Büro / 2".
std::string toml_key(std::string_view name);

}  // namespace longline::config
