// SPDX-License-Identifier: MIT
// answer: waits for calls on the modem of a link. Each call that comes is a supervisor's, in this process.
#include <fmt/format.h>

#include <csignal>
#include <optional>

#include "base/text.hpp"
#include "config/address_pool.hpp"
#include "dialctl.d/hold.hpp"
#include "sys/event_log.hpp"
#include "sys/link/call_waiting.hpp"
#include "sys/link/supervisor.hpp"
#include "sys/network/address_lease.hpp"
#include "sys/ppp/pppd.hpp"
#include "sys/process.hpp"
#include "sys/secret_file.hpp"

namespace longline::tools::dialctl {
namespace {

class Answering {
 public:
  Answering(const World& world, const config::Link& link) : world_(world), link_(link), events_(world.paths.events) {}

  /// What only a person can mend is an error now, not when somebody calls.
  Result<void> prepare() {
    if (link_.network == config::Network::stream) return {};
    LONGLINE_CHECK(sys::find_pppd());
    if (link_.pool.empty()) {
      return Error(Errc::config, fmt::format("link '{}' has no 'pool': callers need an address", link_.name), Stage::address)
          .with_hint("pool = \"192.168.1.0/29\"");
    }
    LONGLINE_TRY(pool_, parsed_pool());
    LONGLINE_TRY(const std::vector<link::PppCaller> callers, callers_now());
    if (callers.empty()) {
      return Error(Errc::config, "nobody could call: no link has a 'caller-password-file'", Stage::auth)
          .with_hint("a caller's user name is the name of a link, its password stands in that link's caller-password-file");
    }
    return {};
  }

  Result<void> may_answer() {
    if (!pool_) return {};
    lease_.reset();
    LONGLINE_TRY(sys::AddressLease lease, sys::AddressLease::take(*pool_, world_.paths.run_dir));
    lease_.emplace(std::move(lease));
    return {};
  }

  bool take(sys::AnsweredLine line) {
    const Result<bool> signalled = run(std::move(line));
    lease_.reset();
    if (signalled) return *signalled;
    happened(failure_event("call.refused", std::nullopt, link_.name, signalled.error()));
    return false;
  }

  void happened(const Event& event) {
    events_.emit(event);
    say(world_, fmt::format("{}: {}{}{}", link_.name, event.event, event.text.empty() ? "" : ": ", event.text));
  }

 private:
  Result<std::optional<config::AddressPool>> parsed_pool() const {
    LONGLINE_TRY(const config::AddressPool pool, config::AddressPool::parse(link_.pool));
    return std::optional(pool);
  }

  /// Read for each call: a password that was changed counts at once.
  Result<std::vector<link::PppCaller>> callers_now() const {
    std::vector<link::PppCaller> callers;
    for (const config::Link& link : world_.config.links) {
      if (link.network != config::Network::ppp || link.caller_password.empty()) continue;
      LONGLINE_TRY(Secret password, sys::read_secret(link.caller_password));
      callers.push_back({link.name, std::move(password)});
    }
    return callers;
  }

  Result<config::Link> who(const std::string& caller) const {
    const config::Link* link = world_.config.find_link(caller);
    if (link == nullptr) {
      return Error(Errc::caller_refused, fmt::format("the caller '{}' is no link of this host", escape_at_most(caller, 64)), Stage::auth);
    }
    return *link;
  }

  Result<bool> run(sys::AnsweredLine line) {
    sys::Supervisor::Options options;
    options.paths = world_.paths;
    options.tool_options = tool_options(world_);
    options.call.link = link_;
    options.call.link.script.clear();
    if (pool_) {
      options.role.answering = true;
      options.role.host = sys::host_name();
      options.role.local = config::format_ipv4(pool_->our_end());
      options.role.remote = lease_->address();
      LONGLINE_TRY(options.role.callers, callers_now());
      // The caller may want to know that it has reached us.
      LONGLINE_TRY(options.call.password, sys::read_secret(link_.password));
    }
    options.incoming.emplace(sys::Supervisor::Options::Incoming{std::move(line.lock), std::move(line.line), std::move(line.connect),
                                                                std::move(line.leftover),
                                                                [this](const std::string& caller) { return who(caller); }});
    LONGLINE_TRY(const sys::Supervisor::Outcome outcome, sys::Supervisor::run(std::move(options)));
    return outcome == sys::Supervisor::Outcome::signalled;
  }

  const World& world_;
  const config::Link& link_;
  sys::EventLog events_;
  std::optional<config::AddressPool> pool_;
  std::optional<sys::AddressLease> lease_;
};

}  // namespace

Result<ExitStatus> answer(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  LONGLINE_CHECK(sys::ensure_folder(world.paths.run_dir));
  Answering answering(world, *link);
  LONGLINE_CHECK(answering.prepare());
  LONGLINE_TRY(const std::optional<sys::FileLock> alone,
               sys::FileLock::try_acquire(sys::port_waiter_lock(link->port, world.paths.run_dir)));
  if (!alone) {
    return Error(Errc::port_in_use, fmt::format("{}: another dialctl answer waits for calls there", escape_at_most(link->port, 128)), Stage::lock);
  }
  std::signal(SIGPIPE, SIG_IGN);
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  sys::CallWaiting::Options options{*link, {}, world.paths};
  options.modem.has_modem = link->modem != config::ModemKind::none;
  options.modem.init = link->init;
  options.modem.rings = link->rings;
  options.modem.connect_timeout = link->dial_timeout;
  LONGLINE_CHECK(sys::CallWaiting::run(std::move(options), signals,
                                       {[&] { return answering.may_answer(); },
                                        [&](sys::AnsweredLine line) { return answering.take(std::move(line)); },
                                        [&](const Event& event) { answering.happened(event); }}));
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
