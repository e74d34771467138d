// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "sys/loop.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// The line of a stream link as a Unix socket, LINK.line. One client at a time; others wait in the listen queue. What came from the
/// line before a client attached is kept for it, at most 64 KiB: then full() says to stop reading the line.
class LineRelay {
 public:
  struct Handlers {
    std::function<void(std::string)> to_line;   ///< bytes of the client
    std::function<void()> client_came;
    std::function<void()> client_left;          ///< it closed its end
    std::function<void()> has_room;             ///< full() became false
  };

  static Result<std::unique_ptr<LineRelay>> open(Loop& loop, const std::string& path, Handlers handlers);
  ~LineRelay();

  void deliver(std::string_view bytes);
  bool full() const;
  bool attached() const;
  /// A client is in the listen queue. It may have written, closed and ended before anybody looked.
  bool waited_for() const;
  /// Stops reading the client while the line takes nothing.
  void hold_client(bool hold);
  /// The end: gives the client what is left, then the end of the stream. Waits for its leaving at most `limit`.
  void finish(int limit_milliseconds);

 private:
  struct State;
  explicit LineRelay(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace longline::sys
