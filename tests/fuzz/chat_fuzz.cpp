// SPDX-License-Identifier: MIT
// A chat(8) script of any text against a peer that sends anything at any time, in both ways of running it: no crash, every run ends, and how
// the bytes are cut makes no difference. What it is converted to is a script. Input: the script up to the first NUL, then operations.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "script/chat/lint.hpp"
#include "script/chat/machine.hpp"
#include "script/chat/to_scp.hpp"
#include "script/scp/script.hpp"

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
  out.log = out.echo = drop_in;
  return out;
}

class Player {
 public:
  Player(const chat::Parsed& script, bool drop_in) : machine_(script.program, options(drop_in)) {
    machine_.start(now_);
    drain();
  }
  void pass(Duration d) {
    now_ += d;
    machine_.on_time(now_);
    drain();
  }
  void feed(std::string_view bytes, bool one_by_one) {
    machine_.on_time(now_);
    drain();
    const std::size_t step = one_by_one ? 1 : std::max<std::size_t>(bytes.size(), 1);
    for (; !bytes.empty() && ends_ == 0; bytes.remove_prefix(step)) {
      machine_.on_bytes(bytes.substr(0, step), now_);
      drain();
    }
    leftover_ += bytes;   // nobody has read it
  }
  void close() {
    machine_.on_closed(now_);
    drain();
  }
  void run_out() {
    for (int waits = 0; ends_ == 0; ++waits) {
      if (waits > 1'000'000 || !machine_.deadline()) std::abort();
      now_ = std::max(now_, *machine_.deadline());
      machine_.on_time(now_);
      drain();
    }
  }
  bool same(const Player& other) const { return sent_ == other.sent_ && status_ == other.status_ && leftover_ == other.leftover_; }

 private:
  void drain() {
    for (int actions = 0; const auto action = machine_.next_action(); ++actions) {
      if (actions > 2'000'000 || ends_ > 0) std::abort();
      if (const auto* write = std::get_if<Write>(&*action)) sent_ += write->bytes;
      if (const auto* finished = std::get_if<Finished>(&*action)) {
        ++ends_;
        status_ = chat_status(*finished);
        leftover_ = finished->leftover;
        if (status_ < 0 || status_ > 255 || finished->reason.find('\n') != std::string::npos) std::abort();
      }
    }
  }

  ChatMachine machine_;
  TimePoint now_{Duration(1'000'000)};
  int ends_ = 0;
  int status_ = -1;
  std::string sent_;
  std::string leftover_;
};

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
    Player whole(script, drop_in);
    Player pieces(script, drop_in);
    std::string_view rest = input.substr(std::min(end + 1, size));
    while (!rest.empty()) {
      const auto op = static_cast<unsigned char>(rest[0]);
      rest.remove_prefix(1);
      if (op < 0xC0) {
        const std::string_view bytes = rest.substr(0, op);
        rest.remove_prefix(bytes.size());
        whole.feed(bytes, false);
        pieces.feed(bytes, true);
      } else if (op == 0xFF) {
        whole.close();
        pieces.close();
      } else {
        whole.pass(Duration((op - 0xC0) * 100));
        pieces.pass(Duration((op - 0xC0) * 100));
      }
    }
    whole.run_out();
    pieces.run_out();
    if (!whole.same(pieces)) std::abort();
  }
  return 0;
}
