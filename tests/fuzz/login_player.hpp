// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "script/login_machine.hpp"

namespace longline::script::fuzz {

/// Plays operations into a login script's machine; aborts where a machine may not do what it did.
class LoginPlayer {
 public:
  /// `secret`: must not be in the words of its end.
  LoginPlayer(LoginMachine machine, std::string secret) : machine_(std::move(machine)), secret_(std::move(secret)) {
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
  bool same(const LoginPlayer& other) const { return sent_ == other.sent_ && status_ == other.status_ && leftover_ == other.leftover_; }
  bool ran_away() const { return outcome_ == Outcome::runtime_error; }   // a .scp script's budget starts anew with every input

 private:
  void drain() {
    for (int actions = 0; const auto action = machine_.next_action(); ++actions) {
      if (actions > 2'000'000 || ends_ > 0) std::abort();
      if (const auto* write = std::get_if<Write>(&*action)) sent_ += write->bytes;
      if (const auto* finished = std::get_if<Finished>(&*action)) {
        ++ends_;
        outcome_ = finished->outcome;
        status_ = chat_status(*finished);
        leftover_ = finished->leftover;
        if (status_ < 0 || status_ > 255 || finished->reason.find('\n') != std::string::npos) std::abort();
        if (finished->reason.find(secret_) != std::string::npos) std::abort();
      }
    }
  }

  LoginMachine machine_;
  std::string secret_;
  TimePoint now_{Duration(1'000'000)};
  int ends_ = 0;
  std::string sent_;
  std::string leftover_;
  Outcome outcome_ = Outcome::ok;
  int status_ = -1;
};

/// Both get the same, one of them byte by byte. An operation is a byte: below C0 so many bytes of the peer's follow, FF closes the stream, any
/// other lets tenths of a second pass. Then both run to their ends.
inline void play(std::string_view operations, LoginPlayer& whole, LoginPlayer& pieces) {
  while (!operations.empty()) {
    const auto op = static_cast<unsigned char>(operations[0]);
    operations.remove_prefix(1);
    if (op < 0xC0) {
      const std::string_view bytes = operations.substr(0, op);
      operations.remove_prefix(bytes.size());
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
}

}  // namespace longline::script::fuzz
