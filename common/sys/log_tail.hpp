// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::sys {

/// What is appended to a log from now on, line by line. A log that is rotated meanwhile is read on from the start of the new
/// file. One that is not there, or may not be read, has nothing to say.
class LogTail {
 public:
  explicit LogTail(std::string path);
  bool readable() const { return readable_; }
  /// Whole lines that came since the last call; a longer line than 64 KiB is cut.
  Result<void> read_new(const std::function<void(std::string_view)>& on_line);

 private:
  std::string path_;
  bool readable_ = false;
  std::uint64_t inode_ = 0;
  std::int64_t offset_ = 0;
  std::string partial_;
};

}  // namespace longline::sys
