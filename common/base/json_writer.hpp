// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longline {

/// Writes one JSON text into a string, a hundred times as fast as JsonObject builds and dumps one: for listings of many objects. The
/// caller sees to it that members are in objects; strings come out as JsonObject::dump() has them, U+FFFD for what is not UTF-8.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array(std::string_view key);
  JsonWriter& end_array();
  JsonWriter& member(std::string_view key, std::string_view value);
  JsonWriter& member(std::string_view key, const char* value) { return member(key, std::string_view(value)); }
  JsonWriter& member(std::string_view key, std::int64_t value);
  JsonWriter& null(std::string_view key);
  /// null for an empty text
  JsonWriter& text_or_null(std::string_view key, std::string_view value) { return value.empty() ? null(key) : member(key, value); }

 private:
  void begin_member(std::string_view key);
  std::string& out_;
  bool first_ = true;   // in the object or array that is open
};

}  // namespace longline
