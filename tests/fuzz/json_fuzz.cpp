// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdlib>

#include "base/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longline;
  const Result<JsonObject> object = parse_json_object({reinterpret_cast<const char*>(data), size});
  if (!object) return 0;
  // What we print we can read.
  if (!parse_json_object(object->dump())) std::abort();
  if (const std::optional<Error> error = error_from_object(*object)) error_object("x", *error);
  return 0;
}
