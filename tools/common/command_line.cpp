// SPDX-License-Identifier: MIT
#include "common/command_line.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iostream>

#include "base/error.hpp"
#include "base/text.hpp"

namespace longline::tools {
namespace {

// "" is what a script's unset variable leaves: the default would be somebody else's spool.
CLI::Validator not_empty() {
  return CLI::Validator([](const std::string& text) { return text.empty() ? std::string("must not be empty") : std::string(); }, "", "");
}

const CLI::App& verb_that_was_reached(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

/// CLI11 says of an unknown verb that one is required, and nothing of the word that stands there.
std::optional<std::string> missing_verb(const CLI::App& app, const CLI::ParseError& failure) {
  const CLI::App& reached = verb_that_was_reached(app);
  if (failure.get_exit_code() != static_cast<int>(CLI::ExitCodes::RequiredError) || reached.get_require_subcommand_min() == 0) return std::nullopt;
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return reached.get_parent() == nullptr ? "a verb is required" : reached.get_name() + ": a verb is required";
  const std::string shown = escape_at_most(unknown.front(), 40);
  if (unknown.front().starts_with('-')) return "unknown option '" + shown + "'";
  std::vector<std::string> verbs;
  for (const CLI::App* verb : reached.get_subcommands({})) {
    if (!verb->get_group().empty()) verbs.push_back(verb->get_name());
  }
  const std::optional<std::string> near = nearest(unknown.front(), verbs);
  return "unknown verb '" + shown + "'" + (near ? "; did you mean '" + *near + "'?" : "");
}

// CLI11 repeats words as they came.
std::string for_a_terminal(const std::string& what) {
  const bool plain = std::none_of(what.begin(), what.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return plain ? what : escape(what);
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return CLI::Validator(
      [least, most](const std::string& text) {
        const auto number = parse_integer(text);
        if (number && *number >= least && *number <= most) return std::string();
        const std::string range = most == std::numeric_limits<std::int64_t>::max() ? "of at least " + std::to_string(least)
                                                                                   : "from " + std::to_string(least) + " to " + std::to_string(most);
        return "'" + escape_at_most(text, 40) + "' is not a whole number " + range;
      },
      "", "");
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](const std::string& text) {
        std::string all;
        for (const std::string& word : words) {
          if (word == text) return std::string();
          all += (all.empty() ? "" : ", ") + word;
        }
        return "'" + escape_at_most(text, 40) + "' is not " + (words.size() > 1 ? "one of " : "") + all;
      },
      "", "");
}

void add_common_options(CLI::App& app, CommonOptions& common) {
  app.fallthrough();
  app.option_defaults()->always_capture_default(false);
  app.get_formatter()->column_width(28);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", app.get_name() + " (longline) " LONGLINE_VERSION, "Print the version and exit");
  app.add_option("--config", common.config, "Read this configuration file")->type_name("FILE")->check(not_empty());
  app.add_option("--root", common.root, "Keep configuration and state under DIR")->type_name("DIR")->check(not_empty());
  app.add_flag("--json", common.json, "JSON Lines on stdout, failures as JSON on stderr");
  app.add_flag("-q,--quiet", common.quiet, "Print nothing when all went well");
  app.add_flag("-v,--verbose", common.verbose, "Say more on stderr");
}

std::optional<int> parse_command_line(CLI::App& app, const CommonOptions& common, int argc, char** argv,
                                      int usage_status) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& success) {
    std::signal(SIGPIPE, SIG_IGN);
    app.exit(success);
    std::cout.flush();
    return finish_stdout(app.get_name(), common, 0);
  } catch (const CLI::ParseError& failure) {
    CommonOptions as_given = common;
    // The flag may stand behind the mistake, where the parser has not been.
    for (int i = 1; i < argc; ++i) as_given.json = as_given.json || std::strcmp(argv[i], "--json") == 0;
    return usage_error(app, as_given, missing_verb(app, failure).value_or(for_a_terminal(failure.what())), usage_status);
  }
}

int usage_error(const CLI::App& app, const CommonOptions& common, const std::string& what, int usage_status) {
  print_error(app.get_name(), common, Error(Errc::usage, what).with_hint("try '" + app.get_name() + " --help'"), usage_status);
  return usage_status;
}

}  // namespace longline::tools
