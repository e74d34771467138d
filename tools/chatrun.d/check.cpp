// SPDX-License-Identifier: MIT
#include <cstdio>

#include "chatrun.d/verbs.hpp"
#include "script/scp/fix.hpp"
#include "sys/durable_file.hpp"

namespace longline::tools::chatrun {
namespace {

/// Findings are the result; only a script that is repaired from stdin to stdout pushes them aside.
void show(const CommonOptions& common, const std::vector<Diagnostic>& findings, const SourceText& source, std::FILE* out) {
  const SourceText shown = without_secrets(source, findings);
  for (const Diagnostic& d : findings) {
    if (common.quiet && d.severity == Severity::note) continue;
    const std::string text = common.json ? finding_object(d).dump() + '\n' : render(d, shown, stdout_is_terminal() && colour_on_stderr());
    std::fwrite(text.data(), 1, text.size(), out);
  }
}

/// Writes the repaired script where it came from; the script with what is left to be found.
Result<script::ParsedScript> repair(const CommonOptions& common, const std::string& path, const script::ParsedScript& script, Duration deadline) {
  script::Fixed fixed = script::fix(script.source->file(), std::string(script.source->text()), {deadline});
  if (path == "-") {
    std::fwrite(fixed.text.data(), 1, fixed.text.size(), stdout);
  } else if (!fixed.repaired.empty()) {
    LONGLINE_CHECK(sys::replace_file(path, fixed.text));
  }
  for (const Diagnostic& d : fixed.repaired) {
    if (!common.quiet && !common.json) std::fprintf(stderr, "chatrun: %s:%d: repaired: %s\n", d.where.file.c_str(), d.where.line, d.message.c_str());
  }
  return std::move(fixed.script);
}

bool fails(const std::vector<Diagnostic>& findings, bool strict) {
  for (const Diagnostic& d : findings) {
    if (d.severity == Severity::error || (strict && d.severity == Severity::warning)) return true;
  }
  return false;
}

/// The findings of one script, shown; does it fail?
Result<bool> check_one(const CommonOptions& common, const CheckOptions& options, const std::string& path) {
  LONGLINE_TRY(script::LoginScript script, read_script(path));
  if (!options.fix) {
    const std::vector<Diagnostic> findings = script::check(script, options.deadline);
    show(common, findings, script::source_of(script), stdout);
    return fails(findings, options.strict);
  }
  const auto* scp = std::get_if<script::ParsedScript>(&script);
  if (scp == nullptr) {
    return Error(Errc::malformed, path + ": --fix repairs .scp scripts").with_hint("chatrun convert " + path + " --to scp");
  }
  LONGLINE_TRY(const script::ParsedScript left, repair(common, path, *scp, options.deadline));
  show(common, left.diagnostics, *left.source, path == "-" ? stderr : stdout);
  return fails(left.diagnostics, options.strict);
}

}  // namespace

int check(const CommonOptions& common, const CheckOptions& options) {
  ExitStatus status = ExitStatus::ok;
  for (const std::string& path : options.scripts) {
    const Result<bool> failed = check_one(common, options, path);
    if (!failed) {
      // What could not be looked at weighs more than what was found elsewhere.
      status = exit_status(failed.error().code);
      print_error("chatrun", common, failed.error());
    } else if (*failed && status == ExitStatus::ok) {
      status = ExitStatus::data;
    }
  }
  return static_cast<int>(status);
}

}  // namespace longline::tools::chatrun
