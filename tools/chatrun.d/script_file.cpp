// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "chatrun.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/secret_file.hpp"

namespace longline::tools::chatrun {

Result<script::LoginScript> read_script(const std::string& path) {
  // Well beyond the limit of the language, so that its own finding says what is wrong.
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  LONGLINE_TRY(std::string text, sys::read_file(path, kMost));
  return script::parse_login_script(path == "-" ? "stdin" : path, std::move(text));
}

Result<script::LoginScript> read_runnable_script(const CommonOptions& common, const std::string& path) {
  LONGLINE_TRY(script::LoginScript script, read_script(path));
  int errors = 0;
  const SourceText& source = script::source_of(script);
  for (const Diagnostic& d : script::findings_of(script)) {
    if (d.severity == Severity::error) ++errors;
    const bool shown = d.severity == Severity::error || common.verbose > 0;
    if (shown && !common.json) std::fputs(render(d, source, colour_on_stderr()).c_str(), stderr);
  }
  if (errors == 0) return script;
  return Error(Errc::script_error, fmt::format("{} has {} error{}; nothing was sent", source.file(), errors, errors == 1 ? "" : "s"))
      .with_hint("chatrun check " + path);
}

JsonObject finding_object(const Diagnostic& d) {
  JsonObject out;
  out.set("file", d.where.file).set("line", d.where.line).set("column", d.where.column);
  out.set("severity", to_string(d.severity)).set("code", d.code).set("message", d.message);
  if (d.fix.empty()) out.set_null("fix");
  else out.set("fix", d.fix);
  return out;
}

Result<Secret> read_password(const Credentials& credentials, Duration limit) {
  if (!credentials.password_file.empty()) return sys::read_secret_file(credentials.password_file);
  if (credentials.password_fd) return sys::read_secret_fd(*credentials.password_fd, limit);
  return Secret();
}

}  // namespace longline::tools::chatrun
