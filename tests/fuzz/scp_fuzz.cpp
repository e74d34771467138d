// SPDX-License-Identifier: MIT
// A script of any text against a peer that sends anything at any time: no crash, every run ends, and how the bytes are cut
// makes no difference. What repairs a script never breaks it, and has nothing to do the second time. Input:
// the script up to the first NUL (commands alone get a procedure around them), then operations.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "script/scp/fix.hpp"
#include "script/scp/machine.hpp"

using namespace longline;
using namespace longline::script;

namespace {

class Player {
 public:
  explicit Player(const ParsedScript& script) : machine_(script.program, {"user", Secret("pass^word"), Duration(60'000)}) {
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
    const std::size_t step = one_by_one ? 1 : bytes.size();
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
  bool same(const Player& other) const {
    return sent_ == other.sent_ && outcome_ == other.outcome_ && leftover_ == other.leftover_;
  }
  bool ran_away() const { return outcome_ == Outcome::runtime_error; }   // its budget starts anew with every input

 private:
  void drain() {
    for (int actions = 0; const auto action = machine_.next_action(); ++actions) {
      if (actions > 2'000'000 || ends_ > 0) std::abort();
      if (const auto* write = std::get_if<Write>(&*action)) sent_ += write->bytes;
      if (const auto* finished = std::get_if<Finished>(&*action)) {
        ++ends_;
        outcome_ = finished->outcome;
        leftover_ = finished->leftover;
        if (finished->reason.find("pass^word") != std::string::npos || finished->reason.find('\n') != std::string::npos) std::abort();
      }
    }
  }

  ScpMachine machine_;
  TimePoint now_{Duration(1'000'000)};
  int ends_ = 0;
  std::string sent_;
  std::string leftover_;
  Outcome outcome_ = Outcome::ok;
};

}  // namespace

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

  Player whole(script);
  Player pieces(script);
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
  if (!whole.same(pieces) && !whole.ran_away() && !pieces.ran_away()) std::abort();
  return 0;
}
