// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::mail {

/// What a name server said about a domain's mail (RFC 1035, 4.1).
struct DnsAnswer {
  struct Exchanger {
    int preference = 0;
    std::string host;       ///< lower case, without the last dot; "" is the root: the domain takes no mail (RFC 7505)
  };
  std::vector<Exchanger> exchangers;                            ///< of the answer section, as they came
  std::vector<std::string> addresses;                           ///< A and AAAA of the answer section, in text form
  std::map<std::string, std::vector<std::string>> additional;   ///< those of the additional section, by name
};

/// Reads a response as the resolver handed it over. Names that no host can have are passed over; at most 64 records of a kind are kept, and
/// bytes that do not belong to a record end it. Errc::malformed: no response, or one that ends within its question.
Result<DnsAnswer> parse_dns_answer(std::string_view message);

/// Where mail for a domain goes (RFC 5321, 5.1).
struct MailRoute {
  std::vector<std::string> hosts;   ///< best first, each once, at most ten
  bool takes_no_mail = false;       ///< null MX
  bool is_ours = false;             ///< we are the best of them: sending it on would be a loop
};
/// `our_name`: we are not sent to, nor is who is no better than we are.
MailRoute mail_route(const std::vector<DnsAnswer::Exchanger>& exchangers, std::string_view our_name);

}  // namespace longline::mail
