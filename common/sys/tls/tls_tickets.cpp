// SPDX-License-Identifier: MIT
#include "sys/tls/tls_tickets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestTicket = 64 * 1024;
constexpr std::size_t kMostFiles = 64;
constexpr std::int64_t kOldestTicket = 7 * 24 * 3600;   // seconds

// FNV-1a: names the file; the key itself stands in it.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 14695981039346656037ULL;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return value;
}

/// Makes room: takes away what is too old, then the oldest, until there are fewer than kMostFiles.
void prune(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, std::string>> files;
  std::error_code failure;
  const std::int64_t now = wall_now().time_since_epoch().count() / 1000;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    struct stat info {};
    const std::string path = entry->path().string();
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (now - info.st_mtime > kOldestTicket) ::unlink(path.c_str());
    else files.emplace_back(info.st_mtime, path);
  }
  if (files.size() < kMostFiles) return;
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i + kMostFiles <= files.size(); ++i) ::unlink(files[i].second.c_str());
}

}  // namespace

std::string ticket_file(const StatePaths& paths, std::string_view connector, std::string_view key) {
  std::string name;
  for (const char c : connector.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  return (fs::path(paths.calls).parent_path() / "tls-tickets" / fmt::format("{}-{:016x}", name, hash(key))).string();
}

std::string read_ticket(const std::string& file, std::string_view key) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 077) != 0 || info.st_uid != ::geteuid()) return "";
  if (info.st_size <= 0 || static_cast<std::size_t>(info.st_size) > kLargestTicket) return "";
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  if (::pread(fd.get(), content.data(), content.size(), 0) != info.st_size) return "";
  const std::size_t end = content.find('\n');
  return end == std::string::npos || content.compare(0, end, key) != 0 ? "" : content.substr(end + 1);
}

void keep_ticket(const std::string& file, std::string_view key, std::string_view ticket) {
  if (ticket.empty() || key.size() + ticket.size() >= kLargestTicket) return;
  const fs::path folder = fs::path(file).parent_path();
  if (!ensure_folder(folder.string())) return;
  prune(folder);
  const std::string fresh = fmt::format("{}.{}", file, ::getpid());
  ::unlink(fresh.c_str());
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return;
  const std::string content = fmt::format("{}\n{}", key, ticket);
  const bool written = ::write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size());
  if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) ::unlink(fresh.c_str());
}

void drop_ticket(const std::string& file) { ::unlink(file.c_str()); }

}  // namespace longline::sys
