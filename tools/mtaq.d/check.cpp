// SPDX-License-Identifier: MIT
// check: what would keep mail from moving, found before it does.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/diagnostic.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "mail/config_check.hpp"
#include "sys/config_file.hpp"
#include "sys/intake/drop_folder.hpp"
#include "sys/process.hpp"
#include "sys/spool/spool_check.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

/// Prints findings as they come, and keeps the worst in mind.
class Findings {
 public:
  explicit Findings(const tools::CommonOptions& common) : common_(common) {}

  void diagnostics(const config::ParsedConfig& parsed) {
    for (const Diagnostic& d : parsed.diagnostics) {
      config_errors_ = config_errors_ || d.severity == Severity::error;
      if (is_hidden(d.severity)) continue;
      const auto source = std::find_if(parsed.sources.begin(), parsed.sources.end(), [&](const SourceText& s) { return s.file() == d.where.file; });
      const SourceText shown = source == parsed.sources.end() ? SourceText(d.where.file, "") : without_secrets(*source, parsed.diagnostics);
      if (common_.json) print(d.severity, d.code, d.where, "", d.message, d.fix);
      else print(render(d, shown, tools::stdout_is_terminal() && tools::colour_on_stderr()));
    }
  }

  void configuration(const mail::ConfigFinding& f) {
    config_errors_ = config_errors_ || f.severity == Severity::error;
    if (is_hidden(f.severity)) return;
    if (common_.json) return print(f.severity, f.code, f.where, f.connector, f.message, f.advice);
    const std::string about = f.connector.empty() ? "configuration" : fmt::format("connector '{}'", escape(f.connector));
    print(fmt::format("{}: {}: {} [{}]\n  {}\n", about, to_string(f.severity), f.message, f.code, f.advice));
  }

  void spool(Severity severity, const std::string& code, const std::string& message, const std::string& advice) {
    spool_errors_ = spool_errors_ || severity == Severity::error;
    if (is_hidden(severity)) return;
    if (common_.json) print(severity, code, Where{}, "", message, advice);
    else print(fmt::format("spool: {}: {} [{}]\n  {}\n", to_string(severity), message, code, advice));
  }

  bool has_config_errors() const { return config_errors_; }
  ExitStatus status() const { return config_errors_ ? ExitStatus::config : spool_errors_ ? ExitStatus::no : ExitStatus::ok; }

 private:
  void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
  void print(Severity severity, const std::string& code, const Where& where, const std::string& connector, const std::string& message,
             const std::string& advice) {
    JsonObject out;
    const auto put = [&](std::string_view key, const std::string& text) {
      if (text.empty()) out.set_null(key);
      else out.set(key, text);
    };
    put("file", where.file);
    out.set("line", where.line).set("column", where.column).set("severity", to_string(severity)).set("code", code);
    put("connector", connector);
    out.set("message", message);
    put("advice", advice);
    print(out.dump() + "\n");
  }
  bool is_hidden(Severity severity) const { return common_.quiet && severity != Severity::error; }

  const tools::CommonOptions& common_;
  bool config_errors_ = false;
  bool spool_errors_ = false;
};

}  // namespace

Result<ExitStatus> run_check(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const config::ParsedConfig parsed, sys::read_config(paths));
  Findings findings(options.common);
  findings.diagnostics(parsed);
  // What could not be read cannot be looked into; the spool can.
  if (!findings.has_config_errors()) {
    for (const mail::ConfigFinding& finding : mail::check_config(parsed.config, sys::host_name())) findings.configuration(finding);
  }
  const mail::Aliases aliases = sys::read_aliases(paths);
  for (const mail::Aliases::Complaint& complaint : aliases.complaints()) {
    findings.spool(Severity::warning, "alias", fmt::format("{}: {}", complaint.place(paths.aliases), complaint.what),
                   complaint.line > 0 ? "aliases name users and addresses" : "nobody's mail goes where it says: chown root, chmod 644");
  }
  LONGLINE_TRY(const std::vector<sys::SpoolFinding> spool, sys::check_spool(paths, sys::wall_now()));
  for (const sys::SpoolFinding& f : spool) findings.spool(f.severity, f.code, f.message, f.advice);
  return findings.status();
}

}  // namespace longline::mtaq
