// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace longline::sys {

/// Room on the disk that is kept for making room: a file that is given up when a full disk keeps mail from being removed or
/// sent, and taken again as soon as there is room.
class DiskReserve {
 public:
  static constexpr std::int64_t kSize = 256 * 1024;

  explicit DiskReserve(std::string path) : path_(std::move(path)) {}
  bool is_whole() const;
  /// Takes what is not taken yet, a part of it if no more is there. False: the disk is too full for all of it. Where a reserve cannot be had for
  /// other reasons, nobody waits for it.
  bool keep() const;
  /// Gives it back to the file system; false: there was none.
  bool spend() const;

 private:
  std::string path_;
};

}  // namespace longline::sys
