// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/event.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "mail/aliases.hpp"
#include "sys/spool/spool.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The drop folder: where users leave mail who may not write the host's one spool, for the next mtaq that may. Its mode is 1733: anybody
/// makes files in it, nobody but its owner lists it, nobody takes another's file away. The owner of a file is the sender's identity.

/// Whether this process is to leave mail in the drop folder: it is there, and the spool is not ours to write. Errc::permission when the
/// host's spool is not ours and there is no such folder.
Result<bool> must_drop(const StatePaths& paths);

/// For root and the host's own folders, where /etc/longline is there: makes the spool's folder (0711) and the drop folder. What is there already and
/// wrong is put right; Errc::permission where the drop folder is somebody else's.
Result<void> prepare_drop_folder(const StatePaths& paths);

/// Leaves a file in it, whole and on the disk or not at all. Its name.
Result<std::string> leave_in_drop_folder(const std::string& folder, std::string_view bytes);

struct DropIntake {
  int taken = 0;
  int refused = 0;    ///< not a message: taken away, with an event each
};

/// Takes what lies there into the spool, each message exactly once, whoever else does so at the same time and whenever one of them is killed:
/// the name of a file goes into the spool with its message, and out of it when the file is gone for good. Links, pipes, folders, files with a
/// second name and those over the limit are not read. `host`: our mail name. Nothing to do where there is no drop folder.
Result<DropIntake> take_in_dropped(const StatePaths& paths, const config::Config& config, const mail::Aliases& aliases, const std::string& host,
                                   EventSink& events);

/// The host's aliases; empty where there is no file, or one that others than its owner and root may write.
mail::Aliases read_aliases(const StatePaths& paths);

}  // namespace longline::sys
