// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace longline::sys {

/// Room on the disk that is kept for making room: a file that is given up when a full disk keeps mail from being removed or
/// sent. Never an error: without it a full disk is only harder to empty.
class DiskReserve {
 public:
  explicit DiskReserve(std::string path) : path_(std::move(path)) {}
  /// Takes the room where it is not taken yet.
  void keep() const;
  /// Gives it back to the file system; false: there was none.
  bool spend() const;

 private:
  std::string path_;
};

}  // namespace longline::sys
