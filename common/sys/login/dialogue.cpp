// SPDX-License-Identifier: MIT
#include "sys/login/dialogue.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

namespace longline::sys {
namespace {

constexpr Duration kCarrierPoll{500};
constexpr Duration kDrainPoll{10};
constexpr std::size_t kMostAtOnce = 65536;
/// The end of a queue is read byte by byte where the rest belongs to somebody else; what is before it is a flood.
constexpr int kShortQueue = 256;
/// Then time is looked at again.
constexpr int kMostReads = 1024;

}  // namespace

Dialogue::Dialogue(Loop& loop, ByteStream& line, script::LoginMachine& machine, DialogueOptions options, DialogueTrace& trace)
    : loop_(loop), line_(line), machine_(machine), options_(options), trace_(trace) {}

Result<script::Finished> Dialogue::run(Signals& signals) {
  LONGLINE_CHECK(loop_.run_once(loop_.now()));   // for its idea of now
  ends_ = loop_.now() + options_.deadline;
  const auto signalled = loop_.watch(signals.fd(), POLLIN, [&](short) {
    const auto number = signals.take();
    if (number && (*number != SIGHUP || hangup_ends_)) {
      fail(Error(Errc::interrupted, fmt::format("interrupted by SIG{}", ::sigabbrev_np(*number)), Stage::login));
    }
  });
  machine_.start(loop_.now());
  look_at_carrier();
  advance();
  if (!options_.heard.empty()) {
    machine_.on_bytes(options_.heard, loop_.now());
    advance();
  }
  const auto has_last_bytes = [&] {
    const script::Outcome how = finished_->outcome;
    return !pending_.empty() && can_write() && how != script::Outcome::timed_out && how != script::Outcome::not_sent;
  };
  while (!error_ && (!finished_ || has_last_bytes())) {
    watch_line();
    TimePoint wake = finished_ ? ends_ : machine_.deadline().value_or(ends_);
    if (const auto quiet = carrier_.deadline(); quiet && !finished_ && options_.watch_carrier) wake = std::min(wake, *quiet);
    if (framing_) wake = std::min(wake, loop_.now() + kDrainPoll);
    LONGLINE_CHECK(loop_.run_once(wake));
    if (error_) break;
    if (finished_) {
      if (loop_.now() >= ends_ && !pending_.empty()) {
        return Error(Errc::login_timeout, "the line did not take the last bytes of the script", Stage::login);
      }
      continue;
    }
    if (options_.watch_carrier) switch (carrier_.on_time(loop_.now())) {
      case modem::CarrierWatch::Verdict::nothing: break;
      case modem::CarrierWatch::Verdict::lost: lost(); break;
      case modem::CarrierWatch::Verdict::released: carrier_.take(); break;
    }
    machine_.on_time(loop_.now());
    change_framing();
    advance();
    trace_.idle(loop_.now());
  }
  if (error_) return *error_;
  return *finished_;
}

void Dialogue::watch_line() {
  if (UserTerminal* terminal = options_.terminal) {
    terminal->refresh(loop_);
    if (keyboard_over_ || pending_.size() >= kMostAtOnce) typing_.reset();
    else if (!typing_) typing_ = loop_.watch(terminal->keyboard(), POLLIN, [this](short) { keys(); });
  }
  // A line that nobody reads now still tells of its end.
  const bool wanted = !options_.leave_the_rest || machine_.wants_input();
  const short in = wanted && !finished_ ? POLLIN : 0;
  const bool one = line_.read_fd() == line_.write_fd();
  const short out = pending_.empty() ? 0 : POLLOUT;
  const auto on_event = [this](short revents) {
    if ((revents & POLLOUT) != 0) flush();
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) read();
  };
  const auto in_and_out = static_cast<short>(one ? in | out : in);
  if (line_gone_ || (finished_ && !one)) reading_.reset();
  else if (!reading_) reading_ = loop_.watch(line_.read_fd(), in_and_out, on_event);
  else reading_.set_events(in_and_out);
  if (one || out == 0) writing_.reset();
  else if (!writing_) writing_ = loop_.watch(line_.write_fd(), out, [this](short) { flush(); });
}

std::size_t Dialogue::how_much() const {
  if (!options_.leave_the_rest) return kMostAtOnce;
  int queued = 0;
  if (::ioctl(line_.read_fd(), FIONREAD, &queued) != 0) return 1;
  return queued > kShortQueue ? static_cast<std::size_t>(queued - kShortQueue) : 1;
}

void Dialogue::read() {
  if (finished_) {
    // Only a hang-up or an error wakes us here: nobody will take the last bytes.
    return lost();
  }
  int reads = 0;
  do {
    const Result<std::string> got = line_.read(std::min(how_much(), kMostAtOnce));
    if (!got) {
      if (got.error().code == Errc::line_dropped) return lost();
      return fail(got.error());
    }
    if (got->empty()) return;
    trace_.received(*got, loop_.now());
    if (options_.terminal != nullptr) options_.terminal->show(*got);
    if (options_.watch_carrier) carrier_.feed(*got, loop_.now());
    machine_.on_bytes(*got, loop_.now());
    advance();
  } while (options_.leave_the_rest && machine_.wants_input() && !finished_ && !error_ && ++reads < kMostReads);
}

/// Takes actions as long as the line takes their bytes; at the machine's end in any case, since the last one is due.
void Dialogue::advance() {
  while (!finished_ && !error_ && ((pending_.empty() && !framing_) || loop_.now() >= ends_ || machine_has_ended())) {
    const std::optional<script::Action> action = machine_.next_action();
    if (!action) return;
    act(*action);
  }
}

void Dialogue::act(const script::Action& action) {
  if (const auto* write = std::get_if<Write>(&action)) {
    trace_.sent(*write, loop_.now());
    pending_ += write->bytes;
    flush();
  } else if (const auto* framing = std::get_if<SetFraming>(&action)) {
    framing_ = *framing;
    change_framing();
  } else if (std::holds_alternative<SendBreak>(action)) {
    if (const Result<void> sent = line_.send_break(); !sent) fail(sent.error());
  } else if (std::holds_alternative<DiscardInput>(action)) {
    // On a pipe there is nothing old: what it holds was meant for us.
    if (!options_.leave_the_rest || ::isatty(line_.read_fd()) != 0) (void)line_.discard_input();
  } else if (const auto* keyboard = std::get_if<script::SetKeyboard>(&action)) {
    keyboard_on_ = keyboard->on;
  } else if (const auto* notice = std::get_if<script::Notice>(&action)) {
    trace_.notice(*notice, loop_.now());
  } else if (const auto* hangup = std::get_if<script::SetHangup>(&action)) {
    hangup_ends_ = hangup->ends;
  } else if (const auto* finished = std::get_if<script::Finished>(&action)) {
    finished_ = *finished;
  }
}

void Dialogue::flush() {
  const Result<void> written = line_.write_from(pending_);
  if (written) return;
  if (written.error().code == Errc::line_dropped) return lost();
  fail(written.error());
}

/// Not before the bytes that were written in the old framing have left; asking is what never blocks.
void Dialogue::change_framing() {
  int queued = 0;
  if (!framing_ || (::ioctl(line_.write_fd(), TIOCOUTQ, &queued) == 0 && queued > 0)) return;
  if (const Result<void> set = line_.set_framing(*framing_); !set) fail(set.error());
  framing_.reset();
}

void Dialogue::lost() {
  pending_.clear();
  if (!std::exchange(line_gone_, true)) trace_.carrier_lost(loop_.now());
  if (finished_ && finished_->outcome == script::Outcome::ok) {
    return fail(Error(Errc::line_dropped, "the line was closed before it had taken the script's last bytes", Stage::login));
  }
  machine_.on_closed(loop_.now());
  advance();
}

/// Keys that the script does not let through are lost, as they are under Windows.
void Dialogue::keys() {
  for (UserTerminal::Keys keys = options_.terminal->read();; keys = options_.terminal->read()) {
    if (keys.end) return fail(Error(Errc::interrupted, "ended at the terminal", Stage::login));
    keyboard_over_ = keyboard_over_ || keys.over;
    if (keyboard_on_ && !finished_ && !keys.bytes.empty()) {
      trace_.typed(keys.bytes, loop_.now());
      pending_ += keys.bytes;
      flush();
    }
    if (keyboard_on_ && keys.send_break) {
      if (const Result<void> sent = line_.send_break(); !sent) fail(sent.error());
    }
    if (!keys.more || error_) return;
  }
}

void Dialogue::look_at_carrier() {
  const std::optional<bool> carrier = options_.watch_carrier ? line_.carrier() : std::nullopt;
  if (!carrier) return;
  if (had_carrier_ && !*carrier) return lost();
  had_carrier_ = had_carrier_ || *carrier;
  polling_ = loop_.at(loop_.now() + kCarrierPoll, [this] { look_at_carrier(); });
}

void Dialogue::fail(Error error) {
  if (!error_) error_ = std::move(error).in_stage(Stage::login);
}

}  // namespace longline::sys
