// SPDX-License-Identifier: MIT
#include "script/replay.hpp"

#include <algorithm>
#include <random>

namespace longline::script {
namespace {

using EventKind = TranscriptEvent::Kind;

struct Input {
  Duration at{};
  std::string bytes;
  bool closed = false;
};

std::vector<Input> inputs(const std::vector<TranscriptEvent>& transcript, std::uint32_t variation) {
  std::vector<Input> out;
  std::mt19937 random(variation);
  Duration now{};
  for (const TranscriptEvent& event : transcript) {
    switch (event.kind) {
      case EventKind::sent: break;
      case EventKind::passed: {
        const std::int64_t percent = variation == 0 ? 100 : 90 + static_cast<std::int64_t>(random() % 21);
        now += event.passed * percent / 100;
        break;
      }
      case EventKind::carrier_lost: out.push_back({now, "", true}); break;
      case EventKind::received: {
        std::string_view rest = event.bytes;
        while (variation != 0 && rest.size() > 1) {
          const std::size_t n = 1 + random() % rest.size();
          out.push_back({now, std::string(rest.substr(0, n)), false});
          rest.remove_prefix(n);
          now += Duration(random() % 20);
        }
        if (!rest.empty()) out.push_back({now, std::string(rest), false});
      }
    }
  }
  return out;
}

class Simulation {
 public:
  Simulation(const LoginProgram& program, LoginOptions options)
      : secrets_{options.password}, machine_(program, std::move(options)) {}

  ReplayResult run(const std::vector<Input>& inputs) {
    machine_.start(now_);
    drain();
    for (const Input& input : inputs) {
      pass(TimePoint{} + input.at);
      if (ended_) break;
      if (input.closed) machine_.on_closed(now_);
      else feed(input.bytes);
      drain();
    }
    while (!ended_ && machine_.deadline()) pass(*machine_.deadline());
    result_.elapsed = now_ - TimePoint{};
    return std::move(result_);
  }

 private:
  void pass(TimePoint until) {
    while (!ended_ && machine_.deadline() && *machine_.deadline() <= until) {
      now_ = std::max(now_, *machine_.deadline());
      machine_.on_time(now_);
      drain();
    }
    if (!ended_) now_ = std::max(now_, until);
  }

  void feed(const std::string& bytes) {
    result_.steps.push_back({now_ - TimePoint{}, true, mask(bytes, secrets_)});
    machine_.on_bytes(bytes, now_);
  }

  void drain() {
    while (const auto action = machine_.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) {
        result_.steps.push_back({now_ - TimePoint{}, false, masked(*write, secrets_), mask(write->bytes, secrets_)});
      } else if (const auto* finished = std::get_if<Finished>(&*action)) {
        result_.finished = *finished;
        ended_ = true;
      }
    }
  }

  std::vector<Secret> secrets_;
  LoginMachine machine_;
  TimePoint now_{};
  bool ended_ = false;
  ReplayResult result_;
};

std::string sent_by(const ReplayResult& result) {
  std::string out;
  for (const ReplayStep& step : result.steps) {
    if (!step.received) out += step.bytes;
  }
  return out;
}

struct Expected {
  std::string bytes;
  std::vector<std::pair<std::size_t, int>> lines;   ///< where each `>` line begins
};

Expected expected_of(const std::vector<TranscriptEvent>& transcript, const std::vector<Secret>& secrets) {
  Expected out;
  for (const TranscriptEvent& event : transcript) {
    if (event.kind != EventKind::sent) continue;
    out.lines.emplace_back(out.bytes.size(), event.line);
    out.bytes += mask(event.bytes, secrets);
  }
  return out;
}

std::optional<ReplayDifference> compare(const Expected& expected, const std::vector<ReplayStep>& steps) {
  if (expected.lines.empty()) return std::nullopt;
  const std::string_view all = expected.bytes;
  std::size_t at = 0;
  std::string rest;   // what was sent from there on
  for (const ReplayStep& step : steps) {
    if (step.received) continue;
    if (rest.empty() && all.substr(at).starts_with(step.raw)) at += step.raw.size();
    else if (rest.empty() && all.substr(at).starts_with(step.bytes)) at += step.bytes.size();
    else rest += step.bytes;
  }
  if (at == all.size() && rest.empty()) return std::nullopt;
  const auto same = std::mismatch(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(), rest.begin(), rest.end());
  at = static_cast<std::size_t>(same.first - all.begin());
  ReplayDifference out;
  if (at < all.size()) {
    for (const auto& [begin, line] : expected.lines) {
      if (begin <= at) out.line = line;
    }
  }
  out.expected = all.substr(at, 80);
  out.sent = std::string(same.second, rest.end()).substr(0, 80);
  return out;
}

constexpr std::string_view kUnknownUser = "\x01user\x01";

/// The name that the transcript has where the script sends $USERID.
std::string user_of(const std::string& sent, const std::string& expected) {
  const std::size_t at = sent.find(kUnknownUser);
  if (at == std::string::npos || expected.substr(0, at) != sent.substr(0, at)) return "user";
  std::string behind = sent.substr(at + kUnknownUser.size());
  behind.resize(std::min(behind.size(), behind.find(kUnknownUser)));
  const std::size_t end = behind.empty() ? expected.size() : expected.find(behind.substr(0, 8), at);
  return end == std::string::npos || end <= at ? "user" : expected.substr(at, end - at);
}

}  // namespace

ReplayResult replay(const LoginProgram& program, const std::vector<TranscriptEvent>& transcript,
                    const ReplayOptions& options) {
  const Secret password = options.password.value_or(Secret(std::string(SecretMasker::kMask)));
  LoginOptions run{options.user.value_or(std::string(kUnknownUser)), password, options.deadline, options.ignore_success,
                   [](const std::string&) { return Result<std::string>(std::string(SecretMasker::kMask)); }};
  const Expected expected = expected_of(transcript, {password});
  if (!options.user && needs_user(program)) {
    // The bytes as they stand: the name does not depend on how they are cut.
    run.user = user_of(sent_by(Simulation(program, run).run(inputs(transcript, 0))), expected.bytes);
  }
  ReplayResult result = Simulation(program, run).run(inputs(transcript, options.variation));
  result.difference = compare(expected, result.steps);
  return result;
}

}  // namespace longline::script
