// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "script/chat/text.hpp"

namespace longline::script::chat {

/// What @FILE sends: its content, without the last newline.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Makes of a send's text what is sent: EOT, BREAK, @FILE, escapes and values.
class Replies {
 public:
  /// `as_chat`: a file's content is looked at as if it stood in the script.
  Replies(Values values, ReadFile read_file, bool as_chat) : values_(std::move(values)), read_file_(std::move(read_file)), as_chat_(as_chat) {}

  const Values& values() const { return values_; }
  /// The error of a file that cannot be read. What comes from a file is secret.
  Result<Sending> compose(const std::string& text) const;

 private:
  Sending compose_text(const std::string& text) const;

  Values values_;
  ReadFile read_file_;
  bool as_chat_;
};

}  // namespace longline::script::chat
