// SPDX-License-Identifier: MIT
#include "common/command_line.hpp"

#include <cstdio>
#include <cstring>

#include "base/error.hpp"

namespace longline::tools {

void add_common_options(CLI::App& app, CommonOptions& common) {
  app.fallthrough();
  app.option_defaults()->always_capture_default(false);
  app.get_formatter()->column_width(28);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", app.get_name() + " (longline) " LONGLINE_VERSION, "Print the version and exit");
  app.add_option("--config", common.config, "Read this configuration file")->type_name("FILE");
  app.add_option("--root", common.root, "Keep configuration and state under DIR")->type_name("DIR");
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
    app.exit(success);
    return 0;
  } catch (const CLI::ParseError& failure) {
    CommonOptions as_given = common;
    // The flag may stand behind the mistake, where the parser has not been.
    for (int i = 1; i < argc; ++i) as_given.json = as_given.json || std::strcmp(argv[i], "--json") == 0;
    return usage_error(app, as_given, failure.what(), usage_status);
  }
}

int usage_error(const CLI::App& app, const CommonOptions& common, const std::string& what, int usage_status) {
  print_error(app.get_name(), common, Error(Errc::usage, what).with_hint("try '" + app.get_name() + " --help'"), usage_status);
  return usage_status;
}

}  // namespace longline::tools
