// SPDX-License-Identifier: MIT
#include "config/queue_name.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"

namespace longline::config {
namespace {

TEST_CASE("names of queues") {
  CHECK(parse_queue_name("spool")->kind == QueueKind::spool);
  CHECK(parse_queue_name("postfix")->instance.empty());
  CHECK(parse_queue_name("postfix:/etc/postfix-2")->instance == "/etc/postfix-2");
  CHECK(parse_queue_name("exim:/a:b")->instance == "/a:b");
  CHECK(to_string(parse_queue_name("exim")->kind) == "exim");
  for (const char* bad : {"", "spool:", "spool:x", "postfix:", "exim:", "Postfix", "sendmail", ":"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_queue_name(bad));
    CHECK(parse_queue_name(bad).error().code == Errc::usage);
  }
  CHECK_FALSE(parse_queue_name(std::string_view("exim:a\0b", 8)));
}

TEST_CASE("the queue of a configuration, beside its file") {
  const auto queue = [](const std::string& value) {
    const ParsedConfig parsed = parse_config({{"/etc/longline/longline.toml", "queue = \"" + value + "\"\n"}});
    return parsed.diagnostics.empty() ? parsed.config.queue : "wrong: " + parsed.diagnostics.front().code;
  };
  CHECK(queue("exim") == "exim");
  CHECK(queue("postfix:/etc/postfix-2") == "postfix:/etc/postfix-2");
  CHECK(queue("postfix:pf") == "postfix:/etc/longline/pf");
  CHECK(queue("qmail") == "wrong: bad-value");
}

}  // namespace
}  // namespace longline::config
