// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// The lease of a link, or of a connector of the LAN, for a retrieval: one flush or retrieval at a time uses it. It ends with this object.
class LineLease {
 public:
  LineLease(Spool& spool, const config::Connector& connector);
  LineLease(const LineLease&) = delete;
  LineLease& operator=(const LineLease&) = delete;
  ~LineLease();

  /// Why not, stage lock: busy; with `wait` deadline and interrupted.
  Result<std::optional<Error>> take(bool wait, TimePoint end);
  bool has_waited() const { return has_waited_; }

 private:
  Spool& spool_;
  std::string lane_;
  bool has_waited_ = false;
};

}  // namespace longline::sys
