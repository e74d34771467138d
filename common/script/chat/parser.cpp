// SPDX-License-Identifier: MIT
#include "script/chat/parser.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "script/source_check.hpp"

namespace longline::script::chat {
namespace {

using Kind = Step::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 8> kKeywords{{
    {"ABORT", Kind::abort}, {"CLR_ABORT", Kind::clear_abort}, {"REPORT", Kind::report}, {"CLR_REPORT", Kind::clear_report},
    {"TIMEOUT", Kind::timeout}, {"ECHO", Kind::echo}, {"HANGUP", Kind::hangup}, {"SAY", Kind::say},
}};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// One line's words; `base` is its offset in the text.
void cut_line(std::string_view line, std::size_t base, std::vector<Token>& out) {
  std::size_t at = 0;
  while (at < line.size() && (out.empty() || out.back().closed)) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    Token token;
    token.offset = base + at;
    const char quote = line[at];
    token.quoted = quote == '"' || quote == '\'';
    std::size_t end = at + (token.quoted ? 1 : 0);
    const std::size_t begin = end;
    if (token.quoted) {
      while (end < line.size() && line[end] != quote) end += line[end] == '\\' && end + 1 < line.size() ? 2 : 1;
      token.closed = end < line.size();
    } else {
      while (end < line.size() && !is_blank(line[end])) ++end;
    }
    token.text = line.substr(begin, end - begin);
    token.length = end - at + (token.quoted && token.closed ? 1 : 0);
    at = end + 1;
    out.push_back(std::move(token));
  }
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> out;
  std::size_t base = 0;
  while (base < text.size() && (out.empty() || out.back().closed)) {
    const std::size_t end = std::min(text.find('\n', base), text.size());
    const std::string_view line = text.substr(base, end - base);
    if (!line.starts_with('#')) cut_line(line, base, out);
    base = end + 1;
  }
  return out;
}

/// Cut at dashes; a backslash and what follows stay together, and a dash at the end begins nothing.
std::vector<Exchange> exchanges_of(std::string_view text) {
  std::vector<Exchange> out;
  bool is_reply = false;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && text[end] != '-') end += text[end] == '\\' && end + 1 < text.size() ? 2 : 1;
    std::string part(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    if (is_reply) out.back().reply = std::move(part);
    else out.push_back({std::move(part), std::nullopt});
    is_reply = !is_reply;
  }
  return out;
}

Program read_program(std::shared_ptr<const SourceText> source, const std::vector<Token>& tokens) {
  Program out;
  out.source = std::move(source);
  const auto needs = [&](const std::string& text) {
    out.needs_user = out.needs_user || text.find("$USERID") != std::string::npos;
    out.needs_password = out.needs_password || text.find("$PASSWORD") != std::string::npos;
  };
  bool sends = false;
  std::optional<Kind> pending;
  for (const Token& token : tokens) {
    Step step;
    step.text = token.text;
    step.offset = token.offset;
    step.length = token.length;
    if (!token.closed) {
      step.kind = Kind::unterminated;
    } else if (sends) {
      step.kind = std::exchange(pending, std::nullopt).value_or(Kind::send);
      needs(step.text);
    } else if (pending = keyword(token.text); !pending) {
      step.exchanges = exchanges_of(step.text);
      needs(step.text);
    }
    if (!pending) out.steps.push_back(std::move(step));
    sends = !sends;
  }
  return out;
}

}  // namespace

Parsed parse(std::string name, std::string text) {
  Parsed out;
  const auto source = std::make_shared<const SourceText>(std::move(name), std::move(text));
  out.source = source;
  if (std::optional<Diagnostic> refused = refuse_source(*source, "in a send write \\N")) {
    out.diagnostics.push_back(std::move(*refused));
  } else {
    out.tokens = tokens_of(source->text());
    if (!out.tokens.empty() && !out.tokens.back().closed) {
      const Token& token = out.tokens.back();
      out.diagnostics.push_back({Severity::error, "unterminated-quote", source->where(token.offset), token.length,
                                 "this quote is not closed on its line; chat(8) finds that out during the call", "close it"});
    }
  }
  out.program = std::make_shared<const Program>(read_program(source, out.tokens));
  return out;
}

Parsed parse_arguments(const std::vector<std::string>& arguments) {
  Parsed out;
  std::string text;
  for (const std::string& argument : arguments) {
    out.tokens.push_back({argument, text.size(), argument.size(), false, true});
    text += argument + ' ';
  }
  out.source = std::make_shared<const SourceText>("arguments", std::move(text));
  out.program = std::make_shared<const Program>(read_program(out.source, out.tokens));
  return out;
}

std::optional<Kind> keyword(std::string_view word) {
  for (const auto& [name, kind] : kKeywords) {
    if (word == name) return kind;
  }
  return std::nullopt;
}

const std::vector<std::string_view>& keywords() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const auto& [name, kind] : kKeywords) all.push_back(name);
    return all;
  }();
  return names;
}

}  // namespace longline::script::chat
