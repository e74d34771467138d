// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::config {

struct IniKey {
  std::string name;     ///< as written, without blanks at its ends
  std::string value;    ///< likewise
  int line = 0;
};

struct IniSection {
  std::string name;
  int line = 0;
  std::vector<IniKey> keys;   ///< in order; the same name may stand there more than once
};

struct IniText {
  std::vector<IniSection> sections;
  std::vector<IniKey> stray;  ///< lines that are neither a section nor KEY=VALUE, and keys before the first section; no value
};

/// Sections of keys, as other programs write them: LF or CRLF, `;` and `#` comments at the start of a line. What is not UTF-8 is
/// taken for Windows-1252 and becomes UTF-8. Errc::malformed for UTF-16 and for NUL bytes.
Result<IniText> parse_ini(std::string_view text);

}  // namespace longline::config
