// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::mtaq {

/// --verbose: an SMTP session on stderr, a line each, escaped; long lines are cut.
class Dialogue {
 public:
  /// Who the lines are shown as: "client" and "server", "us" and "peer".
  Dialogue(std::string receives, std::string sends) : names_{std::move(sends), std::move(receives)} {}
  void show(bool received, std::string_view bytes);

 private:
  void print(bool received, std::string_view line);
  std::string names_[2];
  std::string partial_[2];
};

}  // namespace longline::mtaq
