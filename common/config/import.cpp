// SPDX-License-Identifier: MIT
#include "config/import.hpp"

#include "base/text.hpp"

namespace longline::config {

std::string_view to_string(ImportNote::Kind kind) {
  switch (kind) {
    case ImportNote::Kind::by_hand: return "by-hand";
    case ImportNote::Kind::no_meaning: return "no-meaning";
    case ImportNote::Kind::unknown: return "unknown";
    case ImportNote::Kind::secret: return "secret";
  }
  return "";
}

std::optional<ImportFormat> guess_import_format(std::string_view name, std::string_view text) {
  if (name.size() > 4 && iequals(name.substr(name.size() - 4), ".pbk")) return ImportFormat::rasphone;
  if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
  if (name.starts_with("wvdial") || name == ".wvdialrc") return ImportFormat::wvdial;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.size() > 7 && iequals(line.substr(0, 7), "[dialer")) return ImportFormat::wvdial;
    // What every entry of a phonebook has.
    for (const std::string_view key : {"PBVersion=", "MEDIA=", "DEVICE=", "Encoding="}) {
      if (line.starts_with(key)) return ImportFormat::rasphone;
    }
  }
  return std::nullopt;
}

}  // namespace longline::config
