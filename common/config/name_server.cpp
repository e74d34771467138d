// SPDX-License-Identifier: MIT
#include "config/name_server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::config {

Result<NameServer> parse_name_server(std::string_view text) {
  const Error bad(Errc::malformed, fmt::format("'{}' is not like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53", escape_at_most(text, 64)));
  std::string_view address = text, port = "53";
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return bad;
    address = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return bad;
      port = text.substr(end + 2);
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    address = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  const auto number = parse_integer(port);
  const bool plain = !address.empty() && address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
  if (!plain || !number || *number < 1 || *number > 65535) return bad;
  return NameServer{std::string(address), static_cast<int>(*number)};
}

}  // namespace longline::config
