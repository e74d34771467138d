// SPDX-License-Identifier: MIT
#include "sys/login/login_transcripts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.hpp"
#include "sys/durable_file.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostOfALink = 10;
constexpr std::string_view kEnding = ".transcript";

/// "20261125T031500.123Z": the order of names is that of time.
std::string stamp(WallTime now) {
  std::string text = format_iso8601(now);
  if (text.find('.') == std::string::npos) text.insert(text.size() - 1, ".000");
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

bool is_stamp(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000.000Z";
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

void remove_oldest(const std::string& folder, const std::string& prefix, const std::string& newest) {
  std::vector<std::string> found;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name == newest || !name.starts_with(prefix) || !name.ends_with(kEnding)) continue;
    // Another link's name may begin with this one's.
    const std::size_t length = name.size() - prefix.size() - std::min(kEnding.size(), name.size() - prefix.size());
    if (is_stamp(std::string_view(name).substr(prefix.size(), length))) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + kMostOfALink - 1 < found.size(); ++i) ::unlink((folder + '/' + found[i]).c_str());
}

/// A message is escaped where it was made; a file's name in it is not.
std::string one_line(std::string_view message) {
  const bool plain = std::none_of(message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return plain ? std::string(message) : escape(message);
}

}  // namespace

Result<std::string> keep_login_transcript(const StatePaths& paths, const std::string& link, std::string_view dialogue, std::string_view why,
                                          WallTime now) {
  LONGLINE_CHECK(ensure_folder(paths.transcripts));
  const std::string start = paths.transcript_start(link);
  const std::string folder = paths.transcripts, prefix = start.substr(folder.size() + 1);
  const std::string name = prefix + stamp(now) + std::string(kEnding);
  const std::string path = folder + '/' + name;
  const std::string text = fmt::format("# the login of link '{}', {}\n{}# {}\n", escape(link), format_iso8601(now), dialogue, one_line(why));
  LONGLINE_CHECK(write_new_file(path, text));
  remove_oldest(folder, prefix, name);
  return path;
}

}  // namespace longline::sys
