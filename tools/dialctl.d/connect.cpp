// SPDX-License-Identifier: MIT
// Dials and logs in on the line that is our stdin and stdout, then leaves it to whoever started us: pppd's connect program.
#include <fmt/format.h>
#include <poll.h>

#include <csignal>

#include "base/text.hpp"
#include "dialctl.d/hold.hpp"
#include "link/call_machine.hpp"
#include "sys/event_log.hpp"
#include "sys/file_lock.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/loop.hpp"
#include "sys/port/sim_pin.hpp"
#include "sys/reply_file.hpp"
#include "sys/secret_file.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"

namespace longline::tools::dialctl {
namespace {

class Connection {
 public:
  Connection(const World& world, link::CallOptions call, std::unique_ptr<sys::TtyStream> line, sys::Signals signals)
      : world_(world), events_(world.paths.events), machine_(std::move(call)), line_(std::move(line)), signals_(std::move(signals)) {}

  Result<void> run() {
    watch_ = loop_.watch(line_->read_fd(), POLLIN, [this](short) { on_line(); });
    signal_watch_ = loop_.watch(signals_.fd(), POLLIN, [this](short) {
      while (signals_.take()) machine_.hang_up(Error(Errc::interrupted, "interrupted", Stage::policy), loop_.now());
    });
    machine_.start(loop_.now());
    while (true) {
      drain();
      if (error_) return std::move(*error_);
      if (machine_.state() == link::LinkState::up) return line_->give_back();
      if (ended_) return Error(Errc::interrupted, "the call was ended", Stage::policy);
      LONGLINE_CHECK(loop_.run_once(machine_.deadline()));
      machine_.on_time(loop_.now());
    }
  }

 private:
  void on_line() {
    // One byte at a time: what comes behind the login's last word is not ours.
    const Result<std::string> got = line_->read(1);
    if (!got) machine_.on_closed(loop_.now());
    else machine_.on_bytes(*got, loop_.now());
  }

  void drain() {
    while (std::optional<link::CallAction> action = machine_.next_action()) {
      if (auto* write = std::get_if<Write>(&*action)) to_line_ += write->bytes;
      else if (const auto* dtr = std::get_if<SetDtr>(&*action)) static_cast<void>(line_->set_dtr(dtr->on));
      else if (std::holds_alternative<SendBreak>(*action)) static_cast<void>(line_->send_break());
      else if (const auto* framing = std::get_if<SetFraming>(&*action)) static_cast<void>(line_->set_framing(*framing));
      else if (std::holds_alternative<DiscardInput>(*action)) static_cast<void>(line_->discard_input());
      else if (const auto* changed = std::get_if<link::StateChanged>(&*action)) say(world_, std::string(to_string(changed->state)));
      else if (const auto* happened = std::get_if<link::Happened>(&*action)) emit(happened->event);
      else if (std::holds_alternative<modem::ReopenPort>(*action)) reopen();
      else if (auto* end = std::get_if<link::Ended>(&*action)) {
        error_ = std::move(end->error);
        ended_ = true;
      }
    }
    write();
  }

  void emit(const Event& event) {
    // What comes up here is not the link: that is for whoever opened the line to say.
    if (event.event != "link.up") events_.emit(event);
  }

  void write() {
    if (!line_->write_from(to_line_)) {
      to_line_.clear();
      machine_.on_closed(loop_.now());
    }
    write_watch_.reset();
    if (!to_line_.empty()) write_watch_ = loop_.watch(line_->write_fd(), POLLOUT, [this](short) { write(); });
  }

  void reopen() {
    machine_.on_reopened({Error(Errc::modem_silent, "the port is its opener's: it cannot be opened again here", Stage::modem)}, loop_.now());
  }

  const World& world_;
  sys::Loop loop_;
  sys::EventLog events_;
  link::CallMachine machine_;
  std::unique_ptr<sys::TtyStream> line_;
  sys::Signals signals_;
  std::string to_line_;
  std::optional<Error> error_;
  bool ended_ = false;
  sys::Loop::Registration watch_, write_watch_, signal_watch_;
};

}  // namespace

Result<ExitStatus> connect(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  LONGLINE_CHECK(sys::may_call(world.paths, *link, {world.options.urgent, world.options.now}));
  link::CallOptions call;
  call.link = *link;
  // What runs on the line behind the login is the business of whoever opened it.
  call.link.network = config::Network::stream;
  LONGLINE_TRY(call.script, login_script(*link));
  LONGLINE_TRY(call.password, sys::read_secret(link->password));
  LONGLINE_TRY(call.sim_pin, sys::sim_pin(*link, world.paths));
  call.read_file = [](const std::string& path) { return sys::read_reply_file(path, sys::steady_now()); };
  LONGLINE_CHECK(sys::ensure_folder(world.paths.run_dir));
  LONGLINE_TRY(const std::optional<sys::FileLock> lock, sys::FileLock::try_acquire(world.paths.link_lock(link->name)));
  if (!lock) return Error(Errc::busy, fmt::format("link '{}' has a call already", escape(link->name)), Stage::lock).with_hint("dialctl status");
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  LONGLINE_TRY(std::unique_ptr<sys::TtyStream> line, sys::TtyStream::borrow(0, 1, sys::TtyStream::Settings::as_chat));
  Result<void> connected = Connection(world, std::move(call), std::move(line), std::move(signals)).run();
  if (!connected) return std::move(connected).error().context(link->name);
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
