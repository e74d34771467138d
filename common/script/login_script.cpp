// SPDX-License-Identifier: MIT
#include "script/login_script.hpp"

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "script/chat/lint.hpp"
#include "script/scp/lint.hpp"

namespace longline::script {

bool needs_user(const LoginProgram& program) {
  return std::visit([](const auto& p) { return needs_user(*p); }, program);
}

bool needs_password(const LoginProgram& program) {
  return std::visit([](const auto& p) { return needs_password(*p); }, program);
}

bool is_chat(std::string_view name) { return name.size() > 5 && iequals(name.substr(name.size() - 5), ".chat"); }

namespace {

/// A script without an ending in its name, or from stdin: chat(8)'s begin with a keyword or expect nothing.
bool looks_like_chat(std::string_view name, std::string_view text) {
  if (name.size() > 4 && iequals(name.substr(name.size() - 4), ".scp")) return false;
  while (text.starts_with('#')) text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
  return word == "''" || word == "\"\"" || chat::keyword(word).has_value();
}

}  // namespace

LoginScript parse_login_script(std::string name, std::string text) {
  if (is_chat(name) || looks_like_chat(name, text)) return chat::parse(std::move(name), std::move(text));
  return parse_scp(std::move(name), std::move(text));
}

const SourceText& source_of(const LoginScript& script) {
  return std::visit([](const auto& s) -> const SourceText& { return *s.source; }, script);
}

const std::vector<Diagnostic>& findings_of(const LoginScript& script) {
  return std::visit([](const auto& s) -> const std::vector<Diagnostic>& { return s.diagnostics; }, script);
}

LoginProgram program_of(const LoginScript& script) {
  return std::visit([](const auto& s) -> LoginProgram { return s.program; }, script);
}

std::vector<Diagnostic> check(const LoginScript& script, Duration deadline) {
  std::vector<Diagnostic> out = findings_of(script);
  std::vector<Diagnostic> more = std::visit([&](const auto& s) { return lint(s, {deadline}); }, script);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
  });
  return out;
}

}  // namespace longline::script
