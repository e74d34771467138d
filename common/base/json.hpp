// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline {

/// A JSON object with its members in the order in which they were set; one line of JSON Lines. Wraps nlohmann::json so
/// that its header (3 s to compile) stays in one file. Strings that are not UTF-8 come out with U+FFFD.
class JsonObject {
 public:
  JsonObject();
  JsonObject(const JsonObject&);
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject);
  ~JsonObject();

  JsonObject& set(std::string_view key, std::string_view value);
  JsonObject& set(std::string_view key, const char* value) { return set(key, std::string_view(value)); }
  JsonObject& set(std::string_view key, const std::string& value) { return set(key, std::string_view(value)); }
  JsonObject& set(std::string_view key, std::int64_t value);
  JsonObject& set(std::string_view key, int value) { return set(key, std::int64_t{value}); }
  JsonObject& set(std::string_view key, double value);
  JsonObject& set(std::string_view key, bool value);
  JsonObject& set_null(std::string_view key);
  JsonObject& set(std::string_view key, const JsonObject& value);
  JsonObject& set(std::string_view key, const std::vector<JsonObject>& values);
  JsonObject& set(std::string_view key, const std::vector<std::string>& values);
  /// null for an empty optional
  template <class T>
  JsonObject& set(std::string_view key, const std::optional<T>& value) {
    return value ? set(key, *value) : set_null(key);
  }

  /// Adds all members of another object behind ours.
  JsonObject& merge(const JsonObject& other);

  bool empty() const;
  bool has(std::string_view key) const;
  // Readers: nullopt when the member is absent or of another type.
  std::optional<std::string> string(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<JsonObject> object(std::string_view key) const;
  std::vector<JsonObject> objects(std::string_view key) const;      ///< empty when absent
  std::vector<std::string> strings(std::string_view key) const;     ///< empty when absent

  std::string dump() const;   ///< one line, no newline

 private:
  struct Impl;
  explicit JsonObject(std::unique_ptr<Impl> impl);
  friend Result<JsonObject> parse_json_object(std::string_view text);
  std::unique_ptr<Impl> impl_;
};

/// Errc::malformed for anything but one object; nesting deeper than 64 is refused.
Result<JsonObject> parse_json_object(std::string_view text);

}  // namespace longline
