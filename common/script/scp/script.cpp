// SPDX-License-Identifier: MIT
#include "script/scp/script.hpp"

#include <algorithm>
#include <tuple>

#include "script/scp/checker.hpp"
#include "script/scp/lexer.hpp"
#include "script/scp/limits.hpp"
#include "script/scp/parser.hpp"
#include "script/scp/program.hpp"

namespace longline::script {
namespace {

void append(std::vector<Diagnostic>& to, std::vector<Diagnostic> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

ParsedScript parse_scp(std::string name, std::string text) {
  ParsedScript out;
  out.source = std::make_shared<const SourceText>(std::move(name), std::move(text));
  auto file = std::make_shared<scp::File>();
  scp::Lexed lexed = scp::lex(*out.source);
  out.diagnostics = std::move(lexed.diagnostics);
  if (!lexed.hopeless) {
    scp::Parsed parsed = scp::parse(*out.source, lexed.tokens);
    *file = std::move(parsed.file);
    append(out.diagnostics, std::move(parsed.diagnostics));
    // An unfinished tree has names missing; what the checker would say about them is noise.
    if (parsed.complete) append(out.diagnostics, scp::check(*out.source, *file));
  }
  std::stable_sort(out.diagnostics.begin(), out.diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
  });
  if (!has_errors(out.diagnostics)) out.program = std::make_shared<const scp::Program>(scp::compile(out.source, *file));
  if (out.diagnostics.size() >= scp::kMostFindings) {
    out.diagnostics.resize(scp::kMostFindings);
    out.diagnostics.push_back({Severity::note, "too-many-findings", {out.source->file(), 0, 0}, 1,
                               "there are more findings; repair these first", ""});
  }
  out.file = std::move(file);
  return out;
}

bool needs_user(const scp::Program& program) { return program.needs_user; }
bool needs_password(const scp::Program& program) { return program.needs_password; }

}  // namespace longline::script
