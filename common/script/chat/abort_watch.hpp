// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "script/matcher.hpp"

namespace longline::script::chat {

/// How chat compares: a pattern of 7-bit characters whatever the eighth bit of what comes, any other exactly.
Matcher::Pattern pattern(std::string bytes);

/// Looks for ABORT strings in all that comes, over the borders of expects and sends, but not in the echo of what was sent.
class AbortWatch {
 public:
  /// The strings that are in force now. An empty one is none.
  void set(const std::vector<std::string>& aborts);
  /// The peer may send these bytes back; its first byte that differs is no echo.
  void sent(std::string_view bytes);

  struct Match {
    std::size_t abort = 0;   ///< its number in set()
    std::size_t end = 0;     ///< how many of the bytes just fed belong to it
  };
  std::optional<Match> feed(std::string_view bytes);
  /// As if nothing had come and nothing been sent.
  void restart();

 private:
  static constexpr std::size_t kLongestEcho = 4096;
  std::optional<Matcher::Match> match(std::string_view bytes);

  std::vector<std::string> aborts_;
  std::vector<std::size_t> numbers_; ///< of the matcher's patterns
  std::optional<Matcher> matcher_;   ///< made when it is needed
  std::string echo_;          ///< what may still come back
  std::string held_;          ///< what came back of it; no echo after all if the next byte differs
};

}  // namespace longline::script::chat
