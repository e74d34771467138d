// SPDX-License-Identifier: MIT
#include "sys/sibling_tool.hpp"

#include <filesystem>

namespace longline::sys {

std::string sibling_tool(const char* name) {
  std::error_code failure;
  const std::filesystem::path ours = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::filesystem::path tool = ours.parent_path() / name;
  return !failure && std::filesystem::exists(tool, failure) ? tool.string() : name;
}

}  // namespace longline::sys
