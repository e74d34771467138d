// SPDX-License-Identifier: MIT
#include "unit/script/play.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "script/transcript.hpp"

namespace longline::script::test {
namespace {

class Player {
 public:
  explicit Player(LoginMachine machine) : machine_(std::move(machine)) {
    machine_.start(now_);
    drain();
  }

  void feed(std::string_view bytes, std::size_t chunk) {
    if (chunk == 0) chunk = bytes.size();
    while (!bytes.empty() && !out.ended) {
      machine_.on_bytes(bytes.substr(0, chunk), now_);
      bytes.remove_prefix(std::min(chunk, bytes.size()));
      drain();
    }
  }

  void pass(Duration d) {
    const TimePoint until = now_ + d;
    while (!out.ended && machine_.deadline() && *machine_.deadline() <= until) step();
    now_ = until;
  }

  void close() {
    machine_.on_closed(now_);
    drain();
  }

  void run_out() {
    for (int i = 0; i < 10'000 && !out.ended; ++i) {
      REQUIRE(machine_.deadline());
      step();
    }
    REQUIRE(out.ended);
  }

  Play out;

 private:
  void step() {
    now_ = std::max(now_, *machine_.deadline());
    machine_.on_time(now_);
    drain();
  }

  void drain() {
    while (const auto action = machine_.next_action()) std::visit([&](const auto& a) { log(a); }, *action);
  }

  void log(const Write& write) { out.log += fmt::format("> {}{}\n", quote(write.bytes), write.secret ? " secret" : ""); }
  void log(const SetFraming& f) {
    out.log += fmt::format("framing {} {} {}\n", f.data_bits.value_or(0), f.parity ? static_cast<int>(*f.parity) : -1, f.stop_bits.value_or(0));
  }
  void log(const SetKeyboard& k) { out.log += fmt::format("keyboard {}\n", k.on ? "on" : "off"); }
  void log(const SendBreak&) { out.log += "break\n"; }
  void log(const DiscardInput&) { out.log += "discard\n"; }
  void log(const SetHangup& h) { out.log += fmt::format("hangup {}\n", h.ends ? "on" : "off"); }
  void log(const Notice& n) {
    if (n.kind == Notice::Kind::failure) return;   // the end says it, too
    constexpr std::string_view kKinds[] = {"say", "echo", "show", "report", "log"};
    out.log += fmt::format("{} {}\n", kKinds[static_cast<int>(n.kind)], quote(n.text));
  }
  void log(const Finished& f) {
    const std::string which = f.outcome == Outcome::aborted ? fmt::format(" {}", f.abort) : "";
    out.log += fmt::format("= {}{} at {}\n", to_string(f.outcome), which, format_duration(now_ - TimePoint{}));
    out.finished = f;
    out.ended = true;
  }

  LoginMachine machine_;
  TimePoint now_{};
};

Play play_out(LoginMachine machine, std::string_view transcript, std::size_t chunk) {
  const auto events = parse_transcript("transcript", transcript);
  REQUIRE(events);
  Player player(std::move(machine));
  for (const TranscriptEvent& event : *events) {
    switch (event.kind) {
      case TranscriptEvent::Kind::received: player.feed(event.bytes, chunk); break;
      case TranscriptEvent::Kind::passed: player.pass(event.passed); break;
      case TranscriptEvent::Kind::carrier_lost: player.close(); break;
      case TranscriptEvent::Kind::sent: break;
    }
  }
  player.run_out();
  return player.out;
}

}  // namespace

Play play(const std::string& script, std::string_view transcript, Duration deadline, std::size_t chunk, bool ignore_success) {
  const ParsedScript parsed = parse_scp("test.scp", script);
  for (const Diagnostic& d : parsed.diagnostics) {
    if (d.severity == Severity::error) FAIL(render(d, *parsed.source));
  }
  return play_out(LoginMachine(parsed.program, {kUser, Secret(kPassword), deadline, ignore_success, {}}), transcript, chunk);
}

Play play_chat(const std::string& script, std::string_view transcript, ChatOptions options, std::size_t chunk) {
  const chat::Parsed parsed = chat::parse("test.chat", script);
  return play_out(LoginMachine(ChatMachine(parsed.program, std::move(options))), transcript, chunk);
}

ChatOptions as_chat() {
  ChatOptions out;
  out.drop_in = true;
  out.timeout = Duration(45'000);
  return out;
}

Play play_body(const std::string& body, std::string_view transcript, Duration deadline) {
  return play("proc main\n" + body + "\nendproc\n", transcript, deadline);
}

std::string findings(const std::string& script) {
  std::string out;
  for (const Diagnostic& d : parse_scp("test.scp", script).diagnostics) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", d.code, d.where.line);
  return out;
}

std::string findings_of_body(const std::string& body) { return findings("proc main\n" + body + "\nendproc\n"); }

}  // namespace longline::script::test
