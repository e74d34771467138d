// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace longline::script::chat {

/// What chat's -v says of the bytes that an expect receives: a line a line of text, or every 80 bytes, cut where chat(8) cuts.
class ReceivedLog {
 public:
  /// A new expect of `length` bytes: what was not yet said is forgotten.
  void begin(std::size_t length);
  /// The lines that are complete with this byte.
  std::vector<std::string> feed(char byte);
  /// The rest, when the expect has its answer; "" if there is none.
  std::string rest();

 private:
  std::string line_;
  std::size_t kept_ = 0;        ///< how much chat(8) keeps when its buffer is full
  std::size_t buffered_ = 0;
};

}  // namespace longline::script::chat
