// SPDX-License-Identifier: MIT
// The reader on any text; the writer on any bytes, split anywhere: what it writes can be read, and holds no secret.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "script/transcript.hpp"

using namespace longline;
using namespace longline::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)parse_transcript("f", input);

  const std::string secret = "s3cret";
  TimePoint now{};
  TranscriptWriter writer({Secret(secret)}, now);
  std::string text;
  std::string_view rest = input;
  while (!rest.empty()) {
    const auto op = static_cast<unsigned char>(rest[0]);
    const std::string_view bytes = rest.substr(1, op & 0x1F);
    rest.remove_prefix(1 + bytes.size());
    switch (op >> 5) {
      case 0: now += Duration(op * 50); break;
      case 1: text += writer.sent({std::string(bytes), false}, now); break;
      case 2: text += writer.sent({std::string(bytes), true}, now); break;
      case 3: text += writer.finish(now); break;
      default: text += writer.received(bytes, now);
    }
  }
  text += writer.finish(now);
  const auto events = parse_transcript("f", text);
  if (!events) std::abort();
  for (const TranscriptEvent& event : *events) {
    if (event.bytes.find(secret) != std::string::npos) std::abort();
  }
  return 0;
}
