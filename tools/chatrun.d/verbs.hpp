// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hpp"
#include "chatrun.d/options.hpp"
#include "script/scp.hpp"

namespace longline::tools::chatrun {

/// The exit status. What went wrong has been said.
int run(const CommonOptions& common, const RunOptions& options);
int check(const CommonOptions& common, const CheckOptions& options);

/// Reads and parses a script; `-` is stdin. The dialect is told by the name: .chat is chat(8)'s.
Result<script::ParsedScript> read_script(const std::string& path);

}  // namespace longline::tools::chatrun
