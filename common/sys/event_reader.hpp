// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Reads what EventLog writes, the old files first, each line once, also while others write and rename. Lines that are no event (cut
/// short, damaged, longer than 64 KiB) are counted and left out.
class EventReader {
 public:
  using Use = std::function<void(const JsonObject& event)>;

  EventReader(std::string path, Use use) : path_(std::move(path)), use_(std::move(use)) {}

  /// Everything that is there. A log that is not there is empty. Errc::permission, io.
  Result<void> read_all();
  /// To poll for POLLIN once read_all() is through; read_more() then. Errc::os.
  Result<int> watch();
  Result<void> read_more();

  std::size_t unreadable() const { return unreadable_; }

 private:
  Result<void> read_to_end(int fd);
  void take(std::string_view bytes);
  void end_line();

  std::string path_;
  Use use_;
  UniqueFd current_;
  UniqueFd watch_;
  std::string line_;          ///< that is not complete
  bool too_long_ = false;
  std::size_t unreadable_ = 0;
};

}  // namespace longline::sys
