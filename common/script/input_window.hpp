// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longline::script {

/// What was received and not yet matched: the newest `limit` bytes of it, however much comes and however it is cut.
class InputWindow {
 public:
  explicit InputWindow(std::size_t limit) : limit_(limit) {}

  void append(std::string_view bytes) {
    if (bytes.size() >= limit_) {
      buffer_.assign(bytes.substr(bytes.size() - limit_));
      begin_ = 0;
      return;
    }
    if (buffer_.size() + bytes.size() > 2 * limit_) {
      buffer_.erase(0, buffer_.size() - unread().size());
      begin_ = 0;
    }
    buffer_ += bytes;
  }
  std::string_view unread() const {
    const std::string_view all = std::string_view(buffer_).substr(begin_);
    return all.size() > limit_ ? all.substr(all.size() - limit_) : all;
  }
  /// The first n unread bytes are used up.
  void consume(std::size_t n) { begin_ = buffer_.size() - unread().size() + n; }
  void clear() {
    buffer_.clear();
    begin_ = 0;
  }

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace longline::script
