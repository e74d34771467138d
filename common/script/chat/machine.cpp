// SPDX-License-Identifier: MIT
#include "script/chat/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <utility>

#include "base/text.hpp"
#include "script/chat/declared.hpp"
#include "script/chat/intake.hpp"
#include "script/chat/narrator.hpp"
#include "script/chat/parser.hpp"
#include "script/chat/replies.hpp"
#include "script/chat/sender.hpp"
#include "script/prompts.hpp"
#include "script/report.hpp"

namespace longline::script {
namespace {

using StepKind = chat::Step::Kind;

/// At the end, for each byte that still belongs to a report.
constexpr Duration kReportGoesOn{1000};
constexpr Duration kDefaultTimeout{45'000};   // of chat(8), for TIMEOUT 0

/// atoi(3), without its overflow.
Duration seconds_of(const std::string& text) {
  const long n = std::strtol(text.c_str(), nullptr, 10);
  return n <= 0 ? kDefaultTimeout : Duration(std::min(n, 315'000'000L) * 1000);
}

/// "500ms", "2m"; nullopt if it has no unit that we know.
std::optional<Duration> with_unit(const std::string& text) {
  const Result<Duration> value = parse_duration(text);
  return value && value->count() > 0 ? std::optional(*value) : std::nullopt;
}

}  // namespace

struct ChatMachine::State {
  enum class Phase { idle, running, expecting, sending, ending, ended };

  State(std::shared_ptr<const chat::Program> program_, ChatOptions options_)
      : program(std::move(program_)), options(std::move(options_)), timeout(options.timeout) {
    for (const Secret& secret : options.secrets) narrator.add_secret(secret.reveal());
    narrator.set_echo(options.echo);
    for (std::size_t i = 0; i < program->steps.size(); ++i) {
      if (!program->steps[i].exchanges.empty()) last_expect = i;
    }
  }

  // What it runs
  std::shared_ptr<const chat::Program> program;
  ChatOptions options;
  std::optional<std::size_t> last_expect;
  // Where it stands
  Phase phase = Phase::idle;
  TimePoint now{};
  TimePoint ends{};                        ///< deadline of the run
  std::size_t next = 0;                    ///< step
  const chat::Step* current = nullptr;
  std::size_t exchange = 0;                ///< of the current step, which is an expect
  bool is_reply = false;                   ///< the expect goes on when this is sent
  bool closed = false;
  std::optional<TimePoint> wait_ends;
  std::deque<Action> actions;
  std::optional<Finished> finished;        ///< not yet taken by next_action()
  // Settings that the script makes
  Duration timeout;
  std::vector<std::string> aborts;
  bool aborts_changed = false;
  // What it does
  std::string expected;
  bool password_asked = false;             ///< by the last expect that had its answer
  chat::Replies replies{options.values, options.read_file, options.drop_in};
  chat::Intake intake{options.drop_in};
  chat::Sender sender{options.pace};
  chat::Narrator narrator{actions, options.log, options.show};

  void on_bytes(std::string_view bytes) {
    switch (phase) {
      case Phase::expecting: judge(intake.feed(bytes, now, each_byte())); break;
      case Phase::ending: gather(bytes); break;
      default:
        intake.keep(bytes, now);
        if (phase == Phase::sending) watch();
    }
  }

  void check_time() {
    if (phase == Phase::idle || phase == Phase::ended) return;
    if (now >= ends) return time_out();
    if (phase == Phase::sending && sender.is_late(now)) return not_sent();
    if (!wait_ends || now < *wait_ends) return;
    if (phase == Phase::expecting) {
      narrator.log("alarm", now);
      not_answered();
    } else if (phase == Phase::ending) {
      finish_now();
    }
  }

  /// In a drop-in a first time when nothing more comes, a second time when nothing more can be sent.
  void close() {
    if (std::exchange(closed, true)) {
      if (phase == Phase::sending) not_sent();
      return;
    }
    if (phase == Phase::ending) return finish_now();
    if (!options.drop_in) return finish(Outcome::carrier_lost, "carrier lost " + while_doing());
    if (phase == Phase::expecting) not_answered();
  }

  // ---- expecting

  chat::Intake::EachByte each_byte() {
    if (!narrator.listens()) return {};
    return [this](char byte) { narrator.received(byte, now); };
  }

  void expect_next() {
    if (exchange >= current->exchanges.size()) {
      phase = Phase::running;   // the last reply has no expect behind it
      return;
    }
    expected = chat::translate_expect(current->exchanges[exchange].expect, replies.values());
    narrator.log(fmt::format("expect ({})", chat::visible(expected)), now);
    if (expected.empty()) {
      narrator.log("got it", now);
      phase = Phase::running;
      return;
    }
    narrator.begin_expect(expected.size());
    wait_ends = timeout.count() > 0 ? std::optional(now + timeout) : std::nullopt;
    phase = Phase::expecting;
    if (closed) return not_answered();
    judge(intake.expect(expected, each_byte()));
  }

  void judge(const std::optional<chat::Intake::Verdict>& verdict) {
    if (!verdict) return;
    if (verdict->abort) return aborted(*verdict->abort);
    narrator.end_expect(now);
    narrator.log(" -- got it\n", now);
    password_asked = asks_for_password(expected);
    wait_ends.reset();
    phase = Phase::running;
  }

  void aborted(std::size_t number) {
    narrator.end_expect(now);
    narrator.log(" -- failed", now);
    narrator.failure(fmt::format("Failed ({})", aborts[number]), now);
    finish(Outcome::aborted, fmt::format("{} came, which is ABORT string {}, {}", shown(aborts[number]), number + 1, while_doing()),
           static_cast<int>(std::min<std::size_t>(number, 1000)));
  }

  void not_answered() {
    const chat::Exchange& asked = current->exchanges[exchange];
    narrator.pause(now);
    wait_ends.reset();
    if (asked.reply) {
      ++exchange;
      is_reply = true;
      return send(*asked.reply);
    }
    narrator.failure("Failed", now);
    if (closed) return finish(Outcome::unsuccessful, "the line was closed " + while_doing());
    finish(Outcome::unsuccessful, fmt::format("{} had no answer within {}; {}", shown(expected), format_duration(timeout), heard()));
  }

  void watch() {
    if (const auto abort = intake.watch()) aborted(*abort);
  }

  // ---- sending

  void send(const std::string& text) {
    Result<chat::Sending> what = replies.compose(text);
    if (!what) {
      narrator.failure(what.error().what, now);
      return finish(Outcome::runtime_error, what.error().what);
    }
    what->secret = what->secret || what->quiet || password_asked;
    password_asked = false;
    narrator.log(what->secret ? "send (" + std::string(6, '?') + ")" : fmt::format("send ({})", chat::visible(what->shown)), now);
    std::string bytes;
    Duration paused{};
    for (const chat::Piece& piece : what->pieces) {
      if (const auto* part = std::get_if<std::string>(&piece)) bytes += *part;
      if (const auto* pause = std::get_if<chat::Pause>(&piece)) paused += pause->length;
    }
    if (what->secret) narrator.add_secret(std::string(trim(bytes)));
    // chat(8)'s time-out covers the pauses, too.
    const Duration limit = options.drop_in ? timeout : timeout + paused;
    sender.start(*what, timeout.count() > 0 ? std::optional(limit) : std::nullopt, now);
    phase = Phase::sending;
    if (options.drop_in) return;
    if (iequals(std::string_view(bytes).substr(0, 2), "AT")) {
      // What the modem has said before a command is no answer to it.
      intake.forget_stale(now);
      actions.emplace_back(DiscardInput{});
    }
    intake.sent(bytes);
  }

  void not_sent() {
    narrator.log(closed ? " -- write failed: Input/output error" : " -- write timed out", now);
    narrator.failure("Failed", now);
    finish(Outcome::not_sent, closed ? "the line was closed before it had taken what was to be sent" : "the line did not take what was to be sent in time");
  }

  // ---- keywords

  void carry_out(const chat::Step& step) {
    current = &step;
    const bool listens = step.kind == StepKind::expect || step.kind == StepKind::send;
    if (listens && std::exchange(aborts_changed, false)) intake.set_aborts(aborts);
    switch (step.kind) {
      case StepKind::expect:
        password_asked = false;
        exchange = 0;
        if (!step.exchanges.empty()) expect_next();
        break;
      case StepKind::send: send(step.text); break;
      case StepKind::abort:
        aborts.push_back(chat::translate_expect(step.text, replies.values()));
        narrator.log(fmt::format("abort on ({})", chat::visible(step.text)), now);
        aborts_changed = true;
        break;
      case StepKind::clear_abort:
        clear(aborts, step.text, "abort on");
        aborts_changed = true;
        break;
      case StepKind::report:
        narrator.add_report(chat::translate_expect(step.text, replies.values()));
        narrator.log(fmt::format("report ({})", chat::visible(step.text)), now);
        break;
      case StepKind::clear_report: {
        std::vector<std::string> reports = narrator.reports();
        clear(reports, step.text, "report");
        narrator.set_reports(std::move(reports));
        break;
      }
      case StepKind::timeout: set_timeout(chat::translate_expect(step.text, replies.values())); break;
      case StepKind::echo: narrator.set_echo(step.text == "ON"); break;
      case StepKind::hangup: actions.emplace_back(SetHangup{step.text != "OFF"}); break;
      case StepKind::say: say(step.text); break;
      case StepKind::unterminated:
        narrator.failure(fmt::format("unterminated quote (line {})", program->source->where(step.offset).line), now);
        finish(Outcome::runtime_error, "the quote is not closed");
        break;
    }
  }

  void clear(std::vector<std::string>& strings, const std::string& text, std::string_view what) {
    const std::string gone = chat::translate_expect(text, replies.values());
    const std::size_t n = chat::clear_declared(strings, gone, options.drop_in);
    for (std::size_t i = 0; i < n; ++i) narrator.log(fmt::format("clear {} ({})", what, chat::visible(text)), now);
  }

  void set_timeout(const std::string& text) {
    const std::optional<Duration> exact = options.drop_in ? std::nullopt : with_unit(text);
    timeout = exact.value_or(seconds_of(text));
    narrator.log(fmt::format("timeout set to {} seconds", timeout.count() / 1000), now);
  }

  void say(const std::string& text) {
    std::string words = chat::translate_say(text, replies.values());
    if (!options.drop_in && words.ends_with('\r')) words.pop_back();   // chat(8) prints what it would send
    narrator.say(std::move(words), now);
  }

  // ---- ends

  void finish(Outcome outcome, std::string reason, int abort = 0) {
    finished = Finished{outcome, std::move(reason), program->source->where(current == nullptr ? 0 : current->offset), std::nullopt, {}, abort};
    phase = Phase::ending;
    if (!narrator.reporting() || closed) return finish_now();
    wait_ends = now + kReportGoesOn;
    const std::string came = intake.take_rest();
    if (!came.empty()) gather(came);
  }

  /// The rest of a report's line, after the last step.
  void gather(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (!narrator.report_goes_on(bytes[i])) continue;
      intake.keep(bytes.substr(i + 1), now);
      return finish_now();
    }
    wait_ends = now + kReportGoesOn;
  }

  void finish_now() {
    if (narrator.reporting()) narrator.end_report();
    finished->leftover = intake.take_rest();
    wait_ends.reset();
    phase = Phase::ended;
  }

  void time_out() {
    if (phase == Phase::ending) return finish_now();
    finish(Outcome::timed_out, fmt::format("the deadline of {} passed {}", format_duration(options.deadline), while_doing()));
  }

  std::string while_doing() const {
    return phase == Phase::expecting ? fmt::format("while expecting {}; {}", shown(expected), heard()) : "while sending";
  }
  std::string shown(const std::string& text) const { return quote(mask(text, narrator.secrets()).substr(0, 60)); }
  std::string heard() const { return script::heard(intake.recent(), narrator.secrets()); }

  void go_on() {
    while (actions.empty()) {
      if (phase == Phase::running) {
        if (next == program->steps.size()) finish(Outcome::ok, "");
        else carry_out(program->steps[next++]);
      } else if (phase != Phase::sending || !send_on()) {
        return;
      }
    }
  }

  bool send_on() {
    switch (sender.next(actions, now)) {
      case chat::Sender::State::acted: return true;
      case chat::Sender::State::waits: watch(); return false;   // what had come is looked at when the bytes before the pause are out
      case chat::Sender::State::too_late: not_sent(); return true;
      case chat::Sender::State::done: break;
    }
    phase = Phase::running;
    if (std::exchange(is_reply, false)) expect_next();
    return true;
  }

  std::optional<Action> next_action() {
    go_on();
    if (actions.empty() && phase == Phase::ended && finished) actions.emplace_back(*std::exchange(finished, std::nullopt));
    return take_first(actions);
  }

  bool expects_more() const { return last_expect && (next <= *last_expect || (is_reply && current == &program->steps[*last_expect])); }
};

ChatMachine::ChatMachine(std::shared_ptr<const chat::Program> program, ChatOptions options)
    : state_(std::make_unique<State>(std::move(program), std::move(options))) {}
ChatMachine::ChatMachine(ChatMachine&&) noexcept = default;
ChatMachine& ChatMachine::operator=(ChatMachine&&) noexcept = default;
ChatMachine::~ChatMachine() = default;

void ChatMachine::start(TimePoint now) {
  if (state_->phase != State::Phase::idle) return;
  state_->now = now;
  state_->ends = now + state_->options.deadline;
  state_->phase = State::Phase::running;
}

void ChatMachine::on_bytes(std::string_view bytes, TimePoint now) {
  if (state_->phase == State::Phase::ended || state_->closed) return;
  state_->now = now;
  state_->on_bytes(bytes);
  state_->check_time();
}

void ChatMachine::on_closed(TimePoint now) {
  if (state_->phase == State::Phase::ended) return;
  state_->now = now;
  state_->close();
}

void ChatMachine::on_time(TimePoint now) {
  if (state_->phase == State::Phase::ended) return;
  state_->now = now;
  state_->check_time();
}

std::optional<TimePoint> ChatMachine::deadline() const {
  const State& s = *state_;
  if (s.phase == State::Phase::idle || s.phase == State::Phase::ended) return std::nullopt;
  const std::optional<TimePoint> wake = s.phase == State::Phase::sending ? s.sender.deadline() : s.wait_ends;
  return wake ? std::min(*wake, s.ends) : s.ends;
}

std::optional<Action> ChatMachine::next_action() { return state_->next_action(); }

bool ChatMachine::wants_input() const {
  const State& s = *state_;
  if (s.phase == State::Phase::expecting || s.phase == State::Phase::ending) return true;
  return s.phase == State::Phase::sending && !s.options.drop_in && s.expects_more();
}

}  // namespace longline::script
