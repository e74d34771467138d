// SPDX-License-Identifier: MIT
// Where the DTE plugs in: a pty or a TCP port. An open port means DTR on, a closed one DTR off.
#pragma once

#include <poll.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace modemsim {

class DtePort {
 public:
  enum class Change { opened, closed };

  virtual ~DtePort() = default;

  // What a DTE opens: "/dev/pts/3" or "tcp:127.0.0.1:2001".
  virtual const std::string& name() const = 0;

  // To be called after every wake-up: what happened to the port, in order. After `closed`, read() may still yield what the
  // DTE wrote before; discard() drops it.
  virtual std::vector<Change> update() = 0;
  virtual bool is_open() const = 0;
  // The port was opened anew before its being closed was noticed: what read() yields is the new DTE's.
  virtual bool reopened() const = 0;

  // At most `most` bytes; empty when there is nothing.
  virtual std::string read(std::size_t most) = 0;
  virtual void discard() = 0;
  // How many bytes were taken.
  virtual std::size_t write(std::string_view bytes) = 0;

  // The DTE set the speed B0, which drops DTR.
  virtual bool speed_is_zero() const = 0;

  virtual void add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const = 0;
};

}  // namespace modemsim
