// SPDX-License-Identifier: MIT
#include "chatrun.d/options.hpp"
#include "chatrun.d/verbs.hpp"

using namespace longline;
using namespace longline::tools;

int main(int argc, char** argv) {
  chatrun::Options options;
  if (const auto status = chatrun::parse_options(argc, argv, options)) return *status;
  return run_tool("chatrun", options.common, [&]() -> Result<ExitStatus> {
    switch (options.verb) {
      case chatrun::Verb::run: return static_cast<ExitStatus>(chatrun::run(options.common, options.run));
      case chatrun::Verb::check: return static_cast<ExitStatus>(chatrun::check(options.common, options.check));
      case chatrun::Verb::replay: return static_cast<ExitStatus>(chatrun::replay(options.common, options.replay));
    }
    return ExitStatus::software;
  });
}
