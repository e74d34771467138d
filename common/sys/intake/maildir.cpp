// SPDX-License-Identifier: MIT
#include "sys/intake/maildir.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "sys/durable_file.hpp"
#include "sys/process.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {
namespace {

// A slash would be a folder, a colon starts the flags.
std::string host_part() {
  std::string out;
  for (const char c : host_name()) {
    if (c == '/') out += "\\057";
    else if (c == ':') out += "\\072";
    else out += c;
  }
  return out;
}

}  // namespace

Result<Maildir> Maildir::open(std::string path) {
  std::error_code failure;
  path = std::filesystem::absolute(path, failure).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  LONGLINE_CHECK(ensure_folder(path));
  for (const char* part : {"/tmp", "/new", "/cur"}) LONGLINE_CHECK(ensure_folder(path + part));
  LONGLINE_CHECK(sync_folder(path));
  return Maildir(std::move(path));
}

Result<std::string> Maildir::deliver(std::string_view content, WallTime now) {
  const auto ms = now.time_since_epoch().count();
  const std::string name =
      fmt::format("{}.M{}P{}Q{}.{}", ms / 1000, ms % 1000 * 1000, ::getpid(), ++delivered_, host_part());
  const std::string temporary = path_ + "/tmp/" + name;
  LONGLINE_CHECK(write_new_file(temporary, content));
  if (auto published = publish_file(temporary, path_ + "/new/" + name); !published) {
    ::unlink(temporary.c_str());
    return std::move(published).error();
  }
  return name;
}

}  // namespace longline::sys
