// SPDX-License-Identifier: MIT
#include "script/prompt_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline::script {
namespace {

constexpr std::size_t kShortestWord = 3;
constexpr std::size_t kUsual = 24;
constexpr std::size_t kLongest = 200;
constexpr char kEscapeByte = '\x1B';

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'; }
bool is_line_end(char c) { return c == '\r' || c == '\n'; }

/// Behind an escape sequence that begins at `at`.
std::size_t behind_sequence(std::string_view text, std::size_t at) {
  const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
  at = std::min(text.size(), at + 2);
  if (kind == '[') {
    while (at < text.size() && (text[at] < 0x40 || text[at] > 0x7E)) ++at;
    return std::min(text.size(), at + 1);
  }
  if (kind == ']' || kind == 'P' || kind == '_' || kind == '^') {
    while (at < text.size() && text[at] != '\a' && text[at] != kEscapeByte && !is_line_end(text[at])) ++at;
    if (at < text.size() && text[at] == kEscapeByte) return std::min(text.size(), at + 2);
    return std::min(text.size(), at + 1);
  }
  return at;
}

/// Text without escape sequences, over several lines; `line`: where its last line with words begins.
struct Passage {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t line = 0;
};

/// The last one that has a word; else the last that has anything.
std::string_view last_passage(std::string_view said, std::size_t& line) {
  Passage best, current;
  const auto close = [&](std::size_t end) {
    current.end = end;
    std::string_view text = said.substr(current.begin, end - current.begin);
    const std::string_view last = trim(said.substr(current.line, end - current.line));
    const bool best_has_word = best.end > best.line && trim(said.substr(best.line, best.end - best.line)).size() >= kShortestWord;
    if (!trim(text).empty() && (last.size() >= kShortestWord || !best_has_word)) best = current;
  };
  for (std::size_t at = 0; at < said.size();) {
    if (said[at] == kEscapeByte || !(is_plain(said[at]) || is_line_end(said[at]))) {
      close(at);
      at = said[at] == kEscapeByte ? behind_sequence(said, at) : at + 1;
      current = {at, at, at};
      continue;
    }
    const bool new_line = is_line_end(said[at]) && at + 1 < said.size() && !is_line_end(said[at + 1]);
    ++at;
    if (new_line && !trim(said.substr(at, said.find_first_of("\r\n\x1B", at) - at)).empty()) current.line = at;
  }
  close(said.size());
  std::string_view text = said.substr(best.begin, best.end - best.begin);
  while (!text.empty() && (text.back() == ' ' || is_line_end(text.back()))) text.remove_suffix(1);
  line = std::min(best.line - best.begin, text.size());
  return text;
}

/// Whole words of the last line, as few as make a usual prompt.
std::size_t shortest(std::string_view line) {
  if (line.size() <= kUsual) return line.size();
  const std::size_t space = line.find(' ', line.size() - kUsual);
  return std::max(space == std::string_view::npos ? kUsual : line.size() - space - 1, kShortestWord);
}

}  // namespace

std::string prompt_text(std::string_view said, std::string_view heard, const std::vector<Secret>& secrets) {
  std::size_t line = 0;
  std::string_view text = last_passage(said, line);
  std::size_t length = shortest(text.substr(line));
  for (const Secret& secret : secrets) {
    const std::size_t at = secret.reveal().size() < 2 ? std::string_view::npos : text.rfind(secret.reveal());
    if (at != std::string_view::npos) text.remove_prefix(at + secret.reveal().size());
  }
  length = std::min({length, text.size(), kLongest});
  const std::string all = to_lower(heard);
  const auto tail = [&](std::size_t n) { return to_lower(text.substr(text.size() - n)); };
  if (length == 0 || trim(tail(length)).empty() || all.find(tail(length)) == std::string::npos) return "";
  for (std::size_t longer = length; longer <= std::min(text.size(), kLongest); ++longer) {
    const std::size_t first = all.find(tail(longer));
    if (first == std::string::npos) break;   // an echo in its midst: the host never said it in one piece
    length = longer;
    if (first == all.rfind(tail(longer))) break;
  }
  return std::string(text.substr(text.size() - length));
}

}  // namespace longline::script
