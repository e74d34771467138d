// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace longline::mail {

/// How far a flush is.
struct FlushProgress {
  int done = 0, total = 0;                             ///< messages
  std::int64_t bytes_done = 0, bytes_total = 0;        ///< of messages; the one under way counts as far as it has left
  std::int64_t rate = 0;                               ///< bytes a second, in this session; 0: nothing left yet
};

/// "[=====>    ] 3/10 messages, 45.2 kB of 120.0 kB, 960 B/s, 1m18s left": at most 79 columns.
std::string to_text(const FlushProgress& progress);

}  // namespace longline::mail
