// SPDX-License-Identifier: MIT
// summary --bytes: what went over each connector, and whose it was.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

std::string who(const sys::Traffic& traffic) {
  if (!traffic.sender) return "(the line)";
  return traffic.sender->empty() ? "<>" : escape(*traffic.sender);
}

std::string where(const sys::Traffic& traffic) { return traffic.connector.empty() ? "(received)" : escape(traffic.connector); }

JsonObject to_json(const sys::Traffic& traffic) {
  JsonObject out;
  out.set("connector", traffic.connector.empty() ? std::nullopt : std::optional(traffic.connector)).set("sender", traffic.sender);
  // Of the line as a whole only bytes are counted.
  const auto messages = [&](std::int64_t count) { return traffic.sender ? std::optional(count) : std::nullopt; };
  out.set("messages_out", messages(traffic.messages_out)).set("bytes_out", traffic.bytes_out);
  return out.set("messages_in", messages(traffic.messages_in)).set("bytes_in", traffic.bytes_in);
}

}  // namespace

Result<ExitStatus> run_summary_bytes(const Options& options, World& world) {
  constexpr Duration kDefault(30 * 86'400'000LL);
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(const std::vector<sys::Traffic> all, spool.traffic_since(sys::wall_now() - options.summary.since.value_or(kDefault)));
  std::size_t first = 9, second = 6;
  for (const sys::Traffic& traffic : all) {
    first = std::max(first, where(traffic).size());
    second = std::max(second, who(traffic).size());
  }
  if (!options.common.json && !all.empty()) {
    std::printf("%-*s  %-*s  %20s  %20s\n", static_cast<int>(first), "connector", static_cast<int>(second), "sender", "out", "in");
  }
  for (const sys::Traffic& traffic : all) {
    if (options.common.json) {
      std::printf("%s\n", to_json(traffic).dump().c_str());
      continue;
    }
    const auto cell = [&](std::int64_t messages, std::int64_t bytes) {
      return traffic.sender ? fmt::format("{:>8}  {:>10}", messages, format_size(bytes)) : fmt::format("{:>8}  {:>10}", "", format_size(bytes));
    };
    std::printf("%-*s  %-*s  %20s  %20s\n", static_cast<int>(first), where(traffic).c_str(), static_cast<int>(second), who(traffic).c_str(),
                cell(traffic.messages_out, traffic.bytes_out).c_str(), cell(traffic.messages_in, traffic.bytes_in).c_str());
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
