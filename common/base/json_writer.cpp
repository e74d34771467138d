// SPDX-License-Identifier: MIT
#include "base/json_writer.hpp"

#include <array>
#include <charconv>

#include "base/json.hpp"

namespace longline {
namespace {

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool all_plain(std::string_view text) {
  for (const char c : text) {
    if (!kPlain[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

void append_string(std::string& out, std::string_view value) {
  if (all_plain(value)) {
    out += '"';
    out += value;
    out += '"';
    return;
  }
  // {"x":"…"}
  const std::string object = JsonObject().set("x", value).dump();
  out.append(object, 5, object.size() - 6);
}

}  // namespace

JsonWriter& JsonWriter::begin_object() {
  if (!first_) out_ += ',';
  out_ += '{';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}

void JsonWriter::begin_member(std::string_view key) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_ += key;
  out_ += "\":";
}

JsonWriter& JsonWriter::begin_array(std::string_view key) {
  begin_member(key);
  out_ += '[';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::member(std::string_view key, std::string_view value) {
  begin_member(key);
  append_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::member(std::string_view key, std::int64_t value) {
  begin_member(key);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::null(std::string_view key) {
  begin_member(key);
  out_ += "null";
  return *this;
}

}  // namespace longline
