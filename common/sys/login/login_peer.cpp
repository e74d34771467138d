// SPDX-License-Identifier: MIT
#include "sys/login/login_peer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/text.hpp"

namespace longline::sys {
namespace {

constexpr int kMostAncestors = 64;
constexpr std::size_t kLargestEnvironment = 4 << 20;

std::optional<std::string> peer_in_environment_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/environ", pid), std::ios::binary);
  std::string entry;
  std::size_t size = 0;
  while (size < kLargestEnvironment && std::getline(file, entry, '\0')) {
    size += entry.size() + 1;
    for (const std::string_view name : {"SSH_CONNECTION=", "SSH_CLIENT="}) {
      if (entry.starts_with(name)) return std::string(first_word(std::string_view(entry).substr(name.size())));
    }
  }
  return std::nullopt;
}

int parent_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');   // the name in front of it may hold anything
  if (end == std::string::npos) return 0;
  std::istringstream fields(line.substr(end + 1));
  std::string state;
  int parent = 0;
  fields >> state >> parent;
  return parent;
}

}  // namespace

std::string login_peer() {
  for (const char* name : {"SSH_CONNECTION", "SSH_CLIENT"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return std::string(first_word(value));
  }
  int pid = ::getppid();
  for (int i = 0; i < kMostAncestors && pid > 1; ++i, pid = parent_of(pid)) {
    if (const std::optional<std::string> peer = peer_in_environment_of(pid)) return *peer;
  }
  return "";
}

}  // namespace longline::sys
