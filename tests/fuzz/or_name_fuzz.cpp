// SPDX-License-Identifier: MIT
// Any text as an O/R name, as a mailbox and as an element: what is taken comes back.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/address.hpp"
#include "x400/or_name_mapping.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kMapping{"WW", " ", "", "gate.example"};

void over_the_wire(const OrName& name) {
  BerWriter w;
  write_or_name(w, name);
  const auto read = read_or_name(*BerReader::only(w.bytes()));
  assert(read && *read == name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  assert(is_printable_string(encode_printable(input)));
  assert(decode_printable(encode_printable(input)) == input);
  if (const auto name = parse_or_name(input)) {
    over_the_wire(*name);
    for (const std::string& text : {to_slash_text(*name), to_semicolon_text(*name)}) {
      const auto again = parse_or_name(text);
      assert(!again || *again == *name);
      assert(again || text.size() > 2048);
    }
    (void)to_mailbox(*name, kMapping);
  }
  if (const auto address = mail::parse_address(input)) {
    const std::string mailbox = to_string(*address);
    const bool gateway = address->domain == "gate.example" && address->local.starts_with('/');
    if (const auto name = to_or_name(mailbox, kMapping)) {
      over_the_wire(*name);
      const auto back = to_mailbox(*name, kMapping);
      assert(gateway || (back && *back == mailbox));
    } else {
      assert(name.error().code == Errc::refused || gateway);
    }
  }
  if (const auto element = BerReader::only(input)) {
    if (const auto name = read_or_name(*element)) {
      over_the_wire(*name);
      const auto mailbox = to_mailbox(*name, kMapping);
      if (mailbox) {
        for (const char c : *mailbox) assert(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
      }
    }
  }
  return 0;
}
