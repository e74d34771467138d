// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "link/ppp_log.hpp"
#include "sys/loop.hpp"
#include "sys/ppp/pppd.hpp"

namespace longline::sys {

/// An interface that runs: what the kernel says of it.
struct PppInterface {
  std::string name;
  unsigned index = 0;
  std::string local, remote;           ///< IPv4
  std::vector<std::string> dns;        ///< name servers that the peer told, when they were asked for
  std::string peer;                    ///< the user name that the peer proved, when it had to
};

/// PPP on a line: pppd on one side of a pseudo-terminal, the line on the other. What goes through is at most 64 KiB behind.
///
/// It is up when the kernel says so: the interface runs and has its address (and the caller's name is known, where one was asked
/// for). Bytes of the line wait until pppd reads them: the peer's first frame is not lost.
class PppSession {
 public:
  struct Handlers {
    std::function<void(std::string)> to_line;
    std::function<void()> up;
    /// Once, at the end. An error: it did not end because of stop().
    std::function<void(std::optional<Error>)> ended;
    std::function<void()> has_room;    ///< full() became false
  };
  static Result<std::unique_ptr<PppSession>> start(Loop& loop, link::PppPlan plan, const std::string& ip_down, Handlers handlers);
  PppSession(const PppSession&) = delete;
  PppSession& operator=(const PppSession&) = delete;
  ~PppSession();                       ///< pppd and its interface are gone afterwards

  void deliver(std::string_view bytes);
  bool full() const;
  void hold(bool hold);                ///< the line takes nothing now
  /// Asks for the end: an LCP Terminate-Request, and a second or two for the answer.
  void stop();
  /// The line has hung up: pppd sees that, and ends.
  void hang_up();
  const PppInterface& interface() const { return interface_; }
  pid_t pid() const { return pppd_.child.pid(); }
  /// Has anything gone through the interface since the last call that somebody wants to be there? Never a keepalive, a router's talk, a clock's.
  bool take_traffic();

 private:
  PppSession(Loop& loop, Pppd pppd, bool authenticates, Handlers handlers);
  Result<void> watch();
  void on_line(short revents);
  void write_line();
  void on_log();
  void on_exit();
  void look();

  Loop& loop_;
  Pppd pppd_;
  bool authenticates_;
  Handlers handlers_;
  link::PppLog log_;
  UniqueFd netlink_, packets_;
  PppInterface interface_;
  std::string to_pppd_;
  bool held_ = false, stopping_ = false, up_ = false, line_gone_ = false;
  Loop::Registration line_watch_, log_watch_, exit_watch_, netlink_watch_, peer_timer_;
};

}  // namespace longline::sys
