// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longline::script {

/// Four numbers of 0 to 255 with dots between them, and nothing else.
bool is_dotted_quad(std::string_view text);

/// Finds the n-th dotted-quad address in a stream (`getip`). An address is a run of digits and dots, without the dots
/// around it ("Your address is ....10.0.0.7."), that is_dotted_quad(); a run ends at the first other byte, or when the
/// stream has paused (pause()). 1.2.3.4.5 is none.
class AddressScanner {
 public:
  explicit AddressScanner(std::int64_t wanted) : wanted_(wanted) {}

  /// How many of the bytes were used up when the address was found; the byte that ended it is not among them.
  std::optional<std::size_t> feed(std::string_view bytes);
  /// Is the wanted address there, but for a byte that ends it?
  bool could_end() const;
  /// The stream has paused: what could end has ended.
  bool pause();
  const std::string& address() const { return address_; }

 private:
  bool end_run();

  static constexpr std::size_t kLongestRun = 64;   ///< longer ones are no address
  std::int64_t wanted_;
  std::string run_;
  std::string address_;
};

}  // namespace longline::script
