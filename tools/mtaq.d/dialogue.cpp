// SPDX-License-Identifier: MIT
#include "dialogue.hpp"

#include <cstdio>

#include "base/text.hpp"

namespace longline::mtaq {
namespace {

constexpr std::size_t kShown = 200;

}  // namespace

void Dialogue::print(bool received, std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::fprintf(stderr, "%s: %s\n", names_[received ? 1 : 0].c_str(), escape_at_most(line, kShown).c_str());
}

void Dialogue::show(bool received, std::string_view bytes) {
  std::string& partial = partial_[received ? 1 : 0];
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    // Of an endless line only the start is kept.
    if (partial.size() < kShown * 2) partial += bytes.substr(0, std::min(end, kShown * 2));
    if (end == std::string_view::npos) return;
    print(received, partial);
    partial.clear();
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace longline::mtaq
