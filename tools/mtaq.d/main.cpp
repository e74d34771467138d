// SPDX-License-Identifier: MIT
#include <cstring>
#include <string_view>

#include "sys/config_file.hpp"
#include "sys/intake/drop_folder.hpp"
#include "sys/process.hpp"
#include "verbs.hpp"

namespace {

using namespace longline;
using namespace longline::mtaq;

Result<ExitStatus> run_verb(const Options& options, World& world) {
  if (options.add.checks_aliases) return run_newaliases(options, world);
  switch (options.verb) {
    case Verb::add: return run_add(options, world);
    case Verb::list: return run_list(options, world);
    case Verb::show: return run_show(options, world);
    case Verb::due: return run_due(options, world);
    case Verb::flush: return run_flush(options, world);
    case Verb::plan: return run_plan(options, world);
    case Verb::retrieve: return run_retrieve(options, world);
    case Verb::receive: return run_receive(options, world);
    case Verb::x400_ping: return run_x400_ping(options, world);
    case Verb::hold:
    case Verb::release:
    case Verb::remove:
    case Verb::bounce:
    case Verb::requeue: return run_change(options, world);
    case Verb::summary: return run_summary(options, world);
    case Verb::watch: return run_watch(options, world);
    case Verb::export_: return run_export(options, world);
    case Verb::import_: return run_import(options, world);
    case Verb::check: break;   // before a configuration is asked for: it may be what is wrong
  }
  return Error(Errc::software, "no such verb");
}

/// Mail that users left in the drop folder goes into the spool first, whatever is asked of it. What cannot be taken in now (the disk is full) stays there.
Result<void> take_in(World& world) {
  LONGLINE_CHECK(sys::prepare_drop_folder(world.paths));
  return sys::take_in_dropped(world.paths, world.config, sys::read_aliases(world.paths), world.host, world.events).map([](const sys::DropIntake&) {});
}

/// Without the configuration: whoever reads it next takes the mail in.
Result<ExitStatus> drop_mail(const Options& options, const sys::StatePaths& paths) {
  World world{paths, {}, sys::EventLog(paths.events), sys::host_name()};
  world.drops = true;
  if (!options.queue.empty()) {
    LONGLINE_TRY(world.queue, config::parse_queue_name(options.queue));
  }
  return run_verb(options, world);
}

Result<ExitStatus> run(const Options& options) {
  LONGLINE_TRY(sys::StatePaths paths, sys::mail_paths(options.common.config, options.common.root));
  const bool submits = options.verb == Verb::add || (options.verb == Verb::receive && options.receive.submission);
  LONGLINE_TRY(const bool drops, options.add.checks_aliases ? Result<bool>(false) : sys::must_drop(paths));
  const bool is_spool = options.queue.empty() || options.queue == "spool";
  if (drops && !submits && is_spool) {
    return Error(Errc::permission, paths.spool + ": only its owner may look into the host's spool", Stage::queue)
        .with_hint("--root DIR is for a spool of your own");
  }
  if (options.verb == Verb::check) return run_check(options, paths);
  // A user may be allowed to read neither the configuration nor its secrets, and needs neither.
  if (drops && submits) return drop_mail(options, paths);
  Result<sys::LoadedConfig> read = sys::load_config(paths);
  if (!read && options.add.as_sendmail && submits) {
    // What cron has to say of a host whose configuration is broken must not be lost with it.
    tools::print_error(options.called, options.common, Error(read.error()).context("mail waits in the drop folder"));
    LONGLINE_CHECK(sys::prepare_drop_folder(paths));
    LONGLINE_CHECK(sys::ensure_folder(paths.drop));
    return drop_mail(options, paths);
  }
  if (!read) return std::move(read).error();
  sys::LoadedConfig loaded = std::move(*read);
  World world{paths, std::move(loaded.config), sys::EventLog(paths.events), sys::host_name()};
  LONGLINE_TRY(world.queue, config::parse_queue_name(options.queue.empty() ? world.config.queue : options.queue));
  const Result<void> taken = take_in(world);
  if (!taken) tools::print_error(options.called, options.common, Error(taken.error()).context("the drop folder"));
  Result<ExitStatus> status = run_verb(options, world);
  // All is not gone while mail lies before the door; what was sent may have made room.
  if (options.verb != Verb::flush || taken || !status || *status != ExitStatus::ok) return status;
  if (auto again = take_in(world); !again) return std::move(again).error();
  return run_verb(options, world);
}

bool is_sendmail(std::string_view name) { return name == "sendmail" || name == "mailq" || name == "newaliases"; }

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string_view name = argc > 0 ? argv[0] : "";
  name.remove_prefix(name.rfind('/') + 1);
  if (is_sendmail(name)) {
    options.called = name;
    return tools::run_tool(options.called, options.common, [&]() -> Result<ExitStatus> {
      LONGLINE_CHECK(parse_sendmail_options({argv + 1, argv + argc}, options));
      // Where it puts mail is where it looks for it, whatever queue the configuration names.
      options.queue = "spool";
      if (name == "mailq") options.verb = Verb::list;
      if (name == "newaliases") options.add.checks_aliases = true;
      return run(options);
    });
  }
  if (const auto status = parse_options(argc, argv, options)) return *status;
  return tools::run_tool(options.called, options.common, [&] { return run(options); });
}
