// SPDX-License-Identifier: MIT
#include "sys/link/link_record.hpp"

#include "base/event.hpp"
#include "sys/config_file.hpp"
#include "sys/durable_file.hpp"

namespace longline::sys {

void write_link_record(const StatePaths& paths, const std::string& link, const LinkRecord& record) {
  JsonObject out;
  out.set("ended", format_iso8601(record.ended));
  if (record.error) out.merge(error_object("dialctl", *record.error));
  static_cast<void>(replace_file(paths.link_record(link), out.dump() + "\n").has_value());
}

std::optional<LinkRecord> read_link_record(const StatePaths& paths, const std::string& link) {
  constexpr std::size_t kMost = 65536;
  const Result<std::string> text = read_file(paths.link_record(link), kMost);
  if (!text) return std::nullopt;
  const Result<JsonObject> object = parse_json_object(*text);
  if (!object) return std::nullopt;
  const Result<WallTime> ended = parse_iso8601(object->string("ended").value_or(""));
  if (!ended) return std::nullopt;
  return LinkRecord{*ended, error_from_object(*object)};
}

}  // namespace longline::sys
