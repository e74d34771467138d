// SPDX-License-Identifier: MIT
#include "modem/line_reader.hpp"

#include <utility>

namespace longline::modem {

std::optional<std::string> LineReader::next(std::string_view& bytes) {
  constexpr std::size_t kLongest = 512;
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (c == '\r' || c == '\n') {
      if (line_.empty()) continue;
      ended_in_lf_ = c == '\n';
      return std::exchange(line_, {});
    } else if (c != '\0' && line_.size() < kLongest) {
      line_ += c;
    }
  }
  return std::nullopt;
}

}  // namespace longline::modem
