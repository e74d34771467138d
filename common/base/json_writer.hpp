// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace longline {

/// A member's name as it stands in the text: `,"id":`. Made by the compiler, from a literal that needs no escapes: "id"_key.
struct JsonKey {
  static constexpr std::size_t kRoom = 24;
  std::array<char, kRoom + 1> text{};
  std::size_t size = 0;

  template <std::size_t N>
  consteval JsonKey(const char (&name)[N]) {
    static_assert(N + 3 <= kRoom);
    const auto add = [this](char c) { text[size++] = c; };
    add(',');
    add('"');
    for (const char c : std::string_view(name, N - 1)) add((c >= 'a' && c <= 'z') || c == '_' ? c : throw "not a name");
    add('"');
    add(':');
  }
  /// The end. Always writes kRoom bytes, since that is a copy without a loop.
  char* put(char* to, bool comma) const {
    const std::size_t skipped = comma ? 0 : 1;
    std::memcpy(to, text.data() + skipped, kRoom);
    return to + (size - skipped);
  }
};

/// One object for each name in the program, not one for each use.
template <JsonKey kKey>
consteval const JsonKey& operator""_key() {
  return kKey;
}

/// Writes one JSON text behind what is in a buffer, a hundred times as fast as JsonObject builds and dumps one: for listings of many
/// objects. The caller sees to it that members are in objects; strings come out as JsonObject::dump() has them, U+FFFD for what is not
/// UTF-8.
class JsonWriter {
 public:
  explicit JsonWriter(fmt::memory_buffer& out) : out_(out) {}
  JsonWriter& begin_object() {
    if (!first_) out_.push_back(',');
    return bracket('{', true);
  }
  JsonWriter& end_object() { return bracket('}', false); }
  JsonWriter& begin_array(const JsonKey& key) {
    end_member(begin_member(key, 0));
    return bracket('[', true);
  }
  JsonWriter& end_array() { return bracket(']', false); }
  JsonWriter& member(const JsonKey& key, std::string_view value);
  JsonWriter& member(const JsonKey& key, const char* value) { return member(key, std::string_view(value)); }
  JsonWriter& member(const JsonKey& key, std::int64_t value);
  JsonWriter& null(const JsonKey& key);
  /// null for an empty text
  JsonWriter& text_or_null(const JsonKey& key, std::string_view value) { return value.empty() ? null(key) : member(key, value); }

 private:
  JsonWriter& bracket(char which, bool opens) {
    out_.push_back(which);
    first_ = opens;
    return *this;
  }
  /// The key, and room for a value of so many bytes, which goes where the result points; end_member() says how many there were.
  char* begin_member(const JsonKey& key, std::size_t room) {
    out_.reserve(out_.size() + JsonKey::kRoom + room);
    return key.put(out_.data() + out_.size(), !std::exchange(first_, false));
  }
  void end_member(const char* end) { out_.resize(static_cast<std::size_t>(end - out_.data())); }

  fmt::memory_buffer& out_;
  bool first_ = true;   // in the object or array that is open
};

}  // namespace longline
