// SPDX-License-Identifier: MIT
#include "script/source_check.hpp"

#include <fmt/format.h>

namespace longline::script {

std::optional<Diagnostic> refuse_source(const SourceText& source, const char* nul_fix) {
  const std::string_view text = source.text();
  const Where whole{source.file(), 0, 0};
  if (text.size() > kLargestScript) {
    return Diagnostic{Severity::error, "file-too-large", whole, 1,
                      fmt::format("the script has {} bytes; at most {} are allowed", text.size(), kLargestScript), ""};
  }
  const std::string_view mark = text.substr(0, 2);
  if (mark == "\xFF\xFE" || mark == "\xFE\xFF") {
    return Diagnostic{Severity::error, "utf-16", whole, 1, "the script is in UTF-16, which is not a text that a modem line knows",
                      "save it as plain text (ASCII or UTF-8)"};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Diagnostic{Severity::error, "nul-byte", source.where(nul), 1, "a NUL byte: this is not a text", nul_fix};
  }
  return std::nullopt;
}

}  // namespace longline::script
