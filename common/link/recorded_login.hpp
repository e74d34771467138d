// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/machine.hpp"
#include "script/login_machine.hpp"
#include "script/transcript.hpp"

namespace longline::link {

/// A login that writes itself down, in the form of a transcript (script/transcript.hpp) with its secrets masked, in memory: it is
/// wanted only if the login fails. At most 64 KiB: a flood is cut.
class RecordedLogin {
 public:
  RecordedLogin(const script::LoginProgram& program, const script::LoginOptions& options, TimePoint now)
      : machine_(program, options), writer_({options.password}, now, kMost), now_(now) {}

  void start(TimePoint now) { machine_.start(now_ = now); }
  void on_bytes(std::string_view bytes, TimePoint now) {
    text_ += writer_.received(bytes, now_ = now);
    machine_.on_bytes(bytes, now);
  }
  void on_closed(TimePoint now) {
    text_ += writer_.carrier_lost(now_ = now);
    machine_.on_closed(now);
  }
  void on_time(TimePoint now) { machine_.on_time(now_ = now); }
  std::optional<TimePoint> deadline() const { return machine_.deadline(); }
  std::optional<script::Action> next_action() {
    std::optional<script::Action> action = machine_.next_action();
    if (const auto* write = action ? std::get_if<Write>(&*action) : nullptr) text_ += writer_.sent(*write, now_);
    return action;
  }
  /// Once, at the end.
  std::string transcript() { return std::move(text_ += writer_.finish(now_)); }

 private:
  static constexpr std::size_t kMost = 64 * 1024;
  script::LoginMachine machine_;
  script::TranscriptWriter writer_;
  TimePoint now_;
  std::string text_;
};

}  // namespace longline::link
