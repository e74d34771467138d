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

LoginScript parse_login_script(std::string name, std::string text) {
  if (is_chat(name)) return chat::parse(std::move(name), std::move(text));
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
