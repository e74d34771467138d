// SPDX-License-Identifier: MIT
#include "sys/byte_stream.hpp"

namespace longline::sys {

Result<void> ByteStream::write_from(std::string& pending) {
  while (!pending.empty()) {
    LONGLINE_TRY(const std::size_t taken, write(pending));
    if (taken == 0) break;
    pending.erase(0, taken);
  }
  return {};
}

}  // namespace longline::sys
