// SPDX-License-Identifier: MIT
#include "mail/filter.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

const WallTime kFilteredAt(Duration(1'800'000'000'000));

struct FilterWorld {
  config::Config config;
  FilterWorld() {
    config::Connector hub;
    hub.name = "hub";
    hub.domains = {"example.com"};
    hub.link = "isp";
    config.connectors = {hub};
  }
  QueuedMessage message() const {
    QueuedMessage m;
    m.arrived = kFilteredAt - Duration(3'600'000);
    m.size = 2000;
    m.sender = "Alice@site7.example";
    Recipient bob, carol;
    bob.address = "bob@example.com";
    bob.state = RecipientState::deferred;
    bob.reason = "451 4.7.1 Greylisted";
    carol.address = "carol@other.example";
    m.recipients = {bob, carol};
    m.state = MessageState::ready;
    return m;
  }
  bool holds(const Filter& filter) const {
    ConnectorChoice choice(config);
    return matches(filter, message(), choice, kFilteredAt);
  }
};

TEST_CASE("globs") {
  CHECK(glob_match("*", ""));
  CHECK(glob_match("*@example.com", "bob@EXAMPLE.com"));
  CHECK(glob_match("b?b@*.com", "bob@example.com"));
  CHECK(glob_match("**a*", "xxa"));
  CHECK_FALSE(glob_match("", "a"));
  CHECK_FALSE(glob_match("b?b", "bb"));
  CHECK_FALSE(glob_match("*@example.org", "bob@example.com"));
  CHECK(glob_match(std::string(50, '*') + "b", std::string(20'000, 'a') + "b"));
}

TEST_CASE("a question mark is one character, however many bytes it has") {
  CHECK(glob_match("j?rg@*", "jörg@example.com"));
  CHECK(glob_match("j?rg@*", "j\xF6rg@example.com"));   // Latin-1: one byte that is no UTF-8
  CHECK_FALSE(glob_match("j??rg@*", "jörg@example.com"));
  CHECK(glob_match("???", "€𝄞a"));
  CHECK_FALSE(glob_match("????", "€𝄞a"));
  CHECK(glob_match("*?", "ö"));
  CHECK_FALSE(glob_match("*??", "ö"));
  CHECK_FALSE(glob_match("*??x*", "öx"));
  CHECK(glob_match("*?x", "aöx"));
  CHECK(glob_match("*ö?", "ööü"));
  // Cut, overlong and stray bytes count one each.
  CHECK(glob_match("??", "\xE2\x82"));
  CHECK(glob_match("??", "\xC0\x80"));
  CHECK(glob_match("*??", "a\xC3"));
  CHECK_FALSE(glob_match("?", "\xE2\x82"));
}

TEST_CASE("no condition matches everything") {
  CHECK(Filter().empty());
  CHECK(FilterWorld().holds(Filter()));
}

TEST_CASE("age and size") {
  const FilterWorld world;
  Filter f;
  f.older = Duration(3'600'000);
  CHECK(world.holds(f));
  f.older = Duration(3'600'001);
  CHECK_FALSE(world.holds(f));
  f = {};
  f.younger = Duration(3'600'000);
  CHECK_FALSE(world.holds(f));
  f.younger = Duration(3'600'001);
  CHECK(world.holds(f));
  f = {};
  f.larger = 1999;
  f.smaller = 2001;
  CHECK(world.holds(f));
  f.larger = 2000;
  CHECK_FALSE(world.holds(f));
}

TEST_CASE("one recipient must satisfy all that is said about recipients") {
  const FilterWorld world;
  Filter f;
  f.domain = "example.com";
  CHECK(world.holds(f));
  f.recipient = "carol@*";
  CHECK_FALSE(world.holds(f));
  f.domain = "*.example";
  CHECK(world.holds(f));
}

TEST_CASE("recipients who have their mail count where nobody waits any more") {
  const FilterWorld world;
  ConnectorChoice choice(world.config);
  Filter f;
  f.link = "isp";
  QueuedMessage m = world.message();
  CHECK(matches(f, m, choice, kFilteredAt));
  m.recipients[0].state = RecipientState::delivered;
  CHECK_FALSE(matches(f, m, choice, kFilteredAt));
  m.recipients[1].state = RecipientState::refused;
  CHECK(matches(f, m, choice, kFilteredAt));
}

TEST_CASE("those who wait and are meant are a part of a message") {
  const FilterWorld world;
  ConnectorChoice choice(world.config);
  QueuedMessage m = world.message();
  const auto meant = [&](const Filter& f) { return waiting_recipients(f, m, choice); };
  const std::vector<std::string> both = {"bob@example.com", "carol@other.example"}, bob = {"bob@example.com"}, carol = {"carol@other.example"}, none;
  CHECK(meant({}) == both);
  Filter f;
  f.sender = "alice@*";
  CHECK(meant(f) == both);
  for (const auto& [member, text] : {std::pair{&Filter::link, "isp"}, {&Filter::connector, "hub"}, {&Filter::domain, "*.com"}, {&Filter::reason, "greylist"}}) {
    f = {};
    f.*member = text;
    CHECK(meant(f) == bob);
  }
  f = {};
  f.recipient = "carol@*";
  CHECK(meant(f) == carol);
  f.link = "isp";
  CHECK(meant(f) == none);
  m.recipients[0].state = RecipientState::delivered;
  CHECK(meant({}) == carol);
  f = {};
  f.domain = "example.com";
  CHECK(meant(f) == none);
}

TEST_CASE("sender, connector, link, state, reason") {
  const FilterWorld world;
  Filter f;
  f.sender = "alice@*";
  CHECK(world.holds(f));
  f.sender = "<>";
  CHECK_FALSE(world.holds(f));
  f = {};
  f.connector = "hub";
  f.link = "isp";
  CHECK(world.holds(f));
  f.link = "other";
  CHECK_FALSE(world.holds(f));
  f = {};
  f.state = MessageState::ready;
  CHECK(world.holds(f));
  f.state = MessageState::held;
  CHECK_FALSE(world.holds(f));
  for (const char* reason : {"greylist", "451", "*listed", "no connector"}) {
    f = {};
    f.reason = reason;
    CAPTURE(reason);
    CHECK(world.holds(f));
  }
  f.reason = "tls";
  CHECK_FALSE(world.holds(f));
}

}  // namespace
}  // namespace longline::mail
