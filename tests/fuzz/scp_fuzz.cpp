// SPDX-License-Identifier: MIT
// A script of any text against a peer that sends anything at any time: no crash, every run ends, and how the bytes are cut
// makes no difference. What repairs a script never breaks it, and has nothing to do the second time. Input:
// the script up to the first NUL (commands alone get a procedure around them), then operations (login_player.hpp).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/login_player.hpp"
#include "script/scp/fix.hpp"

using namespace longline;
using namespace longline::script;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  std::string text(input.substr(0, end));
  if (text.find("proc") == std::string::npos) text = "proc main\n" + text + "\nendproc\n";
  const ParsedScript script = parse_scp("f.scp", text);
  for (const Diagnostic& d : script.diagnostics) render(d, *script.source);
  const Fixed fixed = fix("f.scp", text);
  if (script.program != nullptr && fixed.script.program == nullptr) std::abort();
  if (fix("f.scp", fixed.text).text != fixed.text) std::abort();
  if (script.program == nullptr) return 0;

  const auto player = [&] {
    return fuzz::LoginPlayer(LoginMachine(script.program, {"user", Secret("pass^word"), Duration(60'000), false, {}}), "pass^word");
  };
  fuzz::LoginPlayer whole = player();
  fuzz::LoginPlayer pieces = player();
  fuzz::play(input.substr(std::min(end + 1, size)), whole, pieces);
  if (!whole.same(pieces) && !whole.ran_away() && !pieces.ran_away()) std::abort();
  return 0;
}
