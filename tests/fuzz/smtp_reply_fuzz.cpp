// SPDX-License-Identifier: MIT
// Whatever a server sends: in one piece or in many the replies are the same, bounded and well-formed, and an error stays. Byte 0: how much
// junk may come before the greeting; byte 1: the size of the pieces.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/smtp_reply.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

std::string replies(std::string_view bytes, std::size_t piece, std::size_t skip) {
  SmtpReplyParser parser(skip);
  std::string out;
  bool failed = false;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    parser.feed(bytes.substr(i, piece));
    while (true) {
      const auto reply = parser.next();
      if (!reply) {
        assert(reply.error().code == Errc::protocol && reply.error().what.size() < 600);
        if (!failed) out += "error " + reply.error().what;
        failed = true;
        break;
      }
      assert(!failed);
      if (!*reply) break;
      const SmtpReply& r = **reply;
      assert(r.code >= 200 && r.code < 600 && !r.lines.empty() && r.lines.size() <= 256);
      assert(r.enhanced.empty() || r.enhanced.front() - '0' == r.code / 100);
      const std::string text = r.text();
      assert(text.size() < 420 && text.find_first_of("\r\n\x1B") == std::string::npos);
      out += std::to_string(r.code) + r.enhanced + text + "\n";
      for (const std::string& line : r.lines) {
        assert(line.size() <= 4096 && line.find('\n') == std::string::npos);
        out += line + "\n";
      }
    }
  }
  assert(!failed || parser.has_more());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t skip = data[0] * 16;
  const std::string whole = replies(bytes, bytes.size() + 1, skip);
  assert(replies(bytes, data[1] % 64 + 1, skip) == whole);
  assert(replies(bytes, 1, skip) == whole);
  return 0;
}
