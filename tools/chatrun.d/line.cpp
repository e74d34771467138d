// SPDX-License-Identifier: MIT
#include "chatrun.d/line.hpp"

#include <unistd.h>

#include "sys/state_paths.hpp"
#include "sys/tty_stream.hpp"

namespace longline::tools::chatrun {

Result<Line> open_line(const CommonOptions& common, const std::string& port, const sys::SerialSettings& serial) {
  Line line;
  if (port.empty()) {
    LONGLINE_TRY(line.stream, sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO));
    return line;
  }
  LONGLINE_TRY(const sys::StatePaths paths, sys::state_paths(common.config, common.root));
  if (port.starts_with("tcp:")) LONGLINE_CHECK(sys::ensure_folder(paths.run_dir));
  LONGLINE_TRY(sys::PortLock lock, sys::PortLock::acquire(port, paths.run_dir));
  line.lock.emplace(std::move(lock));
  LONGLINE_TRY(line.stream, sys::open_port(port, serial));
  return line;
}

}  // namespace longline::tools::chatrun
