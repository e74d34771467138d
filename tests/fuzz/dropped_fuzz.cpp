// SPDX-License-Identifier: MIT
// A file in the drop folder, and a file of aliases, by somebody hostile.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/address.hpp"
#include "mail/aliases.hpp"
#include "mail/dropped_message.hpp"

using namespace longline;
using namespace longline::mail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  DropOrigin origin;
  origin.user_id = 1000;
  origin.user = "alice";
  origin.host = "site7.example";
  origin.unique = "u1";
  if (const auto read = read_dropped(input, origin)) {
    assert(!read->recipients.empty());
    for (const std::string& recipient : read->recipients) assert(parse_address(recipient));
    assert(read->content.starts_with("Received: by site7.example ") && read->content.ends_with("\r\n"));
    for (std::size_t i = 0; i < read->content.size(); ++i) assert(read->content[i] != '\n' || read->content[i - 1] == '\r');
    // What was read is what would be written.
    const auto again = read_dropped(format_dropped(*read), origin);
    assert(again && again->recipients == read->recipients && again->sender == read->sender && again->dsn == read->dsn);
  }
  const Aliases aliases(input);
  assert(aliases.complaints().size() <= 100);
  for (const char* name : {"root@site7.example", "a@site7.example"}) {
    const auto expanded = aliases.expand(name, "site7.example");
    assert(!expanded.empty() && expanded.size() <= 1000);
    for (const std::string& address : expanded) assert(parse_address(address));
  }
  return 0;
}
