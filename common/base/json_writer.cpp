// SPDX-License-Identifier: MIT
#include "base/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "base/json.hpp"

namespace longline {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t each(unsigned char byte) { return 0x0101'0101'0101'0101u * byte; }

/// Whether eight bytes stand for themselves in a string: ASCII, no control character, quote or backslash. Each difference sets the high bit
/// of the lowest byte for which that is not so; where there is none nothing is borrowed from a neighbour.
constexpr bool are_plain(std::uint64_t eight) {
  const std::uint64_t not_plain = eight | (eight - each(0x20)) | ((eight ^ each('"')) - each(1)) | ((eight ^ each('\\')) - each(1));
  return (not_plain & each(0x80)) == 0;
}

/// false: a byte of it needs more than a copy, and what is at `to` is of no use.
bool copy_plain(std::string_view text, char* to) {
  std::uint64_t word = each(' ');
  if (text.size() < kWord) {
    for (const char c : text) {
      *to++ = c;
      word = word << 8 | static_cast<unsigned char>(c);
    }
    return are_plain(word);
  }
  // The last word overlaps the one before.
  for (std::size_t i = 0;; i = std::min(i + kWord, text.size() - kWord)) {
    std::memcpy(&word, text.data() + i, kWord);
    std::memcpy(to + i, &word, kWord);
    if (!are_plain(word)) return false;
    if (i + kWord == text.size()) return true;
  }
}

void append_escaped(fmt::memory_buffer& out, std::string_view value) {
  // {"x":"…"}
  const std::string object = JsonObject().set("x", value).dump();
  out.append(object.data() + 5, object.data() + object.size() - 1);
}

}  // namespace

JsonWriter& JsonWriter::member(const JsonKey& key, std::string_view value) {
  char* at = begin_member(key, value.size() + 2);
  if (copy_plain(value, at + 1)) {
    *at++ = '"';
    at += value.size();
    *at++ = '"';
    end_member(at);
  } else {
    end_member(at);
    append_escaped(out_, value);
  }
  return *this;
}

JsonWriter& JsonWriter::member(const JsonKey& key, std::int64_t value) {
  constexpr std::size_t kMostDigits = 20;
  char* at = begin_member(key, kMostDigits);
  end_member(std::to_chars(at, at + kMostDigits, value).ptr);
  return *this;
}

JsonWriter& JsonWriter::null(const JsonKey& key) {
  constexpr std::string_view kNull = "null";
  end_member(std::copy(kNull.begin(), kNull.end(), begin_member(key, kNull.size())));
  return *this;
}

}  // namespace longline
