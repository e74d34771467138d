// SPDX-License-Identifier: MIT
#include "x400/or_name.hpp"

#include <doctest/doctest.h>

#include <random>

#include "mail/address.hpp"
#include "x400/or_name_mapping.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kMapping{"DE", "vianet", "acme", "gateway.example"};

OrName smith() {
  OrName name;
  name.country = "US";
  name.admd = "attmail";
  name.prmd = "Acme/West";
  name.organization = "Sales; EU";
  name.person = {"Smith", "Jo", "J", "III"};
  name.units = {"Branch", "Desk"};
  name.domain_attributes = {{"ID", "4=7$"}};
  name.common_name = "Jo Smith";
  return name;
}

std::string wire(const OrName& name) {
  BerWriter w;
  write_or_name(w, name);
  return w.take();
}

/// Over the wire and back.
std::string round_trip(std::string_view mailbox, const AddressMapping& mapping = kMapping) {
  const auto name = to_or_name(mailbox, mapping);
  if (!name) return "error: " + name.error().what;
  const std::string bytes = wire(*name);
  const auto element = BerReader::only(bytes);
  REQUIRE(element);
  const auto read = read_or_name(*element);
  REQUIRE(read);
  CHECK(*read == *name);
  for (const DomainAttribute& attribute : read->domain_attributes) {
    CHECK(is_printable_string(attribute.value));
    CHECK(attribute.value.size() <= 128);
  }
  const auto back = to_mailbox(*read, mapping);
  return back ? *back : "error: " + back.error().what;
}

std::string parsed(std::string_view text) {
  const auto name = parse_or_name(text);
  return name ? to_slash_text(*name) : "error: " + name.error().what;
}

}  // namespace

TEST_CASE("an O/R name on the wire") {
  OrName name;
  name.country = "DE";
  name.admd = " ";
  name.prmd = "acme";
  name.domain_attributes = {{"RFC-822", "a(a)b.example"}};
  const std::string expected(
      "\x60\x31\x30\x13\x61\x04\x13\x02" "DE\x62\x03\x13\x01 \xa2\x06\x13\x04" "acme"
      "\x30\x1a\x30\x18\x13\x07RFC-822\x13\x0d" "a(a)b.example", 51);
  CHECK(wire(name) == expected);
  name = smith();
  name.x121 = "26245";
  name.terminal_id = "T1";
  name.numeric_id = "99";
  const std::string bytes = wire(name);
  const auto read = read_or_name(*BerReader::only(bytes));
  REQUIRE(read);
  CHECK(*read == name);
}

TEST_CASE("a numeric country and strings without their inner tag") {
  OrName name;
  name.country = "262";
  CHECK(wire(name) == std::string("\x60\x09\x30\x07\x61\x05\x12\x03" "262", 11));
  // PRMD written IMPLICIT, as some do.
  const std::string bytes("\x60\x08\x30\x06\x82\x04" "acme", 10);
  CHECK(read_or_name(*BerReader::only(bytes))->prmd == "acme");
}

TEST_CASE("both text forms") {
  const OrName name = smith();
  CHECK(to_slash_text(name) == "/DD.ID=4$=7$$/G=Jo/I=J/S=Smith/GQ=III/CN=Jo Smith/OU2=Desk/OU1=Branch/O=Sales$; EU/PRMD=Acme$/West/ADMD=attmail/C=US/");
  for (const std::string& text : {to_slash_text(name), to_semicolon_text(name)}) {
    const auto read = parse_or_name(text);
    REQUIRE(read);
    CHECK(*read == name);
  }
  CHECK(parsed("c=de; a= ; p=acme; dda.rfc-822=x(a)y.example") == "/DD.rfc-822=x(a)y.example/PRMD=acme/ADMD= /C=de/");
  CHECK(parsed("/S=Smith/OU=a/OU=b/O=Acme") == "/S=Smith/OU2=b/OU1=a/O=Acme/");
}

TEST_CASE("what is no O/R name says why") {
  CHECK(parsed("") == "error: '' is not an O/R name: it has no attributes");
  CHECK(parsed("/") == "error: '/' is not an O/R name: it has no attributes");
  CHECK(parsed("/S=Smith/S=Jones/") == "error: '/S=Smith/S=Jones/' is not an O/R name: S is given twice");
  CHECK(parsed("/S=/") == "error: '/S=/' is not an O/R name: S has no value");
  CHECK(parsed("/Smith/") == "error: '/Smith/' is not an O/R name: an attribute without '='");
  CHECK(parsed("/OU5=x/") == "error: '/OU5=x/' is not an O/R name: units are OU1 to OU4");
  CHECK(parsed("/OU2=x/") == "error: '/OU2=x/' is not an O/R name: a unit is missing before another");
  CHECK(parsed("/ZZ=x/") == "error: '/ZZ=x/' is not an O/R name: 'ZZ' is not the keyword of an attribute");
  CHECK(parsed("/DD.=x/").starts_with("error"));
  CHECK(parsed("/S=a\x1b[2J/").find("\\x1B") != std::string::npos);
  CHECK(parsed("/DD.a=1/DD.b=1/DD.c=1/DD.d=1/DD.e=1/").starts_with("error"));
  CHECK(parsed('/' + std::string(5000, 'x')).starts_with("error"));
  // What one form takes, the wire takes too.
  CHECK(parsed("/G=" + std::string(1025, 'x') + '/').ends_with("is not an O/R name: it has an attribute of 1025 bytes"));
  CHECK(parsed("/G=" + std::string(1024, 'x') + '/').starts_with("/G=xxx"));
}

TEST_CASE("characters that a PrintableString does not have") {
  CHECK(encode_printable("jo_smith(x)@a%b!c\"d.example") == "jo(u)smith(l)x(r)(a)a(p)b(b)c(q)d.example");
  CHECK(encode_printable("a#b") == "a(035)b");
  CHECK(decode_printable("x(A)y(035)(zz)(999)(") == "x@y#(zz)(999)(");
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  CHECK(is_printable_string(encode_printable(all)));
  CHECK(decode_printable(encode_printable(all)) == all);
}

TEST_CASE("every address that mail takes comes back") {
  const std::string long_local = std::string(64, 'l') + '@' + std::string(60, 'a') + '.' + std::string(60, 'b') + '.' + std::string(60, 'c') + ".ex";
  for (const std::string& mailbox : {std::string("jo@b.example"), std::string("\"two words\"@b.example"), std::string("\"a\\\"b\\\\c\"@b.example"),
                                     std::string("jo_smith+tag=x@b_c.example"), std::string("!#$%&'*+-/=?^_`{|}~@b.example"), std::string("x@[192.0.2.7]"),
                                     std::string("x@[ipv6:2001:db8::1]"), std::string("\"a@b\"@c.example"), std::string("\"(a)\"@c.example"),
                                     std::string("\"<>\"@c.example"), long_local, std::string(60, '#') + "@b.example", std::string()}) {
    CAPTURE(mailbox);
    CHECK(round_trip(mailbox) == mailbox);
  }
  CHECK(to_or_name(long_local, kMapping)->domain_attributes.size() == 2);
  CHECK(to_or_name(std::string(60, '#') + "@b.example", kMapping)->domain_attributes.size() == 3);
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    mail::Address address;
    for (auto n = 1 + random() % 40; n > 0; --n) address.local += static_cast<char>(0x20 + random() % 0x5F);
    address.domain = "b.example";
    const std::string mailbox = mail::to_string(address);
    if (encode_printable(mailbox).size() > 512) continue;
    CAPTURE(mailbox);
    CHECK(round_trip(mailbox) == mailbox);
  }
}

TEST_CASE("addresses that cannot go") {
  CHECK(round_trip("gr\xC3\xBC\xC3\x9F@b.example") ==
        "error: 'gr\xC3\xBC\xC3\x9F@b.example' cannot go over X.400: an address there has no characters but ASCII's");
  CHECK(round_trip('"' + std::string(60, '#') + "\"@" + std::string(60, '_') + '.' + std::string(63, '_')).find("512 are allowed") != std::string::npos);
}

TEST_CASE("the null sender is the mailbox <>") {
  const auto name = to_or_name("", kMapping);
  REQUIRE(name);
  CHECK(to_slash_text(*name) == "/DD.RFC-822=(060)(062)/PRMD=acme/ADMD=vianet/C=DE/");
}

TEST_CASE("names of X.400 users are addresses in the gateway's domain") {
  OrName name = smith();
  name.domain_attributes.clear();
  const auto mailbox = to_mailbox(name, kMapping);
  REQUIRE(mailbox);
  CHECK(*mailbox == "\"/G=Jo/I=J/S=Smith/GQ=III/CN=Jo Smith/OU2=Desk/OU1=Branch/O=Sales$; EU/PRMD=Acme$/West/ADMD=attmail/C=US/\"@gateway.example");
  CHECK(*to_or_name(*mailbox, kMapping) == name);
  OrName near;
  near.country = "de";
  near.admd = "vianet";
  near.prmd = "ACME";
  near.person.surname = "Jones";
  CHECK(*to_mailbox(near, kMapping) == "/S=Jones/@gateway.example");
  const auto back = to_or_name("/s=Jones/@Gateway.Example", kMapping);
  REQUIRE(back);
  CHECK(back->person.surname == "Jones");
  CHECK(back->prmd == "acme");
  near.prmd = "other";
  CHECK(*to_mailbox(near, kMapping) == "/S=Jones/PRMD=other/ADMD=vianet/C=de/@gateway.example");
  CHECK(to_or_name("/s=Jones/@elsewhere.example", kMapping)->domain_attributes.size() == 1);
  CHECK(!to_or_name("/q=1/@gateway.example", kMapping));
  near.organization = std::string(300, 'o');
  CHECK(to_mailbox(near, kMapping).error().code == Errc::refused);
  near.organization = "a\r\nb";
  CHECK(to_mailbox(near, kMapping).error().code == Errc::malformed);
}

TEST_CASE("a hostile RFC-822 attribute is an error, not an address") {
  OrName name;
  for (const char* value : {"", "x", "a(a)b(013)(010)RCPT", "a(000)(a)b", "(a)b", "a(a)b(a)c", "(128)(a)b("}) {
    CAPTURE(value);
    name.domain_attributes = {{"rfc-822", value}};
    CHECK(!to_mailbox(name, kMapping));
  }
}
