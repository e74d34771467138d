// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longline::script {

/// Finds the first of several strings in a stream, however it is cut. The match that ends first wins; of two that end
/// at the same byte the one with the lower number. Linear in the bytes fed, whatever they are; its memory depends on
/// the strings alone. (Aho and Corasick, CACM 18:6, 1975.)
class Matcher {
 public:
  enum class Compare {
    exact,
    caseless,     ///< ASCII letters match in either case
    seven_bits,   ///< the eighth bit of what comes is not looked at: a host at 7E1 sends parity in it
  };
  struct Pattern {
    std::string bytes;
    Compare compare = Compare::caseless;
  };
  struct Match {
    std::size_t pattern = 0;
    std::size_t end = 0;      ///< how many of the bytes just fed belong to it and what came before it
  };

  explicit Matcher(const std::vector<Pattern>& patterns);
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;
  /// An empty pattern matches at once, before any byte. After a match it has to be restarted.
  std::optional<Match> feed(std::string_view bytes);
  /// As if nothing had been fed.
  void restart();

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Node {
    std::uint32_t child = 0;      ///< the first; 0: none
    std::uint32_t sibling = 0;
    std::uint32_t fail = 0;
    std::uint32_t best = kNone;   ///< the lowest number of a pattern that ends here
    unsigned char byte = 0;
  };

  class Automaton {
   public:
    explicit Automaton(Compare compare);
    void add(std::string_view pattern, std::uint32_t number);
    void link();
    bool empty() const { return nodes_.size() == 1; }
    void restart() { state_ = 0; }
    bool at_root() const { return state_ == 0; }
    bool starts(unsigned char byte) const { return root_[byte] != 0; }
    /// The number of the pattern that ends with this byte, or kNone.
    std::uint32_t step(unsigned char byte);

   private:
    std::uint32_t child(std::uint32_t node, unsigned char byte) const;

    std::array<unsigned char, 256> folded_{};   ///< a byte as it is compared
    std::vector<Node> nodes_;
    std::array<std::uint32_t, 256> root_{};   ///< by the byte as it comes: the hot loop looks nowhere else
    std::uint32_t state_ = 0;
  };

  std::array<Automaton, 3> automata_{Automaton(Compare::exact), Automaton(Compare::caseless), Automaton(Compare::seven_bits)};
  std::vector<Automaton*> used_;   ///< those that have patterns
  std::uint32_t empty_pattern_ = kNone;
};

}  // namespace longline::script
