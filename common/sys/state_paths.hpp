// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::sys {

/// Where configuration and state live; see the table "State" in HACKING.md. All absolute.
struct StatePaths {
  std::string config_file;
  bool config_file_named = false;  ///< by --config or LONGLINE_CONFIG: then it must exist
  std::string config_dir;          ///< longline.d
  std::string routes;
  std::string run_dir;
  std::string spool;               ///< spool.db
  std::string drop;                ///< where users who may not write the spool leave mail; used where it is there
  std::string aliases;             ///< names of this host and who gets their mail; "" for a spool of one's own
  bool host_wide = false;          ///< the host's own folders, not a root's or a user's
  std::string calls;               ///< calls.db
  std::string events;              ///< events.jsonl
  std::string transcripts;         ///< folder of the dialogues of failed logins

  /// Link names are encoded in file names: letters, digits, '-', '_' and '.' (not first) stand, others are %XX.
  std::string control_socket(std::string_view link) const;
  std::string line_socket(std::string_view link) const;
  std::string link_lock(std::string_view link) const;
  std::string link_record(std::string_view link) const;   ///< how the last call ended
  std::string sim_pin(std::string_view link) const;       ///< what became of its PIN; beside the ledger: it outlives a reboot
  std::string transcript_start(std::string_view link) const;   ///< of the paths of a link's transcripts
  std::string link_interface(std::string_view link) const;  ///< the network interface of a link that is up
  std::string link_undo(std::string_view link) const;       ///< what to put back on the host; beside calls.db, so it outlives a boot
};

/// `config` and `root` as given on the command line, "" for not given; LONGLINE_CONFIG and LONGLINE_ROOT come next.
/// Without a root: the host's folders for root, the user's for others (HOME, XDG_*; the password database when HOME
/// is unset). Errc::config when a relative or empty result comes out. Creates nothing.
Result<StatePaths> state_paths(std::string_view config, std::string_view root);

/// The paths for mail: there is one spool a host. Where /etc/longline is there and no root is given, users get the host's paths too.
Result<StatePaths> mail_paths(std::string_view config, std::string_view root);

/// The folder that a file is in; "." for a mere name.
std::string parent_folder(const std::string& path);
/// Creates a folder and those above it, mode 0700 for the last. Errc::cannot_create.
Result<void> ensure_folder(const std::string& path);

}  // namespace longline::sys
