// SPDX-License-Identifier: MIT
#include "routeadd.d/options.hpp"
#include "routeadd.d/verbs.hpp"

int main(int argc, char** argv) {
  using namespace longline;
  routeadd::Options options;
  if (const std::optional<int> status = routeadd::parse(argc, argv, options)) return *status;
  return tools::run_tool("routeadd", options.common, [&] { return routeadd::run(options); });
}
