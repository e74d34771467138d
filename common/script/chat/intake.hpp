// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "script/chat/abort_watch.hpp"
#include "script/input_window.hpp"
#include "script/matcher.hpp"

namespace longline::script::chat {

/// What comes from the line, and what of it is the answer to an expect, or an ABORT string. The expect is looked at before the ABORT strings,
/// those in the order of their declaration.
/// Two ways: chat(8)'s looks for ABORT strings only in the bytes that an expect looks at, anew with each expect; ours in all that comes.
class Intake {
 public:
  explicit Intake(bool as_chat) : as_chat_(as_chat) {}

  struct Verdict {
    std::optional<std::size_t> abort{};   ///< its number; else the expect has its answer
  };
  /// Called with each byte that an expect looks at, before it is looked at.
  using EachByte = std::function<void(char)>;

  void set_aborts(const std::vector<std::string>& aborts);
  /// From now on this is expected; looks at what has come already.
  std::optional<Verdict> expect(const std::string& bytes, const EachByte& each);
  /// While something is expected. Bytes behind the verdict are kept for the next expect.
  std::optional<Verdict> feed(std::string_view bytes, TimePoint now, const EachByte& each);
  /// While nothing is expected.
  void keep(std::string_view bytes, TimePoint now);
  /// Nothing is expected: the number of an ABORT string among what has come.
  std::optional<std::size_t> watch();
  /// These bytes go out; their echo has no ABORT string.
  void sent(std::string_view bytes);
  /// What came before `now` answers nothing that is sent from now on.
  void forget_stale(TimePoint now);

  /// What no expect has looked at.
  std::string take_rest();
  /// The end of what this expect has looked at.
  std::string_view recent() const { return recent_.unread(); }

 private:
  static constexpr std::size_t kPending = 256 * 1024;
  static constexpr std::size_t kRecent = 4096;

  struct Found {
    std::size_t end = 0;   ///< how many bytes are used up
    std::optional<std::size_t> abort{};
  };
  std::optional<Verdict> look(std::string_view bytes, std::size_t seen, const EachByte& each);
  std::optional<Found> find(std::string_view bytes, std::size_t seen);
  std::optional<Found> find_as_chat(std::string_view bytes);
  std::size_t number_of(std::size_t nth) const;
  void arrived(std::size_t bytes, TimePoint now);

  bool as_chat_;
  std::vector<std::string> aborts_;
  std::optional<Matcher> matcher_;   ///< the expect; as chat the ABORT strings behind it
  AbortWatch watch_;                 ///< else
  bool first_byte_ = true;           ///< of this expect
  InputWindow pending_{kPending};
  std::size_t unwatched_ = 0;        ///< so many bytes at its end the watch has not seen
  std::size_t fresh_ = 0;            ///< so many came at fresh_since_
  TimePoint fresh_since_{};
  InputWindow recent_{kRecent};
};

}  // namespace longline::script::chat
