// SPDX-License-Identifier: MIT
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chatrun.d/options.hpp"
#include "chatrun.d/verbs.hpp"

using namespace longline;
using namespace longline::tools;

namespace {

/// Everything behind `chat` is chat(8)'s, whose words CLI11 would take for options of its own.
std::optional<std::vector<std::string>> chat_arguments(int argc, char** argv) {
  const std::string_view self = argc > 0 ? argv[0] : "";
  int first = 0;
  if (self.substr(self.rfind('/') + 1) == "chat") first = 1;
  else if (argc > 1 && std::string_view(argv[1]) == "chat") first = 2;
  if (first == 0) return std::nullopt;
  return std::vector<std::string>(argv + first, argv + argc);
}

}  // namespace

int main(int argc, char** argv) {
  chatrun::Options options;
  if (const auto arguments = chat_arguments(argc, argv)) {
    return run_tool("chatrun", options.common, [&]() -> Result<ExitStatus> { return static_cast<ExitStatus>(chatrun::chat_drop_in(*arguments)); });
  }
  if (const auto status = chatrun::parse_options(argc, argv, options)) return *status;
  return run_tool("chatrun", options.common, [&]() -> Result<ExitStatus> {
    switch (options.verb) {
      case chatrun::Verb::run: return static_cast<ExitStatus>(chatrun::run(options.common, options.run));
      case chatrun::Verb::check: return static_cast<ExitStatus>(chatrun::check(options.common, options.check));
      case chatrun::Verb::record: return static_cast<ExitStatus>(chatrun::record(options.common, options.record));
      case chatrun::Verb::convert: return chatrun::convert(options.common, options.convert);
      case chatrun::Verb::replay: return static_cast<ExitStatus>(chatrun::replay(options.common, options.replay));
    }
    return ExitStatus::software;
  });
}
