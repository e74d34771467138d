// SPDX-License-Identifier: MIT
#include <poll.h>

#include <utility>

#include "sys/link/supervisor.hpp"

namespace longline::sys {

void Supervisor::watch_line() {
  line_watch_ = loop_.watch(line_->read_fd(), POLLIN, [this](short revents) { on_line(revents); });
}

/// The modem has to be reset, or has gone to come back: the machine waits for its port.
void Supervisor::reopen_port(bool run_command) {
  line_watch_.reset();
  to_line_.clear();
  line_.reset();
  port_lock_.reset();
  const config::Link& link = options_.call.link;
  recovery_.emplace(loop_,
                    PortRecovery::Options{link.name, link.port, serial_settings(link), options_.paths.run_dir,
                                          run_command ? link.reset_command : std::vector<std::string>()},
                    [this](std::optional<OpenPort> port, modem::Reopened outcome) {
                      if (port) {
                        port_lock_.emplace(std::move(port->lock));
                        line_ = std::move(port->line);
                        watch_line();
                      }
                      machine_.on_reopened(std::move(outcome), loop_.now());
                      poll_carrier();
                      drain();
                    });
}

}  // namespace longline::sys
