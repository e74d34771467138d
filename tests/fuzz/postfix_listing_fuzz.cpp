// SPDX-License-Identifier: MIT
// Lines of postqueue -j and of Postfix's log: an id that comes out is safe as an argument, what is shown is escaped.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.hpp"
#include "mail/flush_follower.hpp"
#include "mail/postfix_listing.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view line : split(text, '\n')) {
    if (const auto message = mail::parse_postfix_listing(line)) {
      assert(mail::is_postfix_id(message->id));
      assert(message->size >= 0);
      format_iso8601(message->arrived);
      for (const mail::Recipient& r : message->recipients) {
        assert(escape(r.reason).find('\x1b') == std::string::npos && r.reason.find('\n') == std::string::npos);
        mail::says_unreachable(r.reason);
      }
      for (const char c : mail::postfix_hash_name(message->id)) assert(c != '/' && c != '.');
    }
    if (const auto fate = mail::parse_postfix_log(line)) {
      assert(mail::is_postfix_id(fate->id));
      assert(fate->result.text.find('\n') == std::string::npos);
    }
  }
  return 0;
}
