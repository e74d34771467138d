// SPDX-License-Identifier: MIT
#include "sys/ppp/network.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <csignal>

#include "sys/ppp/host_changes.hpp"
#include "sys/sibling_tool.hpp"

namespace longline::sys {
namespace {

constexpr Duration kRouteadd{10'000};
constexpr int kNoAnswer = -1;

std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// What pppd does about the host when we are no longer there to do it.
std::string restore_command(const PppNetwork::Options& options) {
  std::string out = shell_word(sibling_tool("dialctl"));
  for (const std::string& word : options.tool_options) out += " " + shell_word(word);
  // pppd stops an ip-down that takes longer than five seconds.
  return out + " --quiet restore --behind " + shell_word(options.link.name) + " </dev/null >/dev/null 2>&1 &";
}

Result<ChildProcess> start_routeadd(const PppNetwork::Options& options, const std::vector<std::string>& words) {
  SpawnOptions spawn;
  spawn.argv = routeadd_command(options.tool_options, words);
  spawn.null_stdio = true;
  spawn.new_process_group = true;
  return ChildProcess::spawn(spawn);
}

}  // namespace

Result<std::unique_ptr<PppNetwork>> PppNetwork::start(Loop& loop, Options options, Handlers handlers) {
  std::unique_ptr<PppNetwork> network(new PppNetwork(loop, std::move(options), std::move(handlers)));
  PppNetwork* self = network.get();
  LONGLINE_TRY(network->session_,
               PppSession::start(loop, link::plan_ppp(self->options_.link, self->options_.role, self->options_.password), restore_command(self->options_),
                                 {[self](std::string bytes) { self->handlers_.to_line(std::move(bytes)); }, [self] { self->session_up(); },
                                  [self](std::optional<Error> error) {
                                    self->put_back();
                                    const auto ended = self->handlers_.ended;
                                    if (self->refused_) error = std::move(self->refused_);
                                    ended(std::move(error));
                                  },
                                  [self] { self->handlers_.has_room(); }}));
  return network;
}

PppNetwork::PppNetwork(Loop& loop, Options options, Handlers handlers)
    : loop_(loop), options_(std::move(options)), handlers_(std::move(handlers)) {}

PppNetwork::~PppNetwork() { put_back(); }

void PppNetwork::session_up() {
  if (handlers_.identify) {
    Result<config::Link> link = handlers_.identify(interface().peer);
    if (!link) {
      refused_ = std::move(link).error();
      session_->stop();
      return;
    }
    // What was done before we knew who calls.
    if (options_.link.forward && !link->forward) forward_packets_of(interface().name, false);
    options_.link = std::move(*link);
  }
  changed_ = true;
  run_routeadd({"up", options_.link.name, interface().name}, [this](int status) { routes_done(status); });
}

void PppNetwork::routes_done(int status) {
  if (status != 0) {
    routes_failed(status == kNoAnswer ? "routeadd up did not end in time" : fmt::format("routeadd up ended with status {}", status));
  }
  Result<std::vector<std::string>> changed = change_host(options_.paths, options_.link, interface());
  if (!changed) routes_failed(changed.error().message());
  else for (std::string& text : *changed) routes_failed(std::move(text));
  if (options_.link.forward) forwarding_ = Forwarding::between(interface().name);
  handlers_.up();
}

void PppNetwork::routes_failed(std::string text) {
  Event event{"route.failed"};
  event.link = options_.link.name;
  event.stage = Stage::route;
  event.text = std::move(text);
  handlers_.happened(std::move(event));
}

void PppNetwork::run_routeadd(const std::vector<std::string>& words, std::function<void(int)> done) {
  Result<ChildProcess> child = start_routeadd(options_, words);
  if (!child) {
    done(kNoAnswer);
    return;
  }
  routeadd_.emplace(std::move(*child));
  const auto finish = [this, done = std::move(done)](int status) {
    routeadd_watch_.reset();
    routeadd_timer_.reset();
    routeadd_.reset();
    done(status);
  };
  routeadd_watch_ = loop_.watch(routeadd_->pidfd(), POLLIN, [this, finish](short) {
    if (const std::optional<int> status = routeadd_->try_wait()) finish(*status);
  });
  routeadd_timer_ = loop_.at(loop_.now() + kRouteadd, [this, finish] {
    routeadd_->signal(SIGKILL);
    finish(kNoAnswer);
  });
}

void PppNetwork::put_back() {
  if (!std::exchange(changed_, false)) return;
  forwarding_ = Forwarding();
  routeadd_watch_.reset();
  routeadd_timer_.reset();
  routeadd_.reset();
  if (const Result<bool> put = put_host_back(options_.paths, options_.link.name); !put) {
    routes_failed("what the link changed could not be put back: " + put.error().message());
  }
  // The kernel took the link's routes with the interface; this writes that down and lets what stands in for them come.
  Result<ChildProcess> child = start_routeadd(options_, {"down", options_.link.name});
  if (!child) return;
  pollfd ending{child->pidfd(), POLLIN, 0};
  ::poll(&ending, 1, static_cast<int>(kRouteadd.count()));
}

}  // namespace longline::sys
