// SPDX-License-Identifier: MIT
// Our sender against our receiver, with nothing between them but a line that can be cut anywhere.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr std::size_t kNever = static_cast<std::size_t>(-1);

struct Line {
  std::size_t up_most = kNever;    ///< bytes that get through before the line is cut
  std::size_t down_most = kNever;
  std::size_t piece = 4096;        ///< how many bytes arrive at a time
};

struct Session {
  ClientLog client;
  ServerLog server;
};

Session run(FakeSource& source, const SmtpClientOptions& client_opts, const SmtpServerOptions& server_opts, Line line, bool accepts = true) {
  Session s;
  s.server.accepts = accepts;
  SmtpClient client(client_opts, source);
  SmtpServer server(server_opts);
  std::int64_t now = 0;
  client.start(at(now));
  server.start(at(now));
  std::size_t up = 0;
  std::size_t down = 0;
  bool cut = false;
  while (true) {
    ++now;
    s.client.drain(client);
    s.server.drain(server, at(now));
    const std::size_t up_now = std::min({s.client.written.size(), up + line.piece, line.up_most});
    const std::size_t down_now = std::min({s.server.written.size(), down + line.piece, line.down_most});
    if (up_now > up) server.on_bytes(std::string_view(s.client.written).substr(up, up_now - up), at(now));
    s.server.drain(server, at(now));
    if (down_now > down) client.on_bytes(std::string_view(s.server.written).substr(down, down_now - down), at(now));
    s.client.drain(client);
    const bool moved = up_now != up || down_now != down;
    up = up_now;
    down = down_now;
    client.on_writable(65536 - std::min<std::size_t>(s.client.written.size() - up, 65536), at(now));
    s.client.drain(client);
    const bool at_cut = up == line.up_most || down == line.down_most;
    if (!cut && at_cut && !moved) {
      cut = true;
      server.on_closed(at(now));
      s.server.drain(server, at(now));
      client.on_closed(at(now));
      s.client.drain(client);
    }
    if (s.client.finished && up == s.client.written.size()) server.on_closed(at(now));
    s.server.drain(server, at(now));
    if (s.client.finished && s.server.finished) return s;
    if (!moved && !cut && up == s.client.written.size() && down == s.server.written.size()) {
      FAIL("both wait for ever; client wrote " << s.client.written.substr(s.client.written.size() < 200 ? 0 : s.client.written.size() - 200));
      return s;
    }
  }
}

std::string message(int n, std::size_t size) {
  std::string content = "Subject: number " + std::to_string(n) + "\r\nMessage-ID: <" + std::to_string(n) + "@here.example>\r\n\r\n";
  while (content.size() < size) content += ".line with a dot\r\n..two\r\n.\r\nplain\r\n";
  return content;
}

void fill(FakeSource& source, int count, std::size_t size) {
  for (int n = 0; n < count; ++n) source.add("m" + std::to_string(n), {"bob@far.example"}, message(n, size));
}

struct Mode {
  const char* name;
  bool pipelining;
  bool chunking;
};
constexpr Mode kModes[] = {{"lock-step", false, false}, {"chained", true, false}, {"streamed", true, true}, {"chunks in lock-step", false, true}};

SmtpClientOptions options_of(const Mode& mode, int window = 1) {
  SmtpClientOptions options = client_options();
  options.pipelining = mode.pipelining;
  options.chunking = mode.chunking;
  options.window.messages = window;
  options.stream = window == 1;   // it makes a difference there alone
  return options;
}

}  // namespace

TEST_CASE("messages arrive as they were sent, in every mode and in pieces of any size") {
  for (const Mode& mode : kModes) {
    for (const std::size_t piece : {1, 2, 3, 7, 100, 100000}) {
      CAPTURE(mode.name);
      CAPTURE(piece);
      FakeSource source;
      source.largest_read = piece;
      fill(source, 5, 600);
      source.add("empty", {"bob@far.example", "carol@sub.far.example"}, "");
      source.add("high", {"bob@far.example"}, "Subject: \xC3\xBC\r\n\r\nz\xFC\r\n", "");
      Line line;
      line.piece = piece;
      const Session s = run(source, options_of(mode, 3), server_options(), line);
      CHECK_FALSE(s.client.finished->error);
      CHECK(s.server.finished->quit);
      REQUIRE(s.server.delivered.size() == 7);
      for (std::size_t i = 0; i < 7; ++i) {
        const std::string& content = source.contents[source.queue[i].id];
        CHECK(without_received(s.server.delivered[i].content) == content);
        CHECK(s.server.delivered[i].sender == source.queue[i].sender);
        CHECK(s.server.delivered[i].recipients == source.queue[i].recipients);
        CHECK(s.client.last_results.at(source.queue[i].id) == 1);
        CHECK(s.client.outcome(source.queue[i].id) == Outcome::sent);
      }
      CHECK(s.server.delivered[6].eight_bit);
    }
  }
}

TEST_CASE("the same bytes in any pieces give the same bytes back") {
  for (const Mode& mode : kModes) {
    std::string reference;
    for (const std::size_t piece : {100000, 1, 5, 64}) {
      FakeSource source;
      fill(source, 6, 300);
      SmtpClient client(options_of(mode, 2), source);
      ClientLog log;
      client.start(at(0));
      for (const std::string_view hello : {"220 far.example\r\n", "250-far.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n"}) {
        for (std::size_t i = 0; i < hello.size(); i += piece) client.on_bytes(hello.substr(i, piece), at(1));
        log.drain(client);
      }
      std::string replies;
      for (int n = 0; n < 6; ++n) {
        replies += "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n";
        replies += mode.chunking ? "250 2.0.0 Ok\r\n" : "354 Go\r\n250 2.0.0 Ok\r\n";
        replies += mode.pipelining || mode.chunking ? "250 2.0.0 Ok\r\n" : "";   // RSET
      }
      for (std::size_t i = 0; i < replies.size(); i += piece) {
        client.on_bytes(replies.substr(i, piece), at(1));
        log.drain(client);
      }
      REQUIRE(log.finished);
      if (reference.empty()) reference = log.written;
      CHECK(log.written == reference);
    }
  }
}

TEST_CASE("a line cut after any byte loses nothing, and doubles only what was in doubt") {
  for (const Mode& mode : kModes) {
    for (const int window : {1, 3}) {
      for (const bool downwards : {false, true}) {
        bool reached_end = false;
        for (std::size_t k = 0; !reached_end; ++k) {
          CAPTURE(mode.name);
          CAPTURE(window);
          CAPTURE(k);
          FakeSource source;
          fill(source, 4, 120);
          Line line;
          (downwards ? line.down_most : line.up_most) = k;
          const Session first = run(source, options_of(mode, window), server_options(), line);
          reached_end = !first.client.finished->error;
          std::map<std::string, int> copies;
          for (const Deliver& d : first.server.delivered) ++copies[without_received(d.content)];

          FakeSource again;
          std::set<std::string> doubtful;
          for (const auto& [id, recipients] : first.client.results) {
            const RecipientResult& result = recipients.begin()->second;
            REQUIRE(result.outcome != Outcome::refused);
            CHECK(first.client.last_results.at(id) == 1);
            if (result.outcome == Outcome::in_doubt) doubtful.insert(id);
            if (result.outcome == Outcome::sent) CHECK(copies[source.contents[id]] == 1);
            if (result.outcome == Outcome::not_tried) CHECK(copies[source.contents[id]] == 0);
            if (result.outcome != Outcome::sent) again.add(id, {"bob@far.example"}, source.contents[id]);
          }
          CHECK(doubtful.size() <= static_cast<std::size_t>(mode.chunking ? std::max(window, 4) : 1));
          for (std::size_t i = source.given; i < source.queue.size(); ++i) {
            again.add(source.queue[i].id, {"bob@far.example"}, source.contents[source.queue[i].id]);
          }
          const Session second = run(again, options_of(mode, 1), server_options(), {});
          for (const Deliver& d : second.server.delivered) ++copies[without_received(d.content)];
          for (const auto& [id, content] : source.contents) {
            CHECK(copies[content] >= 1);
            CHECK(copies[content] <= (doubtful.contains(id) ? 2 : 1));
          }
        }
      }
    }
  }
}

TEST_CASE("ten thousand random cuts lose nothing, and double only what was in doubt") {
  std::mt19937 chance(20261126);
  const auto up_to = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(chance); };
  int cuts = 0;
  int twice = 0;
  for (int round = 0; cuts < 10'000; ++round) {
    const Mode& mode = kModes[up_to(3)];
    SmtpClientOptions options = options_of(mode, static_cast<int>(1 + up_to(5)));
    std::map<std::string, std::string> contents;
    for (std::size_t n = 0; n <= up_to(5); ++n) contents["m" + std::to_string(n)] = message(static_cast<int>(n), up_to(300));
    std::map<std::string, std::string> waiting = contents;
    std::map<std::string, int> copies, doubts;
    CAPTURE(mode.name);
    CAPTURE(round);
    while (!waiting.empty()) {
      FakeSource source;
      std::size_t bytes = 300;
      for (const auto& [id, content] : waiting) {
        source.add(id, {"bob@far.example"}, content, id + "@here.example");
        bytes += content.size() + 120;
      }
      Line line;
      line.piece = 1 + (up_to(3) == 0 ? up_to(30) : up_to(2000));
      if (up_to(9) != 0) line.up_most = up_to(bytes);
      if (up_to(1) != 0) line.down_most = up_to(150 + 110 * waiting.size());
      const Session s = run(source, options, server_options(), line);
      cuts += s.client.finished->error.has_value();
      options.window = s.client.finished->window;
      for (const Deliver& d : s.server.delivered) {
        const std::string id = d.sender.substr(0, d.sender.find('@'));
        ++copies[id];
        REQUIRE(without_received(d.content) == contents.at(id));
      }
      std::size_t doubtful = 0;
      for (const auto& [id, recipients] : s.client.results) {
        REQUIRE(s.client.last_results.at(id) == 1);
        const Outcome outcome = recipients.begin()->second.outcome;
        if (outcome == Outcome::in_doubt) ++doubts[id], ++doubtful;
        else REQUIRE((outcome == Outcome::sent || outcome == Outcome::not_tried));
        if (outcome != Outcome::sent) continue;
        REQUIRE(copies[id] >= 1);
        waiting.erase(id);
      }
      // A cut has halved the window that was in use.
      REQUIRE(doubtful <= static_cast<std::size_t>(mode.chunking && mode.pipelining ? 2 * options.window.messages + 1 : 1));
    }
    for (const auto& [id, content] : contents) {
      REQUIRE(copies[id] >= 1);
      REQUIRE(copies[id] <= 1 + doubts[id]);
      twice += copies[id] > 1;
    }
  }
  CHECK(twice > 100);  // the cuts did fall where it hurts
}

TEST_CASE("a large message goes through a small window of memory") {
  for (const Mode& mode : kModes) {
    CAPTURE(mode.name);
    FakeSource source;
    source.add("big", {"bob@far.example"}, message(1, 900'000));
    source.add("small", {"bob@far.example"}, message(2, 100));
    const Session s = run(source, options_of(mode), server_options(), {});
    CHECK(s.client.largest_write <= 65536);
    CAPTURE(s.client.results.at("big").begin()->second.text);
    REQUIRE(s.server.delivered.size() == 2);
    CHECK(without_received(s.server.delivered[0].content) == source.contents["big"]);
  }
}

TEST_CASE("a full disk at the far end defers every message, and says so") {
  for (const Mode& mode : kModes) {
    FakeSource source;
    fill(source, 3, 200);
    const Session s = run(source, options_of(mode, 2), server_options(), {}, false);
    CHECK_FALSE(s.client.finished->error);
    for (int n = 0; n < 3; ++n) {
      const RecipientResult& r = s.client.results.at("m" + std::to_string(n)).begin()->second;
      CHECK(r.outcome == Outcome::deferred);
      CHECK(r.code == 452);
      CHECK(r.enhanced == "4.3.1");
      CHECK(r.text == "disk full");
    }
  }
}

TEST_CASE("a refused recipient does not disturb the messages behind it") {
  for (const Mode& mode : kModes) {
    for (const int window : {1, 5}) {
      CAPTURE(mode.name);
      FakeSource source;
      source.add("a", {"x@elsewhere.example"}, message(1, 200));
      source.add("b", {"bob@far.example", "y@elsewhere.example"}, message(2, 200), "second@here.example");
      source.add("c", {"bob@far.example"}, message(3, 200), "third@here.example");
      const Session s = run(source, options_of(mode, window), server_options(), {});
      CHECK(s.client.outcome("a") == Outcome::refused);
      CHECK(s.client.results.at("a").begin()->second.enhanced == "5.7.1");
      CHECK(s.client.results.at("b").at("bob@far.example").outcome == Outcome::sent);
      CHECK(s.client.results.at("b").at("y@elsewhere.example").outcome == Outcome::refused);
      CHECK(s.client.outcome("c") == Outcome::sent);
      REQUIRE(s.server.delivered.size() == 2);
      CHECK(s.server.delivered[0].sender == "second@here.example");
      CHECK(s.server.delivered[1].sender == "third@here.example");
    }
  }
}

TEST_CASE("200 small messages to a peer that is known take two round trips") {
  FakeSource source;
  fill(source, 200, 250);
  SmtpClientOptions options = options_of(kModes[2], 201);
  options.window.bytes = 1'000'000;
  Line line;
  line.piece = 1'000'000;
  const Session s = run(source, options, server_options(), line);
  CHECK(s.server.delivered.size() == 200);
  CHECK(s.client.finished->traffic.round_trips <= 3);  // EHLO's included
  CHECK(s.client.finished->window.messages > 200);
}
