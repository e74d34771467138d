// SPDX-License-Identifier: MIT
#include "mail/address.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

std::string reprinted(std::string_view text, std::string_view domain = {}) {
  const auto address = parse_address(text, domain);
  return address ? to_string(*address) : "error: " + address.error().what;
}

std::string list(std::string_view text) {
  const auto addresses = parse_address_list(text, "here.example");
  if (!addresses) return "error: " + addresses.error().what;
  std::string out;
  for (const Address& address : *addresses) out += (out.empty() ? "" : " ") + to_string(address);
  return out;
}

}  // namespace

TEST_CASE("addresses are read and printed") {
  CHECK(reprinted("Alice@Example.COM") == "Alice@example.com");
  CHECK(reprinted(" <alice+tag@example.com> ") == "alice+tag@example.com");
  CHECK(reprinted("\"two words\"@example.com") == "\"two words\"@example.com");
  CHECK(reprinted("\"plain\"@example.com") == "plain@example.com");
  CHECK(reprinted("\"a\\\"b\\\\c\"@example.com") == "\"a\\\"b\\\\c\"@example.com");
  CHECK(reprinted("\"a@b\"@example.com") == "\"a@b\"@example.com");
  CHECK(reprinted("a..b@example.com") == "\"a..b\"@example.com");
  CHECK(reprinted("x@[192.0.2.7]") == "x@[192.0.2.7]");
  CHECK(reprinted("x@[IPv6:2001:db8::1]") == "x@[ipv6:2001:db8::1]");
  CHECK(reprinted("<@relay.example,@other.example:x@y.example>") == "x@y.example");
  CHECK(reprinted("gr\xC3\xBC\xC3\x9F" "e@example.com") == "gr\xC3\xBC\xC3\x9F" "e@example.com");
}

TEST_CASE("a name alone gets the given domain, or is refused") {
  CHECK(reprinted("root", "Host.Example") == "root@host.example");
  CHECK(reprinted("root") == "error: 'root' is not an address: it has no domain");
  CHECK(reprinted("\"odd name\"", "h.example") == "\"odd name\"@h.example");
}

TEST_CASE("what is no address says why") {
  CHECK(reprinted("a@b@c") == "error: 'a@b@c' is not an address: it has two @");
  CHECK(reprinted(std::string(390, 'a') + "@b.example").find("it is 400 bytes long, 254 are allowed") != std::string::npos);
  CHECK(reprinted(std::string(65, 'a') + "@b.example").find("its local part is 65 bytes long") != std::string::npos);
  CHECK(reprinted("a@" + std::string(64, 'b')).find("longer than 63") != std::string::npos);
  for (const char* bad : {"", "<>", "@", "a@", "@b", "a b@c", "a@b c", "a@b..c", "a@.b", "a@b.", "a@-b", "a@b-", "a@[", "a@[1.2.3]",
                          "a@[1.2.3.256]", "a@[1.2.3.4", "\"a@b.example", "\"a\"b@c.example", "a\r\nRCPT TO:<x@y>@b", "a@b\rc", "a,b@c",
                          "<a@b", "a@b>", "(c)a@b"}) {
    CAPTURE(bad);
    CHECK(reprinted(bad).starts_with("error"));
  }
  CHECK(reprinted(std::string_view("a\0b@c", 5)).starts_with("error"));
}

TEST_CASE("the null sender") {
  CHECK_FALSE(parse_reverse_path("<>")->has_value());
  CHECK_FALSE(parse_reverse_path("")->has_value());
  CHECK((*parse_reverse_path("root", "h.example"))->domain == "h.example");
  CHECK_FALSE(parse_reverse_path("a@b@c"));
}

TEST_CASE("address lists of a header") {
  CHECK(list("") == "");
  CHECK(list("a@b.example, C <c@D.example>,, \"e, f\" <e@f.example>") == "a@b.example c@d.example e@f.example");
  CHECK(list("A (with, (nested) \\) comment) Group: x@y.example, Z <z@y.example>; , k@l.example") == "x@y.example z@y.example k@l.example");
  CHECK(list("undisclosed-recipients:;") == "");
  CHECK(list("a@b.example,\r\n\tc@d.example,\r\n e@f.example") == "a@b.example c@d.example e@f.example");
  CHECK(list("root, Postmaster <postmaster>") == "root@here.example postmaster@here.example");
  CHECK(list("a @ b . example, <@r.example:c @ d.example>") == "a@b.example c@d.example");
  CHECK(list("\"quoted local\"@b.example, x@[192.0.2.1]") == "\"quoted local\"@b.example x@[192.0.2.1]");
  CHECK(list("a@b.example (Alice)") == "a@b.example");
  CHECK(list("=?utf-8?q?Gr=C3=BC=C3=9Fe?= <g@b.example>") == "g@b.example");
}

TEST_CASE("broken address lists name the entry") {
  CHECK(list("a@b.example, John Smith").find("'John Smith'") != std::string::npos);
  for (const char* bad : {"<a@b.example", "a@b.example>", "(open", "\"open", "<a@b.example> <c@d.example>", "g: h: a@b.example;", "<>",
                          "a@b@c.example", "a@b.example c@d.example"}) {
    CAPTURE(bad);
    CHECK(list(bad).starts_with("error"));
  }
}

TEST_CASE("deep and long lists take linear time") {
  std::string nested = std::string(100'000, '(') + std::string(100'000, ')') + "a@b.example";
  CHECK(list(nested) == "a@b.example");
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "x@y.example, ";
  CHECK(parse_address_list(many)->size() == 20'000);
}

TEST_CASE("the more specific pattern wins") {
  CHECK(match_domain("example.com", "EXAMPLE.com"));
  CHECK_FALSE(match_domain("example.com", "a.example.com"));
  CHECK(match_domain("*.example.com", "a.b.Example.com"));
  CHECK_FALSE(match_domain("*.example.com", "example.com"));
  CHECK_FALSE(match_domain("*.example.com", "badexample.com"));
  CHECK(*match_domain("*", "anything") == 0);
  CHECK(*match_domain("*", "b.a.example") < *match_domain("*.example", "b.a.example"));
  CHECK(*match_domain("*.example", "b.a.example") < *match_domain("*.a.example", "b.a.example"));
  CHECK(*match_domain("*.a.example", "b.a.example") < *match_domain("b.a.example", "b.a.example"));
}
