// SPDX-License-Identifier: MIT
#include <cstdio>

#include "chatrun.d/verbs.hpp"
#include "script/chat/to_scp.hpp"
#include "sys/config_file.hpp"
#include "sys/durable_file.hpp"

namespace longline::tools::chatrun {
namespace {

void show(const CommonOptions& common, const std::vector<Diagnostic>& findings, const SourceText& source) {
  const SourceText shown = without_secrets(source, findings);
  for (const Diagnostic& d : findings) {
    if (common.quiet && d.severity == Severity::note) continue;
    const std::string text = common.json ? finding_object(d).dump() + '\n' : render(d, shown, colour_on_stderr());
    std::fputs(text.c_str(), stderr);
  }
}

}  // namespace

Result<ExitStatus> convert(const CommonOptions& common, const ConvertOptions& options) {
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  LONGLINE_TRY(std::string text, sys::read_file(options.script, kMost));
  const script::chat::Parsed parsed = script::chat::parse(options.script == "-" ? "stdin" : options.script, std::move(text));
  if (has_errors(parsed.diagnostics)) {
    show(common, parsed.diagnostics, *parsed.source);
    return ExitStatus::data;
  }
  script::chat::ConvertOptions how{options.credentials.user, std::nullopt, options.replace_credentials, options.phone, options.phone2};
  if (!options.credentials.password_file.empty() || options.credentials.password_fd) {
    LONGLINE_TRY(how.password, read_password(options.credentials, Duration(30'000)));
  }
  const script::chat::Converted converted = script::chat::to_scp(parsed, how);
  show(common, converted.report, *parsed.source);
  if (has_errors(converted.report)) return ExitStatus::data;
  if (options.output.empty()) std::fwrite(converted.text.data(), 1, converted.text.size(), stdout);
  else LONGLINE_CHECK(sys::replace_file(options.output, converted.text));
  for (const Diagnostic& d : converted.report) {
    if (options.strict && d.severity == Severity::warning) return ExitStatus::data;
  }
  return ExitStatus::ok;
}

}  // namespace longline::tools::chatrun
