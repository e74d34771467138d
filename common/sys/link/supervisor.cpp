// SPDX-License-Identifier: MIT
#include "sys/link/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

#include "base/text.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/link/failure_hook.hpp"
#include "sys/link/link_record.hpp"
#include "sys/login/code_pages.hpp"
#include "sys/login/login_transcripts.hpp"
#include "sys/port/port_yield.hpp"
#include "sys/port/sim_pin.hpp"
#include "sys/secret_file.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostToLine = 4096;       ///< beyond it the client waits: what we hold is not on the line yet
constexpr Duration kCarrierPollBeforeData{100};           ///< while dialling and logging in
constexpr Duration kCarrierPollUp{1'000};       ///< an idle link wakes nobody more often
constexpr Duration kOrphan{5'000};              ///< without a client that wants the link
constexpr Duration kSettling{2'000};
constexpr int kNothingMoved = 9316;             ///< Exchange: no data was sent over the connection

}  // namespace

Supervisor::Supervisor(Options options)
    : options_(std::move(options)), events_(options_.paths.events), account_(options_.call.link, options_.paths, events_),
      machine_(options_.call) {
  if (options_.more_rounds) account_.more_rounds_follow();
}

Result<Supervisor::Outcome> Supervisor::run(Options options) {
  Supervisor supervisor(std::move(options));
  Result<void> opened = supervisor.open();
  if (!opened) {
    supervisor.error_ = std::move(opened).error();
    if (supervisor.lock_) {
      supervisor.events_.emit(
          failure_event("call.failed", 4106, supervisor.options_.call.link.name, *supervisor.error_));
    }
    supervisor.conclude();
    return Outcome::over;
  }
  LONGLINE_CHECK(supervisor.loop());
  return supervisor.signalled_ ? Outcome::signalled : Outcome::over;
}

Result<void> Supervisor::open() {
  LONGLINE_TRY(signals_, Signals::open({SIGTERM, SIGINT, SIGHUP}));
  std::signal(SIGPIPE, SIG_IGN);
  LONGLINE_CHECK(ensure_folder(options_.paths.run_dir));
  signal_watch_ = loop_.watch(signals_->fd(), POLLIN, [this](short) {
    while (signals_->take()) {
      persistent_ = false;
      signalled_ = true;
      machine_.hang_up(Error(Errc::interrupted, "hung up by a signal", Stage::policy), loop_.now());
      drain();
    }
  });
  if (options_.incoming) return open_incoming();
  if (options_.first_client) add_client(std::move(options_.first_client));
  LONGLINE_CHECK(claim_link());
  LONGLINE_TRY(options_.call.password, read_secret(options_.call.link.password));
  LONGLINE_TRY(options_.call.sim_pin, sim_pin(options_.call.link, options_.paths));
  masker_in_.add(options_.call.password);
  masker_out_.add(options_.call.password);
  machine_ = link::CallMachine(options_.call);
  LONGLINE_TRY(PortLock port_lock, acquire_port(options_.call.link.port, options_.paths.run_dir));
  port_lock_.emplace(std::move(port_lock));
  LONGLINE_TRY(line_, open_port(options_.call.link.port, serial_settings(options_.call.link)));
  watch_line();
  since_ = wall_now();
  orphan_timer_ = loop_.at(loop_.now() + kOrphan, [this] { let_go_if_unheld(); });
  return {};
}

Result<void> Supervisor::claim_link() {
  const std::string& name = options_.call.link.name;
  LONGLINE_TRY(lock_, FileLock::try_acquire(options_.paths.link_lock(name)));
  if (!lock_) {
    // Another supervisor has just started, or is about to end: whoever started us asks it.
    broadcast(JsonObject().set("msg", "closing"));
    return Error(Errc::busy, "the link has a supervisor already", Stage::lock);
  }
  LONGLINE_TRY(control_, listen_unix(options_.paths.control_socket(name)));
  control_watch_ = loop_.watch(control_.get(), POLLIN, [this](short) { accept_client(); });
  return {};
}

Result<void> Supervisor::loop() {
  // Whoever started us has written its request already: with it the dialogue is traced from its first byte.
  if (!clients_.empty()) on_client(clients_.front(), POLLIN);
  if (!clients_.empty() && clients_.front().gone) {
    error_ = Error(Errc::interrupted, "whoever wanted the link has gone", Stage::policy);
    conclude();
    return {};
  }
  // Whoever started us has asked already, but perhaps just before the call before ours failed: only now nobody else can.
  if (!incoming_ && !clients_.empty()) {
    const Client& first = clients_.front();
    if (Result<void> allowed = may_call(options_.paths, options_.call.link, {first.urgent, first.by_hand}); !allowed) {
      broadcast(JsonObject().set("msg", "end").merge(error_object("dialctl", allowed.error())));
      lock_.reset();
      conclude();
      return {};
    }
  }
  if (incoming_) {
    machine_.start_answered(std::move(options_.incoming->connect), std::move(options_.incoming->leftover), loop_.now());
  } else {
    account_.begin();
    keep_books();
    machine_.start(loop_.now());
  }
  poll_carrier();
  drain();
  while (!ended_) {
    const Result<void> turn = loop_.run_once();
    if (!turn) {
      error_ = turn.error();
      break;
    }
    remove_gone();
    retired_ppp_.reset();
  }
  conclude();
  return {};
}

void Supervisor::on_line(short revents) {
  if ((revents & POLLOUT) != 0) write_line();
  if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !ended_) {
    const Result<std::string> got = line_->read();
    if (!got) {
      machine_.on_closed(loop_.now());
    } else if (got->empty()) {
      // A serial port that was pulled out reads as nothing for ever.
      if ((revents & (POLLHUP | POLLERR)) != 0) machine_.on_closed(loop_.now());
    } else {
      if (machine_.in_dialogue()) trace('<', *got, false);
      machine_.on_bytes(*got, loop_.now());
    }
  }
  drain();
}

void Supervisor::write_line() {
  if (line_ && !machine_.suspects_carrier() && !line_->write_from(to_line_)) {
    to_line_.clear();
    machine_.on_closed(loop_.now());
  }
  const bool hold = to_line_.size() >= kMostToLine || machine_.suspects_carrier();
  if (relay_) relay_->hold_client(hold);
  if (ppp_) ppp_->session().hold(hold);
}

void Supervisor::poll_carrier() {
  carrier_timer_.reset();
  // While dialling too: a wire that is on already then tells nothing later.
  if (!line_ || machine_.state() == link::LinkState::closing || machine_.state() == link::LinkState::down) return;
  const std::optional<bool> carrier = line_->carrier();
  if (!carrier) {
    if (carrier_known_) machine_.on_closed(loop_.now());
    return;
  }
  carrier_known_ = true;
  machine_.on_carrier(*carrier, loop_.now());
  const Duration pause = machine_.state() == link::LinkState::up ? kCarrierPollUp : kCarrierPollBeforeData;
  carrier_timer_ = loop_.at(loop_.now() + pause, [this] {
    poll_carrier();
    drain();
  });
}

void Supervisor::drain() {
  while (std::optional<link::CallAction> action = machine_.next_action()) on_action(std::move(*action));
  write_line();
  while (std::optional<link::CallAction> action = machine_.next_action()) on_action(std::move(*action));
  rearm();
}

void Supervisor::rearm() {
  if (ended_) return;
  machine_.nobody_waits(nobody_waits());
  const bool read = (!relay_ || !relay_->full()) && (!ppp_ || !ppp_->session().full());
  line_watch_.set_events(static_cast<short>((read ? POLLIN : 0) | (to_line_.empty() || machine_.suspects_carrier() ? 0 : POLLOUT)));
  timer_.reset();
  if (const std::optional<TimePoint> when = machine_.deadline()) {
    timer_ = loop_.at(*when, [this] {
      look_for_traffic();
      machine_.on_time(loop_.now());
      drain();
    });
  }
}

void Supervisor::on_action(link::CallAction action) {
  if (auto* write = std::get_if<Write>(&action)) {
    // The machine itself may be further: what it wrote last as a script is of the dialogue all the same.
    if (told_ != link::LinkState::network && told_ != link::LinkState::up) trace('>', write->bytes, write->secret);
    to_line_ += write->bytes;
  } else if (const auto* reopen = std::get_if<modem::ReopenPort>(&action)) {
    reopen_port(reopen->command);
  } else if (const auto* dtr = std::get_if<SetDtr>(&action)) {
    // A port that cannot is one without modem lines; the machine goes on to other means.
    static_cast<void>(line_->set_dtr(dtr->on));
  } else if (std::holds_alternative<SendBreak>(action)) {
    static_cast<void>(line_->send_break());
  } else if (const auto* framing = std::get_if<SetFraming>(&action)) {
    write_line();
    static_cast<void>(line_->set_framing(*framing));
  } else if (std::holds_alternative<DiscardInput>(action)) {
    static_cast<void>(line_->discard_input());
  } else if (const auto* changed = std::get_if<link::StateChanged>(&action)) {
    on_state(changed->state);
  } else if (const auto* data = std::get_if<link::Deliver>(&action)) {
    if (relay_) relay_->deliver(data->bytes);
    if (ppp_) ppp_->session().deliver(data->bytes);
  } else if (std::holds_alternative<link::StartNetwork>(action)) {
    start_network();
  } else if (const auto* stop = std::get_if<link::StopNetwork>(&action)) {
    stop_network(stop->how);
  } else if (auto* happened = std::get_if<link::Happened>(&action)) {
    if (happened->event.event == "login.failed") keep_transcript(happened->event, machine_.take_failed_login());
    events_.emit(happened->event);
  } else if (auto* end = std::get_if<link::Ended>(&action)) {
    error_ = std::move(end->error);
    if (error_ && error_->stage == Stage::login && error_->hint.empty()) error_->hint = transcript_hint_;
    ended_ = true;
  }
}

void Supervisor::on_state(link::LinkState state) {
  since_ = wall_now();
  told_ = state;
  if (machine_.facts().started && !connected_at_) {
    connected_at_ = since_;
    poll_carrier();
    keep_books();
  }
  if (state == link::LinkState::up) keep_books();
  broadcast(JsonObject().set("msg", "state").set("state", to_string(state)));
  if (state == link::LinkState::up) {
    was_up_ = true;
    up_since_ = loop_.now();
    settle_timer_ = loop_.at(loop_.now() + kSettling, [] { give_back_code_pages(); });
    urgent_ = std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.up && c.urgent; });
    if (!ppp_ && !offer_line()) return;
    for (Client& client : clients_) {
      if (client.up) persistent_ = true;
    }
    broadcast(up_message());
  }
  if (state == link::LinkState::closing && was_up_) {
    to_line_.clear();
    line_->discard_output();
    if (relay_) relay_->finish(500);
    relay_.reset();
    broadcast(JsonObject().set("msg", "dropped").set("over", machine_.session_is_over()));
  }
}

/// The line of a stream link as a socket. False: there is none, and the call ends.
bool Supervisor::offer_line() {
  Result<std::unique_ptr<LineRelay>> relay = LineRelay::open(
      loop_, options_.paths.line_socket(options_.call.link.name),
      {[this](std::string bytes) {
         machine_.send(bytes, loop_.now());
         drain();
       },
       [this] { machine_.session_over(false); },
       [this] {
         machine_.session_over(true);
         settling_until_ = loop_.now() + kSettling;
       },
       [this] { rearm(); }});
  if (!relay) {
    machine_.hang_up(std::move(relay).error(), loop_.now());
    return false;
  }
  relay_ = std::move(*relay);
  return true;
}

/// What the host said at three in the morning. A disk that does not take it must not keep the event from being written.
void Supervisor::keep_transcript(Event& event, const std::string& dialogue) {
  if (dialogue.empty()) return;
  const Result<std::string> path = keep_login_transcript(options_.paths, event.link, dialogue, event.text, wall_now());
  if (!path) return;
  event.more.set("transcript", *path);
  transcript_hint_ = fmt::format("what was said: chatrun replay {} {}", options_.call.link.script, *path);
}

void Supervisor::trace(char direction, std::string_view bytes, bool secret) {
  // A chat script's own password is known only now; the far end may echo it.
  if (secret) masker_in_.add(Secret(std::string(trim(bytes))));
  if (std::none_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.verbose; })) return;
  SecretMasker& masker = direction == '<' ? masker_in_ : masker_out_;
  const std::string shown = secret ? std::string(SecretMasker::kMask) : masker.feed(bytes);
  if (shown.empty()) return;
  const JsonObject message = JsonObject().set("msg", "trace").set("text", fmt::format("{} {}", direction, quote(shown)));
  for (Client& client : clients_) {
    if (client.verbose) client.channel.send(message);
  }
}

void Supervisor::conclude() {
  const config::Link& link = options_.call.link;
  if (relay_) relay_->finish(500);
  relay_.reset();
  ppp_.reset();
  retired_ppp_.reset();
  recovery_.reset();
  line_watch_.reset();
  // The port first: whoever hears that we have ended finds it free.
  line_.reset();
  port_lock_.reset();
  if (lock_) {
    if (was_up_) {
      await_reports();
      Event event;
      event.event = "link.down";
      event.link = link.name;
      if (error_) {
        event.ras = ras_code(error_->code);
        event.stage = error_->stage;
        event.text = error_->message();
      }
      const link::CallFacts& facts = machine_.facts();
      event.more.set("bytes_in", facts.bytes_in).set("bytes_out", facts.bytes_out);
      event.more.set("seconds", (wall_now() - connected_at_.value_or(wall_now())).count() / 1000);
      events_.emit(event);
      if (due_ > 0 && moved_ == 0) {
        Event nothing;
        nothing.event = "link.nothing-moved";
        nothing.id = kNothingMoved;
        nothing.link = link.name;
        nothing.text = fmt::format("the link was up, {} message{} due, none moved", due_, due_ == 1 ? " was" : "s were");
        events_.emit(nothing);
      }
    }
    if (!incoming_) account_.end(machine_.facts(), loop_.now(), error_, up_since_, due_, moved_);
    write_link_record(options_.paths, link.name, {wall_now(), error_});
  }
  // Not sooner: who finds nobody listening reads what is written down.
  stop_listening();
  if (lock_) {
    JsonObject end;
    end.set("msg", "end");
    if (error_) end.merge(error_object("dialctl", *error_));
    broadcast(end);
  }
  for (Client& client : clients_) client.channel.drain(1000);
  if (!lock_ || !error_ || incoming_ || options_.more_rounds || link.on_failure.empty() || error_->code == Errc::interrupted) return;
  // Nobody waits for the hook but us, and the link may be called again meanwhile.
  clients_.clear();
  lock_.reset();
  run_failure_hook(link.on_failure, link.name, *error_, signals_->fd());
}

void Supervisor::keep_books() {
  if (incoming_) return;
  account_.update(machine_.facts(), loop_.now(), due_, moved_);
  const bool urgent = urgent_ || std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.urgent && !c.gone; });
  machine_.must_end(account_.must_end(machine_.facts(), loop_.now(), urgent));
  books_timer_ = loop_.at(loop_.now() + CallAccount::kEvery, [this] {
    keep_books();
    drain();
  });
}

void Supervisor::stop_listening() {
  control_watch_.reset();
  if (!control_) return;
  ::unlink(options_.paths.control_socket(options_.call.link.name).c_str());
  // Whoever has just connected is told to come again: from here on nobody is listened to.
  while (true) {
    Result<UniqueFd> fd = accept_connection(control_.get());
    if (!fd || !*fd) break;
    JsonChannel(std::move(*fd)).send(JsonObject().set("msg", "closing"));
  }
  control_.reset();
}

}  // namespace longline::sys
