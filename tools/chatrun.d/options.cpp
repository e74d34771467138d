// SPDX-License-Identifier: MIT
#include "chatrun.d/options.hpp"

#include "common/command_line.hpp"

namespace longline::tools::chatrun {
namespace {

/// A CLI11 validator that turns the text into a Duration.
CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& out, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&out](const std::string& text) {
            const Result<Duration> value = parse_duration(text);
            if (!value) throw CLI::ValidationError(value.error().what);
            if (value->count() <= 0) throw CLI::ValidationError("a deadline of nothing");
            out = *value;
          },
          help)
      ->type_name("TIME");
}

void add_credentials(CLI::App& app, Credentials& out) {
  app.add_option("--user", out.user, "$USERID of the script")->type_name("NAME");
  auto* file = app.add_option("--password-file", out.password_file, "$PASSWORD is the first line of FILE")->type_name("FILE");
  app.add_option("--password-fd", out.password_fd, "$PASSWORD is the first line from descriptor N")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""))
      ->excludes(file);
}

void add_line(CLI::App& app, RunOptions& run) {
  using Flow = sys::SerialSettings::Flow;
  auto* port = app.add_option("--port", run.port, "The line: device, pty or tcp:HOST:PORT")->type_name("PORT");
  app.add_option("--speed", run.serial.speed, "Its speed in bit/s (115200)")->type_name("N")->check(CLI::Range(50, 4'000'000).description(""))->needs(port);
  app.add_option("--framing", run.serial.framing, "Its framing (8N1)")
      ->type_name("DPS")
      ->check([](const std::string& text) {
        const auto framing = sys::parse_framing(text);
        return framing ? std::string() : framing.error().what;
      })
      ->needs(port);
  app.add_option("--flow", run.serial.flow, "Flow control: rtscts, xonxoff, none")
      ->type_name("KIND")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Flow>{{"rtscts", Flow::rtscts}, {"xonxoff", Flow::xonxoff}, {"none", Flow::none}})
                      .description(""))
      ->needs(port);
}

CLI::App& add_run(CLI::App& app, RunOptions& options) {
  CLI::App& run = *app.add_subcommand("run", "Run a login script over a line");
  run.add_option("SCRIPT", options.script, "The script (.scp)")->required()->type_name("");
  add_line(run, options);
  add_credentials(run, options.credentials);
  add_duration(run, "--deadline", options.deadline, "End the run after TIME (300s)");
  run.add_option("--transcript", options.transcript, "Write what passes over the line, secrets masked")->type_name("FILE");
  run.add_flag("--ignore-success", options.ignore_success, "End well also with $SUCCESS FALSE");
  return run;
}

CLI::App& add_check(CLI::App& app, CheckOptions& options) {
  CLI::App& check = *app.add_subcommand("check", "Find mistakes in scripts before the call");
  check.add_option("SCRIPT", options.scripts, "The scripts; - is stdin")->required()->type_name("...");
  check.add_flag("--strict", options.strict, "Warnings are errors");
  check.add_flag("--fix", options.fix, "Repair in place what can be; stdin to stdout");
  add_duration(check, "--deadline", options.deadline, "The deadline that the run will have (300s)");
  return check;
}

CLI::App& add_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App& replay = *app.add_subcommand("replay", "Run a script against a transcript, without a line");
  replay.add_option("SCRIPT", options.script, "The script (.scp)")->required()->type_name("");
  replay.add_option("TRANSCRIPT", options.transcript, "The transcript; - is stdin")->required()->type_name("");
  add_credentials(replay, options.credentials);
  add_duration(replay, "--deadline", options.deadline, "The deadline of the run (300s)");
  replay.add_flag("--ignore-success", options.ignore_success, "End well also with $SUCCESS FALSE");
  replay.add_option("--fuzz", options.variations, "Vary splits and timing N times")->type_name("N")->check(CLI::Range(1, 1'000'000).description(""));
  return replay;
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  CLI::App app("Runs and checks login scripts", "chatrun");
  add_common_options(app, options.common);
  app.require_subcommand(1);
  CLI::App& run = add_run(app, options.run);
  CLI::App& check = add_check(app, options.check);
  add_replay(app, options.replay);
  if (const auto status = parse_command_line(app, options.common, argc, argv, kError)) return status;
  options.verb = run.parsed() ? Verb::run : check.parsed() ? Verb::check : Verb::replay;
  return std::nullopt;
}

}  // namespace longline::tools::chatrun
