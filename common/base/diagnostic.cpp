// SPDX-License-Identifier: MIT
#include "base/diagnostic.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline {
namespace {

/// Tabs stay tabs, so that the caret stands where the terminal puts the text.
std::string escape_keeping_tabs(std::string_view text) {
  std::string out;
  for (const std::string_view part : split(text, '\t')) {
    if (part.data() != text.data()) out += '\t';
    out += escape(part);
  }
  return out;
}

}  // namespace

SourceText::SourceText(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {
  starts_.reserve(static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n')) + 1);
  starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' && i + 1 < text_.size()) starts_.push_back(i + 1);
  }
}

std::string_view SourceText::line(int n) const {
  if (n < 1 || n > line_count()) return {};
  const std::size_t begin = starts_[static_cast<std::size_t>(n) - 1];
  std::string_view rest = std::string_view(text_).substr(begin);
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

Where SourceText::where(std::size_t offset) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto line = static_cast<std::size_t>(next - starts_.begin());
  return {file_, static_cast<int>(line), static_cast<int>(offset - starts_[line - 1]) + 1};
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

SourceText without_secrets(const SourceText& source, const std::vector<Diagnostic>& diagnostics) {
  std::string text(source.text());
  for (const Diagnostic& d : diagnostics) {
    if (!d.secret || d.where.line < 1 || d.where.column < 1) continue;
    const std::string_view line = source.line(d.where.line);
    const std::size_t begin = static_cast<std::size_t>(line.data() - source.text().data()) + static_cast<std::size_t>(d.where.column) - 1;
    for (std::size_t i = begin; i < std::min(begin + d.length, text.size()); ++i) {
      if (text[i] != '\n') text[i] = '*';
    }
  }
  return SourceText(source.file(), std::move(text));
}

std::string render(const Diagnostic& d, const SourceText& source, bool colour) {
  constexpr std::size_t kWidest = 160;
  std::string out = d.where.file;
  if (d.where.line > 0) out += ':' + std::to_string(d.where.line);
  if (d.where.line > 0 && d.where.column > 0) out += ':' + std::to_string(d.where.column);
  out += ": ";
  if (colour) out += d.severity == Severity::error ? "\x1b[1;31m" : d.severity == Severity::warning ? "\x1b[1;35m" : "\x1b[1;36m";
  out += to_string(d.severity);
  if (colour) out += "\x1b[0m";
  out += ": " + d.message;
  if (!d.code.empty()) out += " [" + d.code + "]";
  out += '\n';
  const std::string_view line = source.line(d.where.line);
  if (d.where.line > 0 && d.where.column > 0 && line.size() <= kWidest) {
    const std::size_t before = std::min(line.size(), static_cast<std::size_t>(d.where.column) - 1);
    const std::size_t under = std::clamp<std::size_t>(d.length, 1, std::max<std::size_t>(1, line.size() - before));
    const std::string head = escape_keeping_tabs(line.substr(0, before));
    std::string caret;
    for (const char c : head) {
      if (c == '\t') caret += '\t';
      else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) caret += ' ';
    }
    out += "    " + head + escape_keeping_tabs(line.substr(before)) + '\n';
    out += "    " + caret + '^' + std::string(under - 1, '~') + '\n';
  }
  if (!d.fix.empty()) out += "  fix: " + d.fix + '\n';
  return out;
}

}  // namespace longline
