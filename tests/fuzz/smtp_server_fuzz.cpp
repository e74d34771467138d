// SPDX-License-Identifier: MIT
// A hostile client, in two chunkings: the same replies and the same messages, no more of them than ends of data.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mail/smtp_server.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

struct Outcome {
  std::string written;
  std::vector<std::string> delivered;
};

Outcome run(std::string_view input, std::size_t piece) {
  SmtpServerOptions options;
  options.host = "far.example";
  options.local_domains = {"far.example"};
  options.size_limit = 1000;
  options.recipient_limit = 3;
  options.error_limit = 8;
  SmtpServer server(options);
  Outcome outcome;
  bool finished = false;
  int stored = 0;
  const auto drain = [&] {
    while (auto action = server.next_action()) {
      assert(!finished);
      if (auto* write = std::get_if<Write>(&*action)) outcome.written += write->bytes;
      if (auto* deliver = std::get_if<Deliver>(&*action)) {
        assert(!deliver->recipients.empty() && deliver->recipients.size() <= 3);
        assert(deliver->content.starts_with("Received: ") && deliver->content.ends_with("\r\n") && deliver->content.size() < 1400);
        for (std::size_t i = 0; i < deliver->content.size(); ++i) assert(deliver->content[i] != '\n' || deliver->content[i - 1] == '\r');
        outcome.delivered.push_back(deliver->content);
        if (++stored % 3 == 0) server.refuse(Error(Errc::disk_full, "full"), TimePoint{});
        else server.accept("", TimePoint{});
      }
      if (std::holds_alternative<SmtpServerFinished>(*action)) finished = true;
    }
  };
  server.start(TimePoint{});
  drain();
  for (std::size_t i = 0; i < input.size(); i += piece) {
    server.on_bytes(input.substr(i, piece), TimePoint{});
    drain();
  }
  server.on_closed(TimePoint{});
  drain();
  assert(finished && !server.deadline());
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const Outcome whole = run(input, input.size() + 1);
  const Outcome pieces = run(input, data[0] % 16 + 1u);
  assert(whole.written == pieces.written && whole.delivered == pieces.delivered);
  return 0;
}
