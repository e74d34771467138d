// SPDX-License-Identifier: MIT
// A chat(8) script of any text against a peer that sends anything at any time, in both ways of running it: no crash, every run ends, and how
// the bytes are cut makes no difference. What it is converted to is a script. Input: the script up to the first NUL, then operations
// (login_player.hpp).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/login_player.hpp"
#include "script/chat/lint.hpp"
#include "script/chat/to_scp.hpp"

using namespace longline;
using namespace longline::script;

namespace {

ChatOptions options(bool drop_in) {
  ChatOptions out;
  out.deadline = Duration(600'000);
  out.drop_in = drop_in;
  out.values.phone = "5551\\d2";
  out.values.as_they_are = !drop_in;
  out.values.variable = [](const std::string& name) { return name.empty() ? std::nullopt : std::optional(chat::Value{"pass^word", true}); };
  out.read_file = [](const std::string&) { return Result<std::string>("a^Jb\\d"); };
  out.secrets = {Secret("pass^word")};
  out.log = out.echo = drop_in;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const chat::Parsed script = chat::parse("f.chat", std::string(input.substr(0, end)));
  for (const Diagnostic& d : script.diagnostics) render(d, *script.source);
  for (const Diagnostic& d : chat::lint(script)) render(d, *script.source);
  if (!has_errors(script.diagnostics)) {
    const chat::Converted converted = chat::to_scp(script, {});
    for (const Diagnostic& d : converted.report) render(d, *script.source);
    if (!has_errors(converted.report) && parse_scp("f.scp", converted.text).program == nullptr) std::abort();
  }
  for (const bool drop_in : {false, true}) {
    const auto player = [&] { return fuzz::LoginPlayer(LoginMachine(ChatMachine(script.program, options(drop_in))), "pass^word"); };
    fuzz::LoginPlayer whole = player();
    fuzz::LoginPlayer pieces = player();
    fuzz::play(input.substr(std::min(end + 1, size)), whole, pieces);
    if (!whole.same(pieces)) std::abort();
  }
  return 0;
}
