// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// A Maildir (cr.yp.to/proto/maildir.html): a message appears in new/ whole and on the disk, or not at all. Lines end in LF
/// there, as every reader of Maildirs expects.
class Maildir {
 public:
  /// Creates the folder and tmp, new, cur where they are missing (0700).
  static Result<Maildir> open(std::string path);
  /// The file's name in new/. `content` with LF line ends.
  Result<std::string> deliver(std::string_view content, WallTime now);

 private:
  explicit Maildir(std::string path) : path_(std::move(path)) {}
  std::string path_;
  unsigned delivered_ = 0;
};

}  // namespace longline::sys
