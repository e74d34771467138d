// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "chatrun.d/options.hpp"
#include "script/login_script.hpp"

namespace longline::tools::chatrun {

/// The exit status. What went wrong has been said.
int run(const CommonOptions& common, const RunOptions& options);
int check(const CommonOptions& common, const CheckOptions& options);
int replay(const CommonOptions& common, const ReplayOptions& options);
int record(const CommonOptions& common, const RecordOptions& options);
Result<ExitStatus> convert(const CommonOptions& common, const ConvertOptions& options);
/// As chat(8); `arguments` without the program's name.
int chat_drop_in(const std::vector<std::string>& arguments);

/// Reads and parses a script; `-` is stdin. The dialect is told by the name: .chat is chat(8)'s.
Result<script::LoginScript> read_script(const std::string& path);
/// A script without errors; they are printed, and the result is one Error that counts them.
Result<script::LoginScript> read_runnable_script(const CommonOptions& common, const std::string& path);
/// A finding as --json shows it.
JsonObject finding_object(const Diagnostic& d);
/// An empty Secret when none is given.
Result<Secret> read_password(const Credentials& credentials, Duration limit);

}  // namespace longline::tools::chatrun
