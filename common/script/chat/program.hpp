// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"

/// A script of chat(8), taken apart. Texts are as written: escapes are translated when their step is reached.
namespace longline::script::chat {

/// One part of an expect `e1-s1-e2`: wait for `expect`; only if its time is over send `reply` and go on with the next part.
struct Exchange {
  std::string expect;
  std::optional<std::string> reply;
};

struct Step {
  enum class Kind {
    expect,
    send,
    // keywords with their argument
    abort, clear_abort, report, clear_report, timeout, echo, hangup, say,
    unterminated,   ///< a quote that is not closed; chat(8) finds it only here
  };
  Kind kind = Kind::expect;
  std::string text;                   ///< of the token, without its quotes
  std::vector<Exchange> exchanges;    ///< of an expect; empty for ''
  std::size_t offset = 0;             ///< of the token in the source; of a keyword: of its argument
  std::size_t length = 0;
};

struct Program {
  std::shared_ptr<const SourceText> source;
  std::vector<Step> steps;
  bool needs_user = false;       ///< a send has $USERID
  bool needs_password = false;
};

inline bool needs_user(const Program& program) { return program.needs_user; }
inline bool needs_password(const Program& program) { return program.needs_password; }

}  // namespace longline::script::chat
