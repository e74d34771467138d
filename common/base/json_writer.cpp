// SPDX-License-Identifier: MIT
#include "base/json_writer.hpp"

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace longline {
namespace {

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

void append_string(std::string& out, std::string_view value) {
  if (std::all_of(value.begin(), value.end(), is_plain)) {
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
