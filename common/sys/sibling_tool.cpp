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

std::vector<std::string> routeadd_command(const std::vector<std::string>& tool_options, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {sibling_tool("routeadd")};
  argv.insert(argv.end(), tool_options.begin(), tool_options.end());
  argv.emplace_back("--quiet");
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

}  // namespace longline::sys
