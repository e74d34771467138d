// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "chatrun.d/verbs.hpp"
#include "sys/config_file.hpp"

namespace longline::tools::chatrun {

Result<script::ParsedScript> read_script(const std::string& path) {
  // Well beyond the limit of the language, so that its own finding says what is wrong.
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  if (path.size() > 5 && iequals(std::string_view(path).substr(path.size() - 5), ".chat")) {
    return Error(Errc::usage, path + " is a chat(8) script; this version runs .scp scripts");
  }
  LONGLINE_TRY(std::string text, sys::read_file(path, kMost));
  return script::parse_scp(path == "-" ? "stdin" : path, std::move(text));
}

}  // namespace longline::tools::chatrun
