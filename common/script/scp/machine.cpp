// SPDX-License-Identifier: MIT
#include "script/scp/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "script/scp/address_scanner.hpp"
#include "script/scp/escapes.hpp"
#include "script/input_window.hpp"
#include "script/matcher.hpp"
#include "script/scp/limits.hpp"
#include "script/scp/program.hpp"
#include "script/report.hpp"
#include "script/scp/value.hpp"

namespace longline::script {
namespace {

/// An address at the end of what the peer says may have no byte behind it.
constexpr Duration kAddressSettles{1000};
constexpr std::int64_t kLongestWait = 10LL * 366 * 86'400;   ///< seconds; the deadline of the run is shorter
/// What a wait costs that ends at once; a loop of them may not keep the process busy.
constexpr std::size_t kStepsPerWait = 500;

Duration seconds(std::int64_t n) { return std::chrono::seconds(std::min(n, kLongestWait)); }

}  // namespace

struct ScpMachine::State {
  using Op = scp::Op;
  using SystemName = scp::SystemName;
  using Value = scp::Value;
  enum class Phase { idle, running, waiting, delaying, seeking_address, ended };

  State(std::shared_ptr<const scp::Program> program_, ScpOptions options_)
      : program(std::move(program_)), options(std::move(options_)) {
    for (const scp::Type type : program->variables) variables.push_back({type, 0, false, {}, false});
    add_secret(options.password.reveal());
  }

  // What it runs
  std::shared_ptr<const scp::Program> program;
  ScpOptions options;
  // Where it stands
  Phase phase = Phase::idle;
  TimePoint now{};
  TimePoint ends{};                        ///< deadline of the run
  std::size_t pc = 0;
  const scp::Instruction* current = nullptr;
  std::vector<Value> stack;
  std::vector<Value> variables;
  bool success = true;
  std::optional<std::string> address;
  std::size_t steps_left = 0;
  std::optional<Finished> finished;        ///< not yet taken by next_action()
  // What it waits for
  InputWindow window{scp::kWindow};
  std::optional<Matcher> matcher;
  AddressScanner scanner{1};
  TimePoint wait_began{};
  std::optional<TimePoint> wait_ends;
  std::optional<Duration> wait_limit;
  std::string waiting_for;                 ///< escaped, without secrets
  // Why $SUCCESS is FALSE
  std::string failure;
  std::uint32_t failure_offset = 0;
  std::vector<Secret> secrets;

  // ---- inputs

  void input(TimePoint time) {
    now = time;
    steps_left = scp::kStepsPerInput;
  }

  void feed(std::string_view bytes) {
    if (phase == Phase::waiting) {
      if (const auto match = matcher->feed(bytes)) {
        window.clear();
        window.append(bytes.substr(match->end));
        return matched(match->pattern);
      }
    } else if (phase == Phase::seeking_address) {
      if (const auto used = scanner.feed(bytes)) {
        window.clear();
        window.append(bytes.substr(*used));
        return address_found();
      }
      settle();
    }
    window.append(bytes);
  }

  void check_time() {
    if (phase == Phase::idle || phase == Phase::running || phase == Phase::ended) return;
    if (wait_ends && now >= *wait_ends && *wait_ends <= ends) return wait_over();
    if (now >= ends) time_out();
  }

  void wait_over() {
    switch (phase) {
      case Phase::waiting:
        success = false;
        failure_offset = current->offset;
        failure = fmt::format("waitfor {} had no answer within {}; {}", waiting_for, format_duration(*wait_limit), heard());
        matcher.reset();
        break;
      case Phase::seeking_address:
        if (!scanner.pause()) return;
        window.clear();
        return address_found();
      default: break;
    }
    phase = Phase::running;
  }

  // ---- waiting

  void wait(Phase what, std::optional<Duration> limit) {
    phase = what;
    wait_began = now;
    wait_limit = limit;
    wait_ends = limit ? std::optional(now + *limit) : std::nullopt;
    if (now >= ends) time_out();
  }

  void matched(std::size_t item) {
    const std::int32_t then = program->waits[static_cast<std::size_t>(current->argument)].items[item].then;
    success = true;
    if (then >= 0) pc = static_cast<std::size_t>(then);
    matcher.reset();
    phase = Phase::running;
  }

  void address_found() {
    stack.push_back(Value::of(scanner.address()));
    phase = Phase::running;
  }

  /// Starts, or restarts, the pause that ends an address.
  void settle() {
    wait_ends = scanner.could_end() ? std::optional(now + kAddressSettles) : std::nullopt;
  }

  // ---- ends

  void finish(Outcome outcome, std::string reason, std::uint32_t offset) {
    phase = Phase::ended;
    finished = Finished{outcome, std::move(reason), program->source->where(offset), address, std::string(window.unread())};
    window.clear();
    stack.clear();
    variables.clear();
    matcher.reset();
  }

  void time_out() {
    finish(Outcome::timed_out, fmt::format("the deadline of {} passed {}", format_duration(options.deadline), while_doing()),
           current->offset);
  }

  std::string while_doing() const {
    const std::string since = format_duration(now - wait_began);
    switch (phase) {
      case Phase::waiting:
        return fmt::format("in waitfor {}, after {} (its own limit: {}); {}", waiting_for, since,
                           wait_limit ? format_duration(*wait_limit) : "none", heard());
      case Phase::delaying: return fmt::format("in a delay of {}, after {}", format_duration(*wait_limit), since);
      case Phase::seeking_address: return fmt::format("in getip, after {}; {}", since, heard());
      default: return "while the line took no more bytes";
    }
  }

  std::string heard() const { return script::heard(window.unread(), secrets); }

  void fail(std::string_view what) { finish(Outcome::runtime_error, std::string(what), current->offset); }

  // ---- the interpreter

  /// false: the script has done too much without waiting, and has been ended.
  bool charge(std::size_t steps) {
    if (steps <= steps_left) {
      steps_left -= steps;
      return true;
    }
    fail("the script runs on without waiting for anything (a loop without an end?)");
    return false;
  }

  Value pop() {
    Value top = std::move(stack.back());
    stack.pop_back();
    return top;
  }

  void push(Value value) {
    if (charge(value.text.size() / 64)) stack.push_back(std::move(value));
  }

  void add_secret(std::string bytes) {
    const auto known = [&](const Secret& s) { return s.reveal() == bytes; };
    constexpr std::size_t kMostSecrets = 32;
    if (bytes.size() < 2 || secrets.size() >= kMostSecrets || std::any_of(secrets.begin(), secrets.end(), known)) return;
    secrets.emplace_back(std::move(bytes));
  }

  /// Until there is something to do for the caller, or to wait for.
  std::optional<Action> run() {
    while (phase == Phase::running) {
      if (!charge(1)) break;
      current = &program->code[pc++];
      if (std::optional<Action> action = step(*current)) return action;
    }
    return std::nullopt;
  }

  std::optional<Action> step(const scp::Instruction& i) {
    const auto argument = static_cast<std::size_t>(i.argument);
    switch (i.op) {
      case Op::push_integer: push(Value::of(program->integers[argument])); break;
      case Op::push_string: push(Value::of(program->strings[argument])); break;
      case Op::push_boolean: push(Value::of(argument != 0)); break;
      case Op::push_variable: push(variables[argument]); break;
      case Op::push_system: push(system(static_cast<scp::SystemName>(argument))); break;
      case Op::store: variables[argument] = pop(); break;
      case Op::jump: pc = argument; break;
      case Op::jump_if_false:
        if (!pop().boolean) pc = argument;
        break;
      case Op::jump_if_false_keep:
      case Op::jump_if_true_keep:
        if (stack.back().boolean == (i.op == Op::jump_if_true_keep)) pc = argument;
        else stack.pop_back();
        break;
      case Op::transmit:
      case Op::transmit_raw: return transmit(pop(), i.op == Op::transmit_raw);
      case Op::delay: start_delay(pop().integer); break;
      case Op::wait: start_wait(program->waits[argument]); break;
      case Op::getip: start_getip(pop().integer); break;
      case Op::set_port: return program->framings[argument];
      case Op::set_ip_address: set_address(pop()); break;
      case Op::set_keyboard: return SetKeyboard{argument != 0};
      case Op::halt: finish(Outcome::halted, "the script ended in 'halt'; " + heard(), i.offset); break;
      case Op::end: end(i.offset); break;
      default: calculate(i.op);
    }
    return std::nullopt;
  }

  void calculate(scp::Op op) {
    const std::size_t joined = op == Op::add || op == Op::equal || op == Op::not_equal ? stack.back().text.size() / 64 : 0;
    if (!charge(joined)) return;
    if (const auto problem = apply(op, stack)) fail(*problem);
  }

  Value system(scp::SystemName name) const {
    switch (name) {
      case SystemName::userid: return Value::of(options.user);
      case SystemName::password: return Value::of(options.password.reveal(), true);
      case SystemName::success: return Value::of(success);
      case SystemName::failure: return Value::of(!success);
    }
    return {};
  }

  std::optional<Action> transmit(Value value, bool raw) {
    std::string bytes = raw ? std::move(value.text) : translate_escapes(value.text);
    if (bytes.empty() || !charge(bytes.size())) return std::nullopt;
    if (value.secret) add_secret(std::string(trim(bytes)));
    return Write{std::move(bytes), value.secret};
  }

  void start_delay(std::int64_t n) {
    if (n < 0) return fail(fmt::format("a delay of {} seconds", n));
    if (n > 0) wait(Phase::delaying, seconds(n));
  }

  void start_getip(std::int64_t n) {
    if (n < 1) return fail(fmt::format("getip {}: addresses are counted from 1", n));
    const std::string_view unread = window.unread();
    if (!charge(unread.size() / 16)) return;
    scanner = AddressScanner(n);
    if (const auto used = scanner.feed(unread)) {
      window.consume(*used);
      return address_found();
    }
    wait(Phase::seeking_address, std::nullopt);
    if (phase == Phase::seeking_address) settle();
  }

  void start_wait(const scp::Wait& wanted) {
    std::optional<Duration> limit;
    if (wanted.has_until) {
      const std::int64_t n = pop().integer;
      if (n < 0) return fail(fmt::format("waitfor … until {}", n));
      limit = seconds(n);
    }
    std::vector<Matcher::Pattern> patterns(wanted.items.size());
    std::vector<bool> secret(wanted.items.size());
    std::size_t total = 0;
    for (std::size_t i = wanted.items.size(); i-- > 0;) {
      const Value value = pop();
      patterns[i] = {translate_escapes(value.text), wanted.items[i].matchcase ? Matcher::Compare::exact : Matcher::Compare::caseless};
      secret[i] = value.secret;
      total += patterns[i].bytes.size();
    }
    if (total > scp::kMostPatternBytes) return fail("the strings of this waitfor have more than 1 MiB together");
    const std::string_view unread = window.unread();
    if (!charge(kStepsPerWait + total + unread.size() / 16)) return;
    matcher.emplace(patterns);
    if (const auto match = matcher->feed(unread)) {
      window.consume(match->end);
      return matched(match->pattern);
    }
    waiting_for = script::wanted(patterns, secret);
    wait(Phase::waiting, limit);
    if (phase == Phase::waiting && limit == Duration(0)) wait_over();
  }

  void set_address(const Value& value) {
    const std::string_view text = trim(value.text);
    if (!is_dotted_quad(text)) {
      return fail(fmt::format("set ipaddr: {} is not an address", value.secret ? "a secret" : quote(value.text.substr(0, 40))));
    }
    address = std::string(text);
  }

  void end(std::uint32_t offset) {
    if (success || options.ignore_success) return finish(Outcome::ok, "", offset);
    finish(Outcome::unsuccessful, failure, failure_offset);
  }
};

ScpMachine::ScpMachine(std::shared_ptr<const scp::Program> program, ScpOptions options)
    : state_(std::make_unique<State>(std::move(program), std::move(options))) {}
ScpMachine::ScpMachine(ScpMachine&&) noexcept = default;
ScpMachine& ScpMachine::operator=(ScpMachine&&) noexcept = default;
ScpMachine::~ScpMachine() = default;

void ScpMachine::start(TimePoint now) {
  if (state_->phase != State::Phase::idle) return;
  state_->input(now);
  state_->ends = now + state_->options.deadline;
  state_->phase = State::Phase::running;
}

void ScpMachine::on_bytes(std::string_view bytes, TimePoint now) {
  if (state_->phase == State::Phase::ended) return;
  state_->input(now);
  state_->feed(bytes);
  state_->check_time();
}

void ScpMachine::on_closed(TimePoint now) {
  State& s = *state_;
  if (s.phase == State::Phase::ended) return;
  s.input(now);
  const std::uint32_t offset = s.current == nullptr ? 0 : s.current->offset;
  s.finish(Outcome::carrier_lost, "carrier lost " + s.while_doing(), offset);
}

void ScpMachine::on_time(TimePoint now) {
  State& s = *state_;
  if (s.phase == State::Phase::ended) return;
  s.input(now);
  // Running on: the caller has not come for the next action, because the line does not take the last one.
  if (s.phase == State::Phase::running && s.current != nullptr && now >= s.ends) s.time_out();
  else s.check_time();
}

bool ScpMachine::wants_input() const {
  return state_->phase == State::Phase::waiting || state_->phase == State::Phase::seeking_address;
}

std::optional<TimePoint> ScpMachine::deadline() const {
  const State& s = *state_;
  switch (s.phase) {
    case State::Phase::idle:
    case State::Phase::ended: return std::nullopt;
    default: return s.wait_ends ? std::min(*s.wait_ends, s.ends) : s.ends;
  }
}

std::optional<Action> ScpMachine::next_action() {
  std::optional<Action> action = state_->run();
  if (!action && state_->finished) {
    action = std::move(*state_->finished);
    state_->finished.reset();
  }
  return action;
}

}  // namespace longline::script
