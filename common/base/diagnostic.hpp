// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace longline {

enum class Severity { note, warning, error };

/// One finding in a text that the user wrote: .scp, chat script, longline.toml, routes. One renderer for all.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;      ///< stable, kebab-case: "missing-endif"; scripts and tests branch on it
  Where where;
  std::size_t length = 1;  ///< how many bytes of the line the caret underlines
  std::string message;   ///< one sentence without a full stop
  std::string fix;       ///< what to write instead, or empty
  bool secret = false;   ///< what it points at is a password: shown by nobody
};

/// A text by lines, for carets. Keeps a copy.
class SourceText {
 public:
  SourceText(std::string file, std::string text);
  const std::string& file() const { return file_; }
  std::string_view text() const { return text_; }
  int line_count() const { return static_cast<int>(starts_.size()); }
  /// Line n from 1, without its line end; "" beyond the text.
  std::string_view line(int n) const;
  Where where(std::size_t offset) const;

 private:
  std::string file_;
  std::string text_;
  std::vector<std::size_t> starts_;
};

/// file:line:column: error: message [code]
///     the line, escaped for a terminal
///     ~~~~^~~~
///   fix: …
/// With a final newline. `colour`: ANSI, only for a terminal without NO_COLOR.
std::string render(const Diagnostic& d, const SourceText& source, bool colour = false);

/// The text with what secret findings point at as stars, for render(): a line may be shown for another finding's sake.
SourceText without_secrets(const SourceText& source, const std::vector<Diagnostic>& diagnostics);

std::string_view to_string(Severity severity);
bool has_errors(const std::vector<Diagnostic>& diagnostics);

}  // namespace longline
