// SPDX-License-Identifier: MIT
#include "base/json_writer.hpp"

#include <doctest/doctest.h>

#include "base/json.hpp"

namespace longline {
namespace {

TEST_CASE("objects, arrays and values") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("a", "x").member("n", std::int64_t{-5}).null("z").text_or_null("e", "").text_or_null("f", "y");
  json.begin_array("l");
  json.begin_object().member("b", "1").end_object();
  json.begin_object().end_object();
  json.end_array().begin_array("m").end_array().member("end", "x").end_object();
  CHECK(out == R"({"a":"x","n":-5,"z":null,"e":null,"f":"y","l":[{"b":"1"},{}],"m":[],"end":"x"})");
  CHECK(parse_json_object(out));
}

TEST_CASE("every byte comes out as JsonObject has it") {
  for (int c = 0; c < 256; ++c) {
    const std::string text = {'a', static_cast<char>(c), 'b'};
    std::string out;
    JsonWriter(out).begin_object().member("k", text).end_object();
    CHECK(out == JsonObject().set("k", text).dump());
  }
  std::string out;
  JsonWriter(out).begin_object().member("k", "gr\xc3\xbc\xc3\x9f" "e").end_object();
  CHECK(out == "{\"k\":\"gr\xc3\xbc\xc3\x9f" "e\"}");
}

}  // namespace
}  // namespace longline
