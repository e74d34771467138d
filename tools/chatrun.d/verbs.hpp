// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "chatrun.d/options.hpp"
#include "script/scp.hpp"

namespace longline::tools::chatrun {

/// The exit status. What went wrong has been said.
int run(const CommonOptions& common, const RunOptions& options);
int check(const CommonOptions& common, const CheckOptions& options);
int replay(const CommonOptions& common, const ReplayOptions& options);

/// Reads and parses a script; `-` is stdin. The dialect is told by the name: .chat is chat(8)'s.
Result<script::ParsedScript> read_script(const std::string& path);
/// A script without errors; they are printed, and the result is one Error that counts them.
Result<script::ParsedScript> read_runnable_script(const CommonOptions& common, const std::string& path);
/// An empty Secret when none is given.
Result<Secret> read_password(const Credentials& credentials, Duration limit);

}  // namespace longline::tools::chatrun
