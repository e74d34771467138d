// SPDX-License-Identifier: MIT
// A pty whose slave the DTE opens, through a symlink if one is wanted. modemsim does not keep the slave open, so the master
// hangs up (POLLHUP) when the last DTE closes it. Because POLLHUP stays as long as the slave is closed, and passes unseen when
// the slave is opened again at once, opening and closing are learnt from inotify; POLLHUP only confirms them.
#pragma once

#include <memory>

#include "dte_port.hpp"
#include "unique_fd.hpp"

namespace modemsim {

class PtyPort final : public DtePort {
 public:
  // An empty link makes none. An existing symlink of that name is replaced, anything else is an error. Null with errno set on
  // failure.
  static std::unique_ptr<PtyPort> open(const std::string& link);
  ~PtyPort() override;

  const std::string& name() const override { return name_; }
  std::vector<Change> update() override;
  bool is_open() const override { return openers_ > 0; }
  bool reopened() const override { return is_open(); }
  std::string read(std::size_t most) override;
  void discard() override;
  std::size_t write(std::string_view bytes) override;
  bool speed_is_zero() const override;
  void add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const override;

 private:
  PtyPort(UniqueFd master, UniqueFd watch, std::string name, std::string link)
      : master_(std::move(master)), watch_(std::move(watch)), name_(std::move(name)), link_(std::move(link)) {}

  bool hung_up() const;
  void on_watch(std::vector<Change>& changes);
  // What the last DTE has not read must not reach the next one.
  void flush_unread();

  UniqueFd master_;
  UniqueFd watch_;
  std::string name_;
  std::string link_;
  int openers_ = 0;
  int own_opens_ = 0;   // inotify events still to come that are our own doing
  int own_closes_ = 0;
};

}  // namespace modemsim
