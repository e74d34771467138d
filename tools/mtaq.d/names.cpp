// SPDX-License-Identifier: MIT
// What several verbs ask of names and ids.
#include <cctype>

#include "base/text.hpp"
#include "sys/config_file.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

Error unknown(std::string_view what, const std::string& name, const std::vector<std::string>& known) {
  Error error(Errc::not_found, "there is no " + std::string(what) + " '" + escape_at_most(name, 64) + "'");
  if (const auto near = nearest(name, known)) return std::move(error).with_hint("did you mean '" + *near + "'?");
  return error;
}

}  // namespace

Result<std::vector<std::string>> read_ids(const std::vector<std::string>& given) {
  constexpr std::size_t kMost = 16 << 20;
  std::vector<std::string> ids;
  for (const std::string& id : given) {
    if (id != "-") {
      ids.push_back(to_lower(id));
      continue;
    }
    LONGLINE_TRY(const std::string text, sys::read_file("-", kMost));
    std::string word;
    for (const char c : text + "\n") {
      if (std::isspace(static_cast<unsigned char>(c)) == 0) {
        word += c;
      } else if (!word.empty()) {
        ids.push_back(to_lower(word));
        word.clear();
      }
    }
  }
  return ids;
}

Result<void> check_link(const World& world, const std::string& name) {
  if (name.empty() || world.config.find_link(name) != nullptr) return {};
  return unknown("link", name, world.config.link_names());
}

Result<void> check_connector(const World& world, const std::string& name) {
  if (name.empty() || world.config.find_connector(name) != nullptr) return {};
  return unknown("connector", name, world.config.connector_names());
}

}  // namespace longline::mtaq
