// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// JSON objects, one a line, over a connected socket that does not block. A line may have 64 KiB, and as much may wait
/// to be sent; a peer that exceeds either has broken the protocol.
class JsonChannel {
 public:
  explicit JsonChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  /// The objects that have arrived. Errc::link_down at the end of the connection (objects before it come first),
  /// Errc::protocol for anything else than objects.
  Result<std::vector<JsonObject>> read();
  /// Queues, and writes what the socket takes. A connection that is gone is noticed by read().
  void send(const JsonObject& object);
  bool wants_to_write() const { return !out_.empty(); }
  void write();
  /// Writes everything, for as long as `limit`.
  void drain(int limit_milliseconds);

 private:
  UniqueFd fd_;
  std::string in_;
  std::string out_;
  bool ended_ = false;
};

}  // namespace longline::sys
