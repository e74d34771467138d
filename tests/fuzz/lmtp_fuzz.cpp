// SPDX-License-Identifier: MIT
// A hostile LMTP server, in two chunkings: the same words of ours, and one result a recipient.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/lmtp_client.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

constexpr std::string_view kContent = "Subject: x\r\n\r\n.dot\r\n";

std::string run(std::string_view input, std::size_t piece) {
  LmtpOptions options;
  options.host = "here.example";
  options.recipients = {"a@here.example", "b@here.example", "c@here.example"};
  options.content = kContent;
  LmtpClient client(options);
  std::string seen;
  bool finished = false;
  const auto drain = [&] {
    while (true) {
      client.on_writable(4096, TimePoint{});
      const auto action = client.next_action();
      if (!action) return;
      assert(!finished);
      if (const auto* write = std::get_if<Write>(&*action)) {
        seen += write->bytes;
        continue;
      }
      finished = true;
      const auto& results = std::get<LmtpFinished>(*action).results;
      assert(results.size() == 3);
      for (const RecipientResult& r : results) {
        assert(r.outcome == Outcome::sent || r.outcome == Outcome::deferred || r.outcome == Outcome::refused);
        // Nobody has a message that was never whole on its way.
        assert(r.outcome != Outcome::sent || seen.find("\r\n.\r\n") != std::string::npos);
        seen += r.address + std::string(to_string(r.outcome));
      }
    }
  };
  client.start(TimePoint{});
  drain();
  for (std::size_t i = 0; i < input.size(); i += piece) {
    client.on_bytes(input.substr(i, piece), TimePoint{});
    drain();
  }
  client.on_closed(TimePoint{});
  drain();
  assert(finished && !client.deadline());
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  assert(run(input, 1) == run(input, data[0] % 16 + 2u));
  return 0;
}
