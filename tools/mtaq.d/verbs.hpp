// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "base/exit_status.hpp"
#include "config/config.hpp"
#include "config/queue_name.hpp"
#include "mail/connector_choice.hpp"
#include "mail/queue_backend.hpp"
#include "options.hpp"
#include "sys/event_log.hpp"
#include "sys/flush/queue_flush.hpp"
#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"

namespace longline::mtaq {

/// What every verb works with.
struct World {
  sys::StatePaths paths;
  config::Config config;
  sys::EventLog events;
  std::string host;   ///< our mail name
  TimePoint started = sys::steady_now();
  bool drops = false; ///< mail goes into the drop folder: the spool is not ours to write
  config::QueueName queue{};   ///< of --queue, else of the configuration
};

Result<ExitStatus> run_add(const Options& options, World& world);
Result<ExitStatus> run_list(const Options& options, World& world);
Result<ExitStatus> run_show(const Options& options, World& world);
Result<ExitStatus> run_due(const Options& options, World& world);
Result<ExitStatus> run_flush(const Options& options, World& world);
Result<ExitStatus> run_plan(const Options& options, World& world);
Result<ExitStatus> run_receive(const Options& options, World& world);
Result<ExitStatus> run_retrieve(const Options& options, World& world);
Result<ExitStatus> run_x400_ping(const Options& options, World& world);
/// Findings: 78 for errors of the configuration, 1 for errors of the spool.
Result<ExitStatus> run_check(const Options& options, const sys::StatePaths& paths);
/// newaliases: says what is wrong with the aliases.
Result<ExitStatus> run_newaliases(const Options& options, World& world);

Result<ExitStatus> run_summary_bytes(const Options& options, World& world);
Result<ExitStatus> run_summary(const Options& options, World& world);
Result<ExitStatus> run_watch(const Options& options, World& world);
Result<ExitStatus> run_export(const Options& options, World& world);
Result<ExitStatus> run_import(const Options& options, World& world);
/// The queue that is meant; `writes`: to change it.
Result<std::unique_ptr<mail::QueueBackend>> open_queue(const World& world, bool writes);
/// Which connector a recipient takes as things stand: what flush found out about peers counts.
Result<mail::ConnectorChoice> choice_now(const World& world);
/// flush, of a queue that is not ours.
Result<mail::FlushTally> flush_mta(const Options& options, World& world, sys::FlushSettings settings, sys::FlushObserver& observer);
/// hold, release, remove, bounce, requeue
Result<ExitStatus> run_change(const Options& options, World& world);

/// An id as given; with a line of `list --json` also when its message arrived and from whom.
struct GivenId {
  std::string id;
  std::optional<WallTime> arrived{};
  std::optional<std::string> sender{};
  /// What was seen of it, if the line said that, is so still.
  bool fits(const mail::SeenMessage& now) const;
};
/// Ids from the command line; "-" stands for those on stdin: words, or lines of `list --json`.
Result<std::vector<GivenId>> read_ids(const std::vector<std::string>& given);
/// The name of a link or connector, or an Error (not_found) that names the nearest.
Result<void> check_link(const World& world, const std::string& name);
Result<void> check_connector(const World& world, const std::string& name);

}  // namespace longline::mtaq
