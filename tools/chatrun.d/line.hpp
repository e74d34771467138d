// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/tool.hpp"
#include "sys/byte_stream.hpp"
#include "sys/port/port.hpp"

namespace longline::tools::chatrun {

/// The line, with its lock.
struct Line {
  std::optional<sys::PortLock> lock;
  std::unique_ptr<sys::ByteStream> stream;
};

/// `port`: empty: stdin and stdout.
Result<Line> open_line(const CommonOptions& common, const std::string& port, const sys::SerialSettings& serial);

}  // namespace longline::tools::chatrun
