// SPDX-License-Identifier: MIT
#include "mail/dot_reader.hpp"

namespace longline::mail {

void DotReader::append(std::string_view bytes, std::string& content, std::size_t limit) {
  if (content.size() + bytes.size() > limit) too_large_ = true;
  if (!too_large_) content += bytes;
}

std::size_t DotReader::feed(std::string_view bytes, std::string& content, std::size_t limit) {
  std::size_t i = 0;
  while (i < bytes.size() && !ended_) {
    const char c = bytes[i];
    switch (at_) {
      case At::line_start:
        if (c == '.') ++i;
        at_ = c == '.' ? At::dot : At::text;
        break;
      case At::dot:
        if (c == '\r') ++i;
        at_ = c == '\r' ? At::dot_cr : At::text;
        break;
      case At::dot_cr:
        if (c == '\n') {
          ++i;
          ended_ = true;
        } else {
          bare_cr_ = true;
          append("\r", content, limit);
          at_ = c == '\r' ? At::text_cr : At::text;
          if (c == '\r') {
            append("\r", content, limit);
            ++i;
          }
        }
        break;
      case At::text: {
        const std::size_t from = i;
        while (i < bytes.size() && bytes[i] != '\r' && bytes[i] != '\n') ++i;
        if (i < bytes.size()) {
          if (bytes[i] == '\n') bare_lf_ = true;
          else at_ = At::text_cr;
          ++i;
        }
        append(bytes.substr(from, i - from), content, limit);
        break;
      }
      case At::text_cr:
        bare_cr_ = bare_cr_ || c != '\n';
        if (c == '\r' || c == '\n') {
          append(bytes.substr(i, 1), content, limit);
          ++i;
        }
        at_ = c == '\n' ? At::line_start : c == '\r' ? At::text_cr : At::text;
        break;
    }
  }
  return i;
}

}  // namespace longline::mail
