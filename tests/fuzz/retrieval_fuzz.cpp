// SPDX-License-Identifier: MIT
// A hostile provider, in two chunkings: the same words of ours, ATRN and TURN only after a login, and one end.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/retrieval.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

std::string run(std::string_view input, std::size_t piece, int kind) {
  RetrievalOptions options;
  options.by = static_cast<config::Retrieve::By>(kind % 3);
  options.domains = {"example.org", "example.com"};
  options.opening.helo = "example.org";
  options.opening.starttls = kind % 2 == 0 ? StartTlsUse::never : StartTlsUse::if_offered;
  if (kind % 5 != 0) {
    SmtpLogin login;
    login.user = "site7";
    login.password = Secret("open sesame");
    login.allow_clear = true;
    options.opening.login = login;
  }
  Retrieval machine(options);
  std::string seen;
  bool over = false;
  const auto drain = [&] {
    while (auto action = machine.next_action()) {
      assert(!over);
      if (const auto* write = std::get_if<Write>(&*action)) {
        seen += write->bytes;
      } else if (std::holds_alternative<StartTls>(*action)) {
        seen += "TLS\n";
        machine.on_secured(TimePoint{});
      } else {
        over = true;
        seen += std::holds_alternative<TurnRound>(*action) ? "TURNED" : "END";
      }
    }
  };
  machine.start(TimePoint{});
  drain();
  for (std::size_t i = 0; i < input.size(); i += piece) {
    machine.on_bytes(input.substr(i, piece), TimePoint{});
    drain();
  }
  machine.on_closed(TimePoint{});
  drain();
  assert(over && !machine.deadline());
  const std::size_t turns = std::min(seen.find("\nATRN"), seen.find("\nTURN"));
  assert(turns == std::string::npos || seen.find("AUTH ") < turns);
  return seen;
}

bool asks(const std::string& seen) {
  return seen.find("ETRN ") != std::string::npos || seen.find("ATRN") != std::string::npos || seen.find("TURN\r") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  const int kind = data[0] % 30;
  // A reply that turns the line round must be the last of its chunk, and one that comes unasked is refused where that shows: chunks are
  // compared only where neither was so.
  const std::string one = run(input, 1, kind), more = run(input, data[1] % 16 + 2u, kind);
  assert(one == more || one.ends_with("TURNED") || one.find("STARTTLS") != std::string::npos || !asks(one) || !asks(more));
  return 0;
}
