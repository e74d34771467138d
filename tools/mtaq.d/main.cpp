// SPDX-License-Identifier: MIT
#include <cstring>
#include <string_view>

#include "sys/config_file.hpp"
#include "sys/process.hpp"
#include "verbs.hpp"

namespace {

using namespace longline;
using namespace longline::mtaq;

Result<ExitStatus> run(const Options& options) {
  LONGLINE_TRY(sys::StatePaths paths, sys::state_paths(options.common.config, options.common.root));
  LONGLINE_TRY(sys::LoadedConfig loaded, sys::load_config(paths));
  World world{paths, std::move(loaded.config), sys::EventLog(paths.events), sys::host_name()};
  switch (options.verb) {
    case Verb::add: return run_add(options, world);
    case Verb::list: return run_list(options, world);
    case Verb::show: return run_show(options, world);
    case Verb::due: return run_due(options, world);
    case Verb::flush: return run_flush(options, world);
    case Verb::receive: return run_receive(options, world);
    case Verb::hold:
    case Verb::release:
    case Verb::remove:
    case Verb::requeue: return run_change(options, world);
  }
  return Error(Errc::software, "no such verb");
}

bool called_as_sendmail(std::string_view name) {
  name.remove_prefix(name.find_last_of('/') == std::string_view::npos ? 0 : name.find_last_of('/') + 1);
  return name == "sendmail" || name == "mailq";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const std::string_view name = argc > 0 ? argv[0] : "mtaq";
  if (called_as_sendmail(name)) {
    return tools::run_tool("sendmail", options.common, [&]() -> Result<ExitStatus> {
      LONGLINE_CHECK(parse_sendmail_options({argv + 1, argv + argc}, options));
      if (name.ends_with("mailq")) options.verb = Verb::list;
      return run(options);
    });
  }
  if (const auto status = parse_options(argc, argv, options)) return *status;
  return tools::run_tool("mtaq", options.common, [&] { return run(options); });
}
