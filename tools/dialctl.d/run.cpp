// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/event.hpp"
#include "base/text.hpp"
#include "dialctl.d/hold.hpp"
#include "sys/child_process.hpp"
#include "sys/loop.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr Duration kNotice{2'000};        ///< for the command to notice the end of the line by itself
constexpr Duration kNoticeOver{10'000};   ///< the same where the far end has ended the session in order
constexpr Duration kTerminate{10'000};    ///< between SIGTERM and SIGKILL
constexpr Duration kDrainAndHangUp{90'000};       ///< what the command wrote may still have to leave: supervisor_clients.cpp

/// Looked up before the call: a slip of the pen must not cost one.
Result<void> check_command(const std::string& name) {
  const auto executable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) {
    if (executable(name)) return {};
    return system_error(errno, name, Errc::not_found);
  }
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    if (executable(std::string(folder) + "/" + name)) return {};
  }
  return Error(Errc::not_found, fmt::format("command not found: {}", escape_at_most(name, 200)));
}

/// A command on a link that is up, until both have ended.
class CommandOnLink {
 public:
  CommandOnLink(const World& world, const config::Link& link, Hold hold, sys::Signals& signals)
      : world_(world), link_(link), hold_(std::move(hold)), signals_(signals) {}

  Result<ExitStatus> run() {
    sys::SpawnOptions spawn;
    spawn.argv = world_.options.command;
    spawn.extra_environment = {"LONGLINE_LINK=" + link_.name, "LONGLINE_LINE=" + hold_.line};
    Result<sys::ChildProcess> child = sys::ChildProcess::spawn(spawn);
    if (!child) return std::move(child).error();
    child_.emplace(std::move(*child));
    channel_watch_ = loop_.watch(hold_.channel.fd(), POLLIN, [this](short) { on_channel(); });
    child_watch_ = loop_.watch(child_->pidfd(), POLLIN, [this](short) { on_child(); });
    const auto signalled = loop_.watch(signals_.fd(), POLLIN, [this](short) {
      while (signals_.take()) terminate(true);
    });
    for (const JsonObject& message : std::exchange(hold_.unread, {})) on_message(message);
    LONGLINE_CHECK(loop_.run());
    return result();
  }

 private:
  void on_channel() {
    const Result<std::vector<JsonObject>> messages = hold_.channel.read();
    if (!messages) {
      gone_ = true;
      channel_watch_.reset();
      dropped(false);
      if (status_) loop_.stop();
      return;
    }
    for (const JsonObject& message : *messages) on_message(message);
  }

  void on_message(const JsonObject& message) {
    const std::string kind = message.string("msg").value_or("");
    if (kind == "trace") show_trace(message);
    if (kind == "dropped") dropped(message.boolean("over").value_or(false));
    if (kind == "end") {
      error_ = error_from_object(message);
      dropped(false);
    }
    if (kind == "left" && !message.boolean("last").value_or(false)) loop_.stop();
    if (kind == "state") say(world_, fmt::format("{}: {}", link_.name, message.string("state").value_or("")));
  }

  void on_child() {
    status_ = child_->try_wait();
    if (!status_) return;
    // Its descriptor stays readable: watched further, it would have us say for ever that we leave.
    child_watch_.reset();
    timer_.reset();
    if (gone_) {
      loop_.stop();
      return;
    }
    hold_.channel.send(JsonObject().set("op", "leave"));
    timer_ = loop_.at(loop_.now() + kDrainAndHangUp, [this] { loop_.stop(); });
  }

  void dropped(bool over) {
    if (status_ || dropped_) return;
    dropped_ = true;
    timer_ = loop_.at(loop_.now() + (over ? kNoticeOver : kNotice), [this] { terminate(false); });
  }

  void terminate(bool by_signal) {
    if (status_) return;
    interrupted_ = interrupted_ || by_signal;
    terminated_ = true;
    child_->signal(SIGTERM);
    timer_ = loop_.at(loop_.now() + kTerminate, [this] { child_->signal(SIGKILL); });
  }

  Result<ExitStatus> result() {
    if (interrupted_) return Error(Errc::interrupted, link_.name + ": interrupted", Stage::transfer);
    if (!dropped_ || (*status_ == 0 && !terminated_)) return static_cast<ExitStatus>(*status_);
    Error error = error_ ? std::move(*error_) : Error(Errc::line_dropped, "the line dropped under the command", Stage::transfer);
    // Whatever ended the call, for the command it was a line that dropped, and it may be tried again.
    if (exit_status(error.code) != ExitStatus::temporary) error.code = Errc::line_dropped;
    // The command has said what it means for its work; under cron one line is enough.
    if (world_.options.common.quiet && !terminated_ && *status_ != 0) return ExitStatus::temporary;
    const bool at_once = !link_.backoff && error.code != Errc::call_limit;
    return std::move(error).context(link_.name).with_hint(at_once ? "the next run may call again at once" : "dialctl plan says when the next run may call");
  }

  const World& world_;
  const config::Link& link_;
  Hold hold_;
  sys::Signals& signals_;
  sys::Loop loop_;
  std::optional<sys::ChildProcess> child_;
  sys::Loop::Registration channel_watch_, child_watch_, timer_;
  std::optional<int> status_;
  std::optional<Error> error_;
  bool gone_ = false;
  bool dropped_ = false;
  bool terminated_ = false;
  bool interrupted_ = false;
};

std::string shown(const std::vector<std::string>& command) {
  std::string out;
  for (const std::string& word : command) out += (out.empty() ? "" : " ") + word;
  return escape_at_most(out, 200);
}

}  // namespace

Result<ExitStatus> run(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  LONGLINE_CHECK(login_script(*link));
  LONGLINE_CHECK(check_command(world.options.command.front()));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  Result<Hold> hold = take_hold(world, *link, "run", shown(world.options.command), signals);
  if (!hold) {
    Error error = std::move(hold).error().context(link->name);
    if (is_temporary(error.code) && error.code != Errc::unreachable) error.what += "; tried again at the next run";
    return error;
  }
  return CommandOnLink(world, *link, std::move(*hold), signals).run();
}

}  // namespace longline::tools::dialctl
