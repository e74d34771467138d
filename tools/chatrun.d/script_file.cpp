// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "chatrun.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/secret_file.hpp"

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

Result<script::ParsedScript> read_runnable_script(const CommonOptions& common, const std::string& path) {
  LONGLINE_TRY(script::ParsedScript script, read_script(path));
  int errors = 0;
  for (const Diagnostic& d : script.diagnostics) {
    if (d.severity == Severity::error) ++errors;
    const bool shown = d.severity == Severity::error || common.verbose > 0;
    if (shown && !common.json) std::fputs(render(d, *script.source, colour_on_stderr()).c_str(), stderr);
  }
  if (errors == 0) return script;
  return Error(Errc::script_error, fmt::format("{} has {} error{}; nothing was sent", script.source->file(), errors, errors == 1 ? "" : "s"))
      .with_hint("chatrun check " + path);
}

Result<Secret> read_password(const Credentials& credentials, Duration limit) {
  if (!credentials.password_file.empty()) return sys::read_secret_file(credentials.password_file);
  if (credentials.password_fd) return sys::read_secret_fd(*credentials.password_fd, limit);
  return Secret();
}

}  // namespace longline::tools::chatrun
