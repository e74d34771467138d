// SPDX-License-Identifier: MIT
#include "chatrun.d/options.hpp"
#include "chatrun.d/verbs.hpp"

using namespace longline;
using namespace longline::tools;

int main(int argc, char** argv) {
  chatrun::Options options;
  if (const auto status = chatrun::parse_options(argc, argv, options)) return *status;
  return run_tool("chatrun", options.common, [&]() -> Result<ExitStatus> {
    const int status = options.verb == chatrun::Verb::run ? chatrun::run(options.common, options.run)
                                                          : chatrun::check(options.common, options.check);
    return static_cast<ExitStatus>(status);
  });
}
