// SPDX-License-Identifier: MIT
#include "base/json_writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "base/json.hpp"

namespace longline {
namespace {

std::string with_value(std::string_view value) {
  fmt::memory_buffer out;
  JsonWriter(out).begin_object().member("k"_key, value).member("end"_key, "x").end_object();
  return fmt::to_string(out);
}

std::string expected(std::string_view value) { return JsonObject().set("k", value).set("end", "x").dump(); }

TEST_CASE("objects, arrays and values") {
  fmt::memory_buffer out;
  JsonWriter json(out);
  json.begin_object().member("a"_key, "x").member("n"_key, std::int64_t{-5}).null("z"_key).text_or_null("e"_key, "").text_or_null("f"_key, "y");
  json.begin_array("l"_key);
  json.begin_object().member("b"_key, "1").end_object();
  json.begin_object().end_object();
  json.end_array().begin_array("m"_key).end_array().member("longest_name_of_them"_key, "").end_object();
  const std::string text = fmt::to_string(out);
  CHECK(text == R"({"a":"x","n":-5,"z":null,"e":null,"f":"y","l":[{"b":"1"},{}],"m":[],"longest_name_of_them":""})");
  CHECK(parse_json_object(text));
}

TEST_CASE("the largest numbers") {
  fmt::memory_buffer out;
  using Limits = std::numeric_limits<std::int64_t>;
  JsonWriter(out).begin_object().member("a"_key, Limits::min()).member("b"_key, Limits::max()).end_object();
  CHECK(fmt::to_string(out) == R"({"a":-9223372036854775808,"b":9223372036854775807})");
}

TEST_CASE("one text comes behind the other, however many") {
  fmt::memory_buffer out;
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    JsonWriter(out).begin_object().member("n"_key, std::int64_t{i}).member("k"_key, std::string(static_cast<std::size_t>(i), 'x')).end_object();
    out.push_back('\n');
    all += "{\"n\":" + std::to_string(i) + ",\"k\":\"" + std::string(static_cast<std::size_t>(i), 'x') + "\"}\n";
  }
  CHECK(fmt::to_string(out) == all);
}

TEST_CASE("every byte comes out as JsonObject has it, wherever it stands") {
  for (std::size_t size = 1; size <= 25; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(c);
        if (with_value(text) != expected(text)) FAIL_CHECK("byte " << c << " at " << at << " of " << size << ": " << with_value(text));
      }
    }
  }
}

TEST_CASE("two bytes side by side hide neither") {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      std::string text = "12345678901";
      text[3] = static_cast<char>(a);
      text[4] = static_cast<char>(b);
      if (with_value(text) != expected(text)) FAIL_CHECK("bytes " << a << " " << b << ": " << with_value(text));
    }
  }
}

TEST_CASE("UTF-8 stays, what is none is replaced") {
  CHECK(with_value("gr\xc3\xbc\xc3\x9f" "e") == "{\"k\":\"gr\xc3\xbc\xc3\x9f" "e\",\"end\":\"x\"}");
  CHECK(with_value("a\xff" "b") == "{\"k\":\"a\xef\xbf\xbd" "b\",\"end\":\"x\"}");
  CHECK(with_value("\x1b[31m \"quoted\" \\") == R"({"k":"\u001b[31m \"quoted\" \\","end":"x"})");
}

}  // namespace
}  // namespace longline
