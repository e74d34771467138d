// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace longline::link {

/// What pppd said about itself, from its log (pppd 2.4.x and 2.5.x, on a descriptor with `logfd`).
struct PppFacts {
  std::string interface;               ///< "ppp0"
  std::string local, remote;           ///< IPv4 addresses
  bool speaks = false;                 ///< it has put PPP on the line: what comes from there is read from now on
};

/// Reads pppd's log as it comes. Holds one line of at most 1 KiB and the last complaint; the rest of a longer line is dropped.
class PppLog {
 public:
  void feed(std::string_view bytes);
  const PppFacts& facts() const { return facts_; }

  /// What the end of pppd means, by its exit status (pppd(8), EXIT STATUS) and what it said before. `status` as a shell's: 128 + a
  /// signal. nullopt: it ended because it was asked to.
  std::optional<Error> error(int status) const;

 private:
  enum class Trouble {
    none, lcp_silent, loop, peer_silent, peer_ended, refused_us, refused_peer, no_local, no_remote, no_protocol, wants_unknown, hangup, other
  };
  void on_line(std::string_view line);
  void note(Trouble trouble, std::string_view line);

  PppFacts facts_;
  std::string line_;
  Trouble trouble_ = Trouble::none;
  std::string said_;                   ///< the line that told, escaped
  std::string last_;                   ///< the last line, escaped: what a fatal end is explained with
};

}  // namespace longline::link
