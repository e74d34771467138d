// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "x400/p1.hpp"

namespace longline::x400 {

/// Finds where the element at the start of a growing text ends, without looking at any byte twice.
class ElementEnd {
 public:
  explicit ElementEnd(std::size_t longest) : longest_(longest) {}
  /// `bytes` from the element's first byte on. Its size; nullopt: more bytes are needed. Errc::malformed: no BER, or longer than `longest`.
  Result<std::optional<std::size_t>> find(std::string_view bytes);

 private:
  std::size_t longest_;
  std::size_t at_ = 0;
  int open_ = 0;          ///< elements of indefinite length that have no end yet
  bool begun_ = false;
};

/// Reads one transferred value, EXTERNAL {…, MTS-APDU} (or an MTS-APDU alone, as in X.410 mode), in pieces of any size: the envelope first, then the
/// content as it comes. Keeps at most kLongestHead bytes of a message, kLongestReport of a report; the content passes through, whatever form its lengths
/// have (X.690, 8.1.3; 8.7).
class P1Reader {
 public:
  /// Of an envelope with what is before it, and of a whole report with the content that it returns; bytes.
  static constexpr std::size_t kLongestHead = 4u << 20;
  static constexpr std::size_t kLongestReport = 16u << 20;

  /// Errc::malformed; Errc::refused: a probe. After an error nothing more is taken.
  Result<void> feed(std::string_view bytes);
  /// At the end of the bytes. Errc::malformed: something is missing.
  Result<void> finish();

  /// Known as soon as the content begins; nullptr before, and for a report.
  const MessageEnvelope* message() const { return message_ ? &*message_ : nullptr; }
  /// Known at its end.
  const Report* report() const { return report_ ? &*report_ : nullptr; }
  /// Bytes of the content since the last call.
  std::string take_content() { return std::exchange(content_, {}); }
  /// The content's size where one length tells it: known with message().
  std::optional<std::uint64_t> content_size() const { return content_size_; }

 private:
  enum class State { wrapper, message, report, content, ended, failed };
  /// A constructed element that is open.
  struct Level {
    std::optional<std::uint64_t> end;   ///< offset behind it; nullopt: end-of-contents octets end it
  };

  // False: more bytes are needed.
  Result<bool> step();
  Result<bool> step_wrapper();
  Result<bool> step_message();
  Result<bool> step_report();
  Result<bool> step_content();
  Result<bool> close_level();
  /// The whole element at at_; nullopt: more bytes are needed.
  Result<std::optional<BerElement>> whole_element();
  /// The header at at_; nullopt: more bytes are needed.
  Result<std::optional<BerHeader>> header() const;
  Result<void> enter(const BerHeader& header);
  Result<bool> take_piece(const BerHeader& header);
  std::size_t longest() const { return state_ == State::report ? kLongestReport : kLongestHead; }
  std::string_view rest() const { return std::string_view(held_).substr(at_); }
  void advance(std::size_t bytes);

  State state_ = State::wrapper;
  std::string held_;                    ///< bytes not done with, from offset_ on
  std::size_t at_ = 0;                  ///< of held_
  std::uint64_t offset_ = 0;            ///< of held_[at_] in all
  std::vector<Level> levels_;
  std::size_t apdu_depth_ = 0;          ///< levels_ with the APDU's own; those behind are pieces of the content
  bool in_encoding_ = false;            ///< the EXTERNAL's encoding was entered
  std::uint64_t piece_left_ = 0;        ///< of the content's primitive piece
  bool content_done_ = false;
  std::optional<std::uint64_t> content_size_;
  std::string content_;
  ElementEnd head_end_{kLongestHead};   ///< of the envelope or the report
  std::optional<MessageEnvelope> message_;
  std::optional<Report> report_;
};

/// All of it at once: for tests and small values.
struct P1Transfer {
  std::optional<MessageEnvelope> message{};
  std::string content{};
  std::optional<Report> report{};
};
Result<P1Transfer> read_transfer(std::string_view bytes);

}  // namespace longline::x400
