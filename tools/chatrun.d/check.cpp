// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <tuple>

#include "base/json.hpp"
#include "chatrun.d/verbs.hpp"
#include "script/scp_fix.hpp"
#include "script/scp_lint.hpp"
#include "sys/durable_file.hpp"

namespace longline::tools::chatrun {
namespace {

JsonObject to_json(const Diagnostic& d) {
  JsonObject out;
  out.set("file", d.where.file).set("line", d.where.line).set("column", d.where.column);
  out.set("severity", to_string(d.severity)).set("code", d.code).set("message", d.message);
  if (d.fix.empty()) out.set_null("fix");
  else out.set("fix", d.fix);
  return out;
}

/// Findings are the result; only a script that is repaired from stdin to stdout pushes them aside.
void show(const CommonOptions& common, const script::ParsedScript& script, std::FILE* out) {
  for (const Diagnostic& d : script.diagnostics) {
    if (common.quiet && d.severity == Severity::note) continue;
    const std::string text = common.json ? to_json(d).dump() + '\n' : render(d, *script.source, stdout_is_terminal() && colour_on_stderr());
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

void add_lint(script::ParsedScript& script, Duration deadline) {
  std::vector<Diagnostic>& all = script.diagnostics;
  for (Diagnostic& d : script::lint(script, {deadline})) all.push_back(std::move(d));
  std::stable_sort(all.begin(), all.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
  });
}

bool fails(const script::ParsedScript& script, bool strict) {
  for (const Diagnostic& d : script.diagnostics) {
    if (d.severity == Severity::error || (strict && d.severity == Severity::warning)) return true;
  }
  return false;
}

}  // namespace

int check(const CommonOptions& common, const CheckOptions& options) {
  ExitStatus status = ExitStatus::ok;
  for (const std::string& path : options.scripts) {
    Result<script::ParsedScript> script = read_script(path);
    if (!script) {
      // What could not be looked at weighs more than what was found elsewhere.
      const ExitStatus failed = script.error().code == Errc::usage ? ExitStatus::data : exit_status(script.error().code);
      print_error("chatrun", common, script.error(), static_cast<int>(failed));
      status = failed;
      continue;
    }
    if (options.fix) {
      script = repair(common, path, *script, options.deadline);
      if (!script) {
        print_error("chatrun", common, script.error());
        status = exit_status(script.error().code);
        continue;
      }
    } else {
      add_lint(*script, options.deadline);
    }
    show(common, *script, options.fix && path == "-" ? stderr : stdout);
    if (status == ExitStatus::ok && fails(*script, options.strict)) status = ExitStatus::data;
  }
  return static_cast<int>(status);
}

}  // namespace longline::tools::chatrun
