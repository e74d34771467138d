// SPDX-License-Identifier: MIT
#include "sys/ppp/name_servers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.hpp"
#include "sys/child_process.hpp"
#include "sys/config_file.hpp"
#include "sys/text_file.hpp"

namespace longline::sys {
namespace {

constexpr const char* kFile = "/etc/resolv.conf";
constexpr std::string_view kSignature = "# Written by longline for link ";
constexpr Duration kResolvconfPatience{5'000};
constexpr std::size_t kLargestResolvConf = 65536;

std::string program(std::string_view name) {
  for (const std::string_view folder : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    std::string path = std::string(folder) + std::string(name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::string server_lines(const std::vector<std::string>& servers) {
  std::string out;
  for (const std::string& server : servers) out += "nameserver " + server + "\n";
  return out;
}

}  // namespace

NameServers::NameServers(const std::string& link, const std::string& interface, const std::vector<std::string>& servers)
    : interface_(interface), servers_(servers) {
  std::error_code failure;
  const std::string target = std::filesystem::read_symlink(kFile, failure).string();
  if (target.find("systemd/resolve") != std::string::npos && !program("resolvectl").empty()) {
    way_ = "resolved";
  } else if (!program("resolvconf").empty()) {
    way_ = "resolvconf";
  } else {
    way_ = "file";
    before_ = read_file(kFile, kLargestResolvConf).value_or("");
    text_ = fmt::format("{}{}; the file that was here comes back with its end.\n{}", kSignature, escape_at_most(link, 64),
                        server_lines(servers));
    for (const std::string_view line : split(before_, '\n')) {
      if (line.starts_with("search") || line.starts_with("domain") || line.starts_with("options")) text_ += std::string(line) + "\n";
    }
  }
}

Result<void> NameServers::set() const {
  if (way_ == "file") return rewrite_text_file(kFile, text_);
  std::vector<std::string> argv;
  if (way_ == "resolved") {
    argv = {program("resolvectl"), "dns", interface_};
    argv.insert(argv.end(), servers_.begin(), servers_.end());
  } else {
    // resolvconf reads the lines from its stdin.
    argv = {"/bin/sh", "-c", "printf '%s' \"$1\" | \"$2\" -a \"$3\"", "sh", server_lines(servers_), program("resolvconf"), interface_ + ".longline"};
  }
  const Result<std::string> done = run_and_read(argv, kResolvconfPatience, kLargestResolvConf);
  if (!done) return done.error();
  return {};
}

Result<void> put_name_servers_back(std::string_view way, const std::string& interface, const std::string& before) {
  if (way == "resolvconf") {
    const Result<std::string> done = run_and_read({program("resolvconf"), "-d", interface + ".longline"}, kResolvconfPatience, kLargestResolvConf);
    if (!done) return done.error();
    return {};
  }
  if (way != "file") return {};
  const Result<std::string> now = read_file(kFile, kLargestResolvConf);
  if (!now || !now->starts_with(kSignature)) return {};
  return rewrite_text_file(kFile, before);
}

}  // namespace longline::sys
