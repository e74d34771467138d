// SPDX-License-Identifier: MIT
// Any session at a terminal: what is recorded of it is a script without errors and a transcript that can be read, and the given password is in
// neither. The peer's bytes never reach the user's terminal as a command. Input: operations.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "script/recording.hpp"
#include "script/scp/script.hpp"
#include "script/terminal_filter.hpp"
#include "script/terminal_keys.hpp"
#include "script/transcript.hpp"

using namespace longline;
using namespace longline::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  TimePoint now{Duration(1'000'000)};
  Recorder recorder("user", Secret("p^ssword"), now);
  TerminalFilter filter;
  TerminalKeys keys;
  std::string screen;
  while (!rest.empty()) {
    const auto op = static_cast<unsigned char>(rest[0]);
    rest.remove_prefix(1);
    const std::string_view bytes = rest.substr(0, op & 0x3F);
    rest.remove_prefix(bytes.size());
    switch (op >> 6) {
      case 0:
        recorder.received(bytes, now);
        screen += filter.feed(bytes);
        break;
      case 1: {
        std::string_view typed = bytes;
        while (!typed.empty()) recorder.typed(keys.feed(typed).bytes, now);
        break;
      }
      case 2: now += Duration((op & 0x3F) * 100); break;
      default: recorder.carrier_lost(now);
    }
  }
  for (std::size_t at = screen.find('\x1B'); at != std::string::npos; at = screen.find('\x1B', at + 1)) {
    const char next = at + 1 < screen.size() ? screen[at + 1] : '7';
    if (std::string_view("[78DEM").find(next) == std::string_view::npos) std::abort();
  }
  const Recorder::Recording recording = recorder.finish(now);
  if (parse_scp("r.scp", recording.script).program == nullptr) std::abort();
  if (!parse_transcript("r.transcript", recording.transcript)) std::abort();
  return 0;
}
