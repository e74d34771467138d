// SPDX-License-Identifier: MIT
#include "dialctl.d/options.hpp"

#include <cstring>

#include "common/command_line.hpp"

namespace longline::tools::dialctl {
std::optional<int> parse(int argc, char** argv, Options& options) {
  // The command of `run` is not ours to understand: it is taken off before the parser looks.
  int ours = argc;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--") != 0) continue;
    ours = i;
    options.command.assign(argv + i + 1, argv + argc);
    break;
  }

  CLI::App app("Brings links up and down.", "dialctl");
  add_common_options(app, options.common);
  app.require_subcommand(1);
  std::string wait, grade;
  const auto verb = [&](const char* name, const char* what, Verb value) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->callback([&options, value] { options.verb = value; });
    return sub;
  };
  const auto with_link = [&](CLI::App* sub, bool required) {
    CLI::Option* link = sub->add_option("LINK", options.link, "Name of a link")->type_name("");
    if (required) link->required();
    return sub;
  };
  const auto with_wait = [&](CLI::App* sub) {
    sub->add_option("--wait", wait, "Give up when the link is not up after TIME")->type_name("TIME");
    sub->add_flag("--now", options.now, "Call in spite of a backoff");
    sub->add_option("--grade", grade, "normal, or urgent, which may break the hours")->type_name("GRADE");
  };
  with_link(verb("list", "List the links", Verb::list), false);
  with_link(verb("show", "Show the settings of a link that are in force", Verb::show), true);
  with_link(verb("plan", "Say what a call would do, without calling", Verb::plan), true);
  with_wait(with_link(verb("up", "Bring a link up; it stays up until down", Verb::up), true));
  CLI::App* down = with_link(verb("down", "Hang up", Verb::down), true);
  down->add_flag("--force", options.force, "Also when commands are running on the link");
  CLI::App* run = with_link(verb("run", "Bring a link up, run a command, let the link go", Verb::run), true);
  run->footer("The command stands behind --:\n  dialctl run [OPTIONS] LINK -- COMMAND [ARGUMENT]...");
  with_wait(run);
  CLI::App* how = with_link(verb("status", "Say how links are", Verb::status), false);
  how->add_flag("--watch", options.watch, "Again whenever it changes, until a signal");
  verb("restore", "Put back what a killed call changed on this host", Verb::restore)
      ->add_option("--behind", options.behind)->group("");
  CLI::App* history = with_link(verb("history", "Calls, and what they took, day by day", Verb::history), false);
  history->add_option("--since", options.since, "From TIME on: 7d, 2026-11-22, 2026-11-22T23:10:51Z")->type_name("TIME");
  verb("ports", "List serial ports, who holds and who uses them", Verb::ports)
      ->add_flag("--probe", options.probe, "Ask for a modem on those that are free");
  verb("become-pppd", "", Verb::become_pppd)->group("");
  with_link(verb("check", "Check configuration, scripts and routes", Verb::check), false);
  with_wait(with_link(verb("terminal", "Dial, then join this terminal to the line", Verb::terminal), true));
  CLI::App* events = with_link(verb("events", "Show the log of events", Verb::events), false);
  events->add_flag("-f,--follow", options.follow, "Go on with what happens from now on");
  events->add_option("--since", options.since, "From TIME on: 7d, 2026-11-22, 2026-11-22T23:10:51Z")->type_name("TIME");
  CLI::App* explain = verb("explain", "Say what a code means and what to look at", Verb::explain);
  explain->add_option("CODE", options.codes, "RAS number, code, status, event or event id")->type_name("")->required();
  CLI::App* unlock = verb("unlock", "Say who holds a port; take over what is dead", Verb::unlock);
  unlock->add_option("PORT", options.port, "Device, or tcp:HOST:PORT")->type_name("")->required();
  CLI::App* import = verb("import", "Make links of another dialer's phonebook, on stdout", Verb::import);
  import->add_option("FILE", options.file, "rasphone.pbk or wvdial.conf; - is stdin")->type_name("")->required();
  import->add_option("--format", options.format, "rasphone or wvdial; default: by what is in it")->type_name("NAME");
  CLI::App* supervise = with_link(verb("supervise", "", Verb::supervise), true)->group("");
  supervise->add_flag("--raw", options.raw, "For terminal: no login, no network");
  CLI::App* demand = with_link(verb("demand", "Call a link when there is traffic for its routes", Verb::demand), true);
  demand->add_option("--interface", options.interface, "Name of the network interface; default: the link's")->type_name("NAME");
  CLI::App* connect = with_link(verb("connect", "Dial and log in on stdin and stdout, for pppd", Verb::connect), true);
  connect->add_flag("--now", options.now, "Call in spite of a backoff");
  connect->add_option("--grade", grade, "normal, or urgent, which may break the hours")->type_name("GRADE");
  with_link(verb("answer", "Wait for calls on the modem of a link, and take them", Verb::answer), true);
  supervise->add_flag("--round", options.round);
  supervise->add_flag("--last-round", options.last_round);

  if (const std::optional<int> status = parse_command_line(app, options.common, ours, argv)) return status;
  const auto complain = [&](const std::string& what) {
    print_error("dialctl", options.common, Error(Errc::usage, what).with_hint("try 'dialctl --help'"));
    return static_cast<int>(ExitStatus::usage);
  };
  if (options.verb == Verb::run && options.command.empty()) {
    return complain("run needs a command: dialctl run LINK -- COMMAND");
  }
  if (options.verb != Verb::run && ours != argc) return complain("only run takes a command behind --");
  if (!grade.empty() && grade != "normal" && grade != "urgent") return complain("--grade: normal or urgent");
  options.urgent = grade == "urgent";
  if (!wait.empty()) {
    const Result<Duration> parsed = parse_duration(wait);
    if (!parsed) return complain("--wait: " + parsed.error().what);
    options.wait = *parsed;
  }
  if (!options.format.empty() && options.format != "rasphone" && options.format != "wvdial") {
    return complain("--format is rasphone or wvdial");
  }
  return std::nullopt;
}

}  // namespace longline::tools::dialctl
