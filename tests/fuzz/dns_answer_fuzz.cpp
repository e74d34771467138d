// SPDX-License-Identifier: MIT
// What a name server, or who pretends to be one, sends: bounded, and only names that hosts can have.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mail/dns_answer.hpp"

using namespace longline;

namespace {

void check_name(std::string_view name) {
  assert(name.size() <= 253);
  for (const char c : name) assert((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = mail::parse_dns_answer({reinterpret_cast<const char*>(data), size});
  if (!answer) return 0;
  assert(answer->exchangers.size() <= 64 && answer->addresses.size() <= 64 && answer->additional.size() <= 64);
  for (const auto& exchanger : answer->exchangers) check_name(exchanger.host);
  for (const auto& [host, addresses] : answer->additional) {
    check_name(host);
    assert(addresses.size() <= 64);
  }
  const mail::MailRoute route = mail::mail_route(answer->exchangers, "us.example");
  assert(route.hosts.size() <= 10);
  for (const std::string& host : route.hosts) assert(!host.empty() && host != "us.example");
  return 0;
}
