// SPDX-License-Identifier: MIT
// The modem on a device server: one TCP connection at a time is the DTE, others are turned away meanwhile.
#pragma once

#include <memory>

#include "dte_port.hpp"
#include "unique_fd.hpp"

namespace modemsim {

class TcpPort final : public DtePort {
 public:
  // address is HOST:PORT, the host a number or a name ("[::1]:0" too), port 0 any free one. Null with errno set on failure.
  static std::unique_ptr<TcpPort> open(const std::string& address);

  const std::string& name() const override { return name_; }
  std::vector<Change> update() override;
  bool is_open() const override { return static_cast<bool>(peer_); }
  bool reopened() const override { return false; }
  std::string read(std::size_t most) override;
  void discard() override { rest_.clear(); }
  std::size_t write(std::string_view bytes) override;
  bool speed_is_zero() const override { return false; }
  void add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const override;

 private:
  TcpPort(UniqueFd listener, std::string name) : listener_(std::move(listener)), name_(std::move(name)) {}

  UniqueFd listener_;
  UniqueFd peer_;
  std::string rest_;    // what it sent before it closed
  std::string name_;
};

}  // namespace modemsim
