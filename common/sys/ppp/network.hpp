// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "sys/loop.hpp"
#include "sys/network/forwarding.hpp"
#include "sys/ppp/session.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// A link as a network: PPP on its line, and with it its static routes (`routeadd up LINK`), its default route and its name servers, where
/// its entry says so. Everything is put back at the end, by the destructor at the latest.
class PppNetwork {
 public:
  struct Options {
    config::Link link;
    link::PppRole role;
    Secret password;
    StatePaths paths;
    std::vector<std::string> tool_options;   ///< --config and --root, for the tools that we start
  };
  /// Whose link it is, by the name that the caller proved, before routes come; or why it is refused.
  using Identify = std::function<Result<config::Link>(const std::string& caller)>;
  struct Handlers {
    std::function<void(std::string)> to_line;
    std::function<void()> up;                          ///< interface, address, routes: all there
    std::function<void(std::optional<Error>)> ended;   ///< once; may destroy us
    std::function<void()> has_room;
    std::function<void(Event)> happened;
    Identify identify{};                               ///< when somebody calls us
  };
  static Result<std::unique_ptr<PppNetwork>> start(Loop& loop, Options options, Handlers handlers);
  PppNetwork(const PppNetwork&) = delete;
  PppNetwork& operator=(const PppNetwork&) = delete;
  ~PppNetwork();

  PppSession& session() { return *session_; }
  const PppInterface& interface() const { return session_->interface(); }

 private:
  PppNetwork(Loop& loop, Options options, Handlers handlers);
  void session_up();
  void routes_done(int status);
  void routes_failed(std::string text);
  void run_routeadd(const std::vector<std::string>& words, std::function<void(int)> done);
  void put_back();

  Loop& loop_;
  Options options_;
  Handlers handlers_;
  std::unique_ptr<PppSession> session_;
  std::optional<ChildProcess> routeadd_;
  Loop::Registration routeadd_watch_, routeadd_timer_;
  Forwarding forwarding_;
  std::optional<Error> refused_;       ///< the caller, after it had proved its name
  bool changed_ = false;               ///< routes and the host may bear our marks
};

}  // namespace longline::sys
