// SPDX-License-Identifier: MIT
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys/link/supervisor.hpp"
#include "sys/sockets.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostClients = 64;
constexpr Duration kReports{2'000};        ///< whose session has ended says so at once; one over PPP may not know yet
constexpr Duration kDrainStep{50};
constexpr Duration kDrainAtMost{60'000};   ///< 64 KiB at 9600 bit/s

}  // namespace

void Supervisor::accept_client() {
  Result<UniqueFd> fd = accept_connection(control_.get());
  if (fd && *fd && clients_.size() < kMostClients) add_client(std::move(*fd));
}

void Supervisor::add_client(UniqueFd fd) {
  Client& client = clients_.emplace_back(std::move(fd));
  client.watch = loop_.watch(client.channel.fd(), POLLIN, [this, &client](short revents) { on_client(client, revents); });
}

void Supervisor::on_client(Client& client, short revents) {
  if (client.gone) return;
  if ((revents & POLLOUT) != 0) client.channel.write();
  const Result<std::vector<JsonObject>> requests = client.channel.read();
  if (!requests) {
    client.gone = true;
    client.watch.reset();
  } else {
    for (const JsonObject& request : *requests) on_request(client, request);
    client.watch.set_events(static_cast<short>(POLLIN | (client.channel.wants_to_write() ? POLLOUT : 0)));
  }
  if (client.gone) {
    if (client.urgent) keep_books();
    let_go_if_unheld();
  }
  drain();
}

void Supervisor::on_request(Client& client, const JsonObject& request) {
  const std::string op = request.string("op").value_or("");
  if (op == "join") {
    on_join(client, request);
  } else if (op == "leave") {
    client.run = client.up = client.demand = false;
    if (std::exchange(client.urgent, false)) keep_books();
    client.channel.send(JsonObject().set("msg", "left").set("last", !held()));
    let_go_if_unheld();
  } else if (op == "status") {
    client.channel.send(JsonObject().set("msg", "status").set("status", status()));
  } else if (op == "down") {
    on_down(client, request.boolean("force").value_or(false));
  } else if (op == "report") {
    on_report(client, request);
  } else if (op == "transfer") {
    client.transfers = true;
  } else {
    client.gone = true;
    client.watch.reset();
  }
}

void Supervisor::on_join(Client& client, const JsonObject& request) {
  // A line whose user has just left is most likely about to be dropped by the far end.
  const bool settling = settling_until_ && loop_.now() < *settling_until_ && relay_ && !relay_->attached();
  if (machine_.state() == link::LinkState::closing || ended_) {
    client.channel.send(JsonObject().set("msg", "closing"));
    return;
  }
  if (options_.raw != (request.string("kind") == "terminal")) {
    const Error error(Errc::busy, options_.raw ? "the line is joined to a terminal" : "the link is in use", Stage::lock);
    client.channel.send(JsonObject().set("msg", "end").merge(error_object("dialctl", error)));
    return;
  }
  if (settling) {
    client.channel.send(JsonObject().set("msg", "closing").set("again_ms", (*settling_until_ - loop_.now()).count() + 1));
    return;
  }
  client.pid = request.integer("pid").value_or(0);
  client.command = request.string("command").value_or("");
  client.verbose = request.boolean("verbose").value_or(false);
  const bool up = request.string("kind") == "up";
  (up ? client.up : request.string("kind") == "demand" ? client.demand : client.run) = true;
  client.urgent = request.string("grade") == "urgent";
  client.by_hand = request.boolean("now").value_or(false);
  if (client.urgent) keep_books();
  if (machine_.state() != link::LinkState::down) {
    client.channel.send(JsonObject().set("msg", "state").set("state", to_string(machine_.state())));
  }
  if (machine_.state() == link::LinkState::up) {
    if (up) persistent_ = true;
    if (up && client.urgent) urgent_ = true;
    client.channel.send(up_message());
  }
}

void Supervisor::on_down(Client& client, bool force) {
  const bool in_use = std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.run && !c.gone; });
  const bool waited_for = std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.up && !c.gone; }) && !persistent_;
  persistent_ = false;
  if (in_use && !force) {
    client.channel.send(JsonObject().set("msg", "busy").set("holders", holders()));
    return;
  }
  for (Client& other : clients_) other.run = other.up = other.demand = false;
  client.channel.send(JsonObject().set("msg", "closing"));
  std::optional<Error> reason;
  // Not only for the record: without a reason whoever waits for the link would call again.
  if (in_use || waited_for) reason = Error(Errc::interrupted, "hung up by dialctl down", Stage::policy);
  machine_.hang_up(std::move(reason), loop_.now());
}

void Supervisor::on_report(Client& client, const JsonObject& report) {
  client.transfers = false;
  due_ += std::max<std::int64_t>(0, report.integer("due").value_or(0));
  moved_ += std::max<std::int64_t>(0, report.integer("moved").value_or(0));
}

void Supervisor::await_reports() {
  const TimePoint end = loop_.now() + kReports;
  for (TimePoint now = loop_.now(); now < end; now = loop_.now()) {
    std::vector<pollfd> waiting;
    for (const Client& client : clients_) {
      if (client.transfers && !client.gone) waiting.push_back({client.channel.fd(), POLLIN, 0});
    }
    if (waiting.empty() || (::poll(waiting.data(), waiting.size(), static_cast<int>((end - now).count())) < 0 && errno != EINTR)) return;
    for (Client& client : clients_) {
      if (!client.transfers || client.gone) continue;
      const Result<std::vector<JsonObject>> requests = client.channel.read();
      if (!requests) client.gone = true;
      else for (const JsonObject& request : *requests) if (request.string("op") == "report") on_report(client, request);
    }
  }
}

/// A call that traffic or a caller wants ends by idle as it should; a command that runs would miss the link.
bool Supervisor::nobody_waits() const {
  const auto any = [this](auto what) { return std::any_of(clients_.begin(), clients_.end(), [&](const Client& c) { return !c.gone && what(c); }); };
  return !any([](const Client& c) { return c.run; }) && (incoming_ || any([](const Client& c) { return c.demand; }));
}

bool Supervisor::held() const {
  return persistent_ || incoming_ ||
         std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return (c.run || c.up || c.demand) && !c.gone; });
}

void Supervisor::let_go_if_unheld() {
  drain_timer_.reset();
  if (ended_ || machine_.state() == link::LinkState::down) return;
  if (held()) {
    draining_until_.reset();
    return;
  }
  // What the last command wrote may still be on its way to the line.
  if (machine_.state() == link::LinkState::up && !line_is_drained()) {
    if (!draining_until_) draining_until_ = loop_.now() + kDrainAtMost;
    if (loop_.now() < *draining_until_) {
      drain_timer_ = loop_.at(loop_.now() + kDrainStep, [this] { let_go_if_unheld(); });
      return;
    }
  }
  machine_.hang_up(std::nullopt, loop_.now());
  drain();
}

bool Supervisor::line_is_drained() const {
  return to_line_.empty() && (!relay_ || (!relay_->attached() && !relay_->waited_for())) && (!line_ || line_->unsent() == 0);
}

void Supervisor::remove_gone() {
  clients_.remove_if([](const Client& c) { return c.gone; });
}

void Supervisor::broadcast(const JsonObject& message) {
  for (Client& client : clients_) {
    client.channel.send(message);
    if (client.channel.wants_to_write()) client.watch.set_events(POLLIN | POLLOUT);
  }
}

std::vector<JsonObject> Supervisor::holders() const {
  std::vector<JsonObject> out;
  for (const Client& client : clients_) {
    if (client.gone || (!client.run && !client.demand && !(client.up && !persistent_))) continue;
    out.push_back(JsonObject().set("pid", client.pid).set("command", client.command));
  }
  if (persistent_) out.push_back(JsonObject().set_null("pid").set("command", "dialctl up"));
  return out;
}

JsonObject Supervisor::up_message() const {
  JsonObject out;
  out.set("msg", "up");
  if (relay_) out.set("line", options_.paths.line_socket(options_.call.link.name));
  if (ppp_) out.set("interface", ppp_->interface().name).set("local", ppp_->interface().local).set("remote", ppp_->interface().remote);
  return out;
}

JsonObject Supervisor::status() const {
  const link::CallFacts& facts = machine_.facts();
  JsonObject call;
  call.set("number", facts.number).set("connect", facts.connect).set("rate", facts.rate());
  if (connected_at_) call.set("started", format_iso8601(*connected_at_));
  else call.set_null("started");
  call.set("signal_dbm", facts.signal_dbm).set("bytes_in", facts.bytes_in).set("bytes_out", facts.bytes_out);
  JsonObject out;
  out.set("link", options_.call.link.name).set("state", to_string(machine_.state())).set("since", format_iso8601(since_));
  out.set("network", options_.call.link.network == config::Network::stream ? "stream" : "ppp");
  const bool up = machine_.state() == link::LinkState::up;
  if (up && ppp_) {
    const PppInterface& interface = ppp_->interface();
    out.set("interface", interface.name).set("local", interface.local).set("remote", interface.remote);
  } else {
    out.set_null("interface").set_null("local").set_null("remote");
  }
  if (up && relay_) out.set("line", options_.paths.line_socket(options_.call.link.name));
  else out.set_null("line");
  out.set("holders", holders()).set("call", call);
  out.set_null("last_error").set_null("unreachable_until").set_null("reason");
  return out;
}

}  // namespace longline::sys
