// SPDX-License-Identifier: MIT
// Addresses and header address lists: what is accepted is printed in a form that is read back as the same.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mail/address.hpp"

using namespace longline;

namespace {

void check(const mail::Address& address) {
  const std::string printed = to_string(address);
  assert(printed.find_first_of("\r\n") == std::string::npos);
  if (printed.size() > 254) return;  // quotes made it too long
  const auto again = mail::parse_address(printed);
  assert(again && *again == address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = mail::parse_address(text, "host.example")) check(*address);
  if (const auto list = mail::parse_address_list(text, "host.example")) {
    for (const mail::Address& address : *list) check(address);
  }
  static_cast<void>(mail::match_domain(text.substr(0, size / 2), text.substr(size / 2)));
  return 0;
}
