// SPDX-License-Identifier: MIT
#include "chatrun.d/options.hpp"

#include <map>

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
      ->check(whole_number(0, 1'000'000))
      ->excludes(file);
}

void add_line(CLI::App& app, std::string& port_name, sys::SerialSettings& serial) {
  using Flow = sys::SerialSettings::Flow;
  auto* port = app.add_option("--port", port_name, "The line: device, pty or tcp:HOST:PORT")->type_name("PORT");
  app.add_option("--speed", serial.speed, "Its speed in bit/s (115200)")->type_name("N")->check(whole_number(50, 4'000'000))->needs(port);
  app.add_option("--framing", serial.framing, "Its framing (8N1)")
      ->type_name("DPS")
      ->check([](const std::string& text) {
        const auto framing = sys::parse_framing(text);
        return framing ? std::string() : framing.error().what;
      })
      ->needs(port);
  app.add_option_function<std::string>(
         "--flow", [&serial](const std::string& kind) { serial.flow = kind == "rtscts" ? Flow::rtscts : kind == "xonxoff" ? Flow::xonxoff : Flow::none; },
         "Flow control: rtscts, xonxoff, none")
      ->type_name("KIND")
      ->check(one_of({"rtscts", "xonxoff", "none"}))
      ->needs(port);
}

CLI::App& add_run(CLI::App& app, RunOptions& options) {
  CLI::App& run = *app.add_subcommand("run", "Run a login script over a line");
  run.add_option("SCRIPT", options.script, "The script (.scp, .chat)")->type_name("");
  add_line(run, options.port, options.serial);
  add_credentials(run, options.credentials);
  add_duration(run, "--deadline", options.deadline, "End the run after TIME (300s)");
  run.add_option("--transcript", options.transcript, "Write what passes over the line, secrets masked")->type_name("FILE");
  run.add_flag("--ignore-success", options.ignore_success, "End well also with $SUCCESS FALSE");
  run.add_option("--terminal", options.when, "Join your terminal to the line: with the script\n(or without one), before, after it")
      ->type_name("[WHEN]")
      ->expected(0, 1)
      ->default_str("with");
  add_duration(run, "--idle", options.idle, "Then end a terminal that is quiet (10m)");
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
  replay.add_option("SCRIPT", options.script, "The script (.scp, .chat)")->required()->type_name("");
  replay.add_option("TRANSCRIPT", options.transcript, "The transcript; - is stdin")->required()->type_name("");
  add_credentials(replay, options.credentials);
  add_duration(replay, "--deadline", options.deadline, "The deadline of the run (300s)");
  replay.add_flag("--ignore-success", options.ignore_success, "End well also with $SUCCESS FALSE");
  replay.add_option("--fuzz", options.variations, "Vary splits and timing N times")->type_name("N")->check(whole_number(1, 1'000'000));
  return replay;
}

CLI::App& add_record(CLI::App& app, RecordOptions& options) {
  CLI::App& record = *app.add_subcommand("record", "Log in by hand, and have the script written");
  record.add_option("-o,--output", options.output, "The script that is written (.scp)")->required()->type_name("SCRIPT");
  record.add_option("--transcript", options.transcript, "The transcript (beside the script)")->type_name("FILE");
  add_line(record, options.port, options.serial);
  add_credentials(record, options.credentials);
  add_duration(record, "--idle", options.idle, "End when nothing happens for TIME (10m)");
  return record;
}

CLI::App& add_convert(CLI::App& app, ConvertOptions& options) {
  CLI::App& convert = *app.add_subcommand("convert", "Make a .scp script of a chat(8) script");
  convert.add_option("SCRIPT", options.script, "The script (.chat); - is stdin")->required()->type_name("");
  convert.add_option("--to", "The language (scp)")->type_name("LANGUAGE")->check(one_of({"scp"}));
  convert.add_option("-o,--output", options.output, "Write to SCRIPT, not to stdout")->type_name("SCRIPT");
  add_credentials(convert, options.credentials);
  convert.add_flag("--credentials", options.replace_credentials, "Make names and passwords $USERID and $PASSWORD");
  convert.add_option("--phone", options.phone, "The number that \\T stands for")->type_name("NUMBER");
  convert.add_option("--phone2", options.phone2, "The number that \\U stands for")->type_name("NUMBER");
  convert.add_flag("--strict", options.strict, "Fail if something cannot be carried");
  return convert;
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  CLI::App app("Runs and checks login scripts", "chatrun");
  add_common_options(app, options.common);
  app.require_subcommand(1);
  CLI::App& run = add_run(app, options.run);
  CLI::App& check = add_check(app, options.check);
  CLI::App& record = add_record(app, options.record);
  CLI::App& convert = add_convert(app, options.convert);
  add_replay(app, options.replay);
  CLI::App& chat = *app.add_subcommand("chat", "As chat(8): chatrun chat --help");
  chat.allow_extras();
  if (const auto status = parse_command_line(app, options.common, argc, argv, kError)) return status;
  if (chat.parsed()) return usage_error(app, options.common, "'chat' stands first: what is behind it is chat(8)'s", kError);
  if (options.run.when) {
    const std::map<std::string, Join> joins{{"with", Join::with}, {"before", Join::before}, {"after", Join::after}};
    const auto join = joins.find(*options.run.when);
    options.run.terminal = join == joins.end() ? Join::with : join->second;
    // `--terminal isp.scp`: what stands behind it is no WHEN, but the script.
    if (join == joins.end() && options.run.script.empty()) options.run.script = *options.run.when;
    else if (join == joins.end()) return usage_error(app, options.common, "--terminal is with, before or after, not '" + *options.run.when + "'", kError);
  }
  options.verb = run.parsed() ? Verb::run : check.parsed() ? Verb::check : record.parsed() ? Verb::record : convert.parsed() ? Verb::convert : Verb::replay;
  return std::nullopt;
}

}  // namespace longline::tools::chatrun
