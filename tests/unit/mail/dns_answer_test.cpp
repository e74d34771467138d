// SPDX-License-Identifier: MIT
#include "mail/dns_answer.hpp"

#include <doctest/doctest.h>

using namespace std::string_literals;

namespace longline::mail {
namespace {

std::string two(int value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

std::string name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    out += static_cast<char>(dot);
    out += text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out + '\0';
}

std::string record(std::string owner, int type, const std::string& data) {
  return std::move(owner) + two(type) + two(1) + "\0\0\0<"s + two(static_cast<int>(data.size())) + data;
}

std::string dns_message(int answers, int authorities, int additional, const std::string& records) {
  return "id\x81\x80"s + two(1) + two(answers) + two(authorities) + two(additional) + name("example.com") + two(15) + two(1) + records;
}

const std::string kPointer = "\xC0\x0C"s;   // the question's name

TEST_CASE("mail exchangers and the addresses that came with them, names compressed") {
  const std::string answer =
      dns_message(2, 1, 2,
              record(kPointer, 15, two(20) + "\4mail"s + kPointer) + record(kPointer, 15, two(10) + name("MX.Example.net")) +
                  record(kPointer, 2, name("ns.example.com")) + record(name("mx.example.net"), 1, "\xC0\0\2\5"s) +
                  record(name("mx.example.net"), 28, "\x20\1\r\xB8\0\0\0\0\0\0\0\0\0\0\0\5"s));
  const auto parsed = parse_dns_answer(answer);
  REQUIRE(parsed);
  REQUIRE(parsed->exchangers.size() == 2);
  CHECK(parsed->exchangers[0].preference == 20);
  CHECK(parsed->exchangers[0].host == "mail.example.com");
  CHECK(parsed->exchangers[1].host == "mx.example.net");
  CHECK(parsed->addresses.empty());
  CHECK(parsed->additional.at("mx.example.net") == std::vector<std::string>{"192.0.2.5", "2001:db8:0:0:0:0:0:5"});
  // Cut after every byte: what came whole counts, nothing else happens.
  for (std::size_t n = 0; n < answer.size(); ++n) {
    const auto cut = parse_dns_answer(std::string_view(answer).substr(0, n));
    if (n < 12 + 13 + 4) CHECK_FALSE(cut);
    else CHECK(cut->exchangers.size() <= 2);
  }
}

TEST_CASE("addresses of the answer, behind an alias too") {
  const auto parsed = parse_dns_answer(dns_message(2, 0, 0, record(kPointer, 5, name("x.example")) + record(name("x.example"), 1, "\x7F\0\0\1"s)));
  REQUIRE(parsed);
  CHECK(parsed->addresses == std::vector<std::string>{"127.0.0.1"});
  CHECK(parsed->additional.empty());
}

TEST_CASE("what no server should send") {
  CHECK_FALSE(parse_dns_answer(""));
  CHECK_FALSE(parse_dns_answer("id\1\0\0\1\0\0\0\0\0\0"s + name("a.b") + two(15) + two(1)));   // a query
  // A pointer to itself, one forward, two that point at each other.
  for (const std::string& evil : {"\xC0\x1D"s, "\xC0\xFF"s, "\xC0\x1F\xC0\x1D"s, "\xFF"s, "\x3F"s}) {
    const auto parsed = parse_dns_answer(dns_message(1, 0, 0, evil + two(15) + two(1) + "\0\0\0<"s + two(4) + two(1) + kPointer));
    REQUIRE(parsed);
    CHECK(parsed->exchangers.empty());
  }
  // Names that no host has: passed over, the next record counts.
  const auto parsed = parse_dns_answer(dns_message(3, 0, 0,
                                               record(kPointer, 15, two(1) + name("evil\x1b[2J.example")) +
                                                   record(kPointer, 15, two(1) + name("a b.example")) + record(kPointer, 15, two(2) + name("ok.example"))));
  REQUIRE(parsed);
  REQUIRE(parsed->exchangers.size() == 1);
  CHECK(parsed->exchangers[0].host == "ok.example");
  // A data length that does not fit its name.
  CHECK(parse_dns_answer(dns_message(1, 0, 0, record(kPointer, 15, two(1) + name("ok.example") + "x")))->exchangers.empty());
  std::string many;
  for (int i = 0; i < 2'000; ++i) many += record(kPointer, 15, two(1) + kPointer);
  CHECK(parse_dns_answer(dns_message(2'000, 0, 0, many))->exchangers.size() == 64);
}

TEST_CASE("the route of a domain's mail") {
  using Hosts = std::vector<std::string>;
  CHECK(mail_route({{20, "b"}, {10, "a"}, {20, "b"}, {30, "c"}}, "").hosts == Hosts{"a", "b", "c"});
  CHECK(mail_route({}, "us").hosts.empty());
  CHECK(mail_route({{0, ""}}, "us").takes_no_mail);
  CHECK_FALSE(mail_route({{0, ""}, {5, "a"}}, "us").takes_no_mail);
  CHECK(mail_route({{0, ""}, {5, "a"}}, "us").hosts == Hosts{"a"});
  // RFC 5321, 5.1: who is no better than we are is not asked.
  CHECK(mail_route({{10, "a"}, {20, "US"}, {20, "b"}, {30, "c"}}, "us").hosts == Hosts{"a"});
  CHECK(mail_route({{10, "us"}, {20, "b"}}, "us").is_ours);
  CHECK(mail_route({{10, "us"}, {20, "b"}}, "us").hosts.empty());
}

}  // namespace
}  // namespace longline::mail
