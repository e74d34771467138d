// SPDX-License-Identifier: MIT
#include "mail/batch_smtp.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

struct BatchWorld {
  std::vector<Deliver> got;
  std::optional<Error> fails;
  BatchReader reader{options(), [this](Deliver&& message) -> Result<std::string> {
                       if (fails) return *fails;
                       got.push_back(std::move(message));
                       return std::string("id");
                     }};
  static SmtpServerOptions options() {
    SmtpServerOptions out;
    out.host = "here.example";
    out.local_domains = {"*.example"};
    out.size_limit = 1000;
    return out;
  }
  Result<void> read(std::string_view text, std::size_t piece = std::string_view::npos) {
    piece = std::min(piece, text.size());
    for (std::size_t i = 0; i < text.size(); i += piece) reader.feed(text.substr(i, piece));
    return reader.finish();
  }
  // Without the Received field that the server puts on top.
  std::string body(std::size_t i) const { return got[i].content.substr(got[i].content.find("Subject:")); }
};

const std::string kBodies[] = {"Subject: 1\r\n\r\nplain\r\n", "Subject: 2\r\n\r\n.\r\n..\r\n.dot\r\n",
                               "Subject: 3\r\n\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<evil@x.example>\r\nDATA\r\n"};

std::string batch(std::size_t piece = 5) {
  BatchWriter writer;
  std::string out = writer.begin("there.example");
  for (const std::string& body : kBodies) {
    out += writer.envelope("alice@here.example", {"bob@far.example", "carol@far.example"}, true);
    for (std::size_t i = 0; i < body.size(); i += piece) out += writer.body(std::string_view(body).substr(i, piece));
    out += writer.end_message();
  }
  return out + writer.end();
}

TEST_CASE("what is written is read, at every split") {
  for (const std::size_t piece : {1, 2, 3, 5, 1000}) {
    CHECK(batch(piece) == batch());
    BatchWorld world;
    CHECK(world.read(batch(), piece));
    REQUIRE(world.got.size() == 3);
    CHECK(world.reader.taken() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(world.body(i) == kBodies[i]);
      CHECK(world.got[i].sender == "alice@here.example");
      CHECK(world.got[i].recipients == std::vector<std::string>{"bob@far.example", "carol@far.example"});
    }
  }
}

TEST_CASE("a message without a last line end gets one") {
  BatchWriter writer;
  writer.envelope("", {"b@x.example"}, false);
  writer.body("x");
  CHECK(writer.end_message() == "\r\n.\r\n");
  CHECK(writer.envelope("", {"b\xc3\xa9@x.example"}, false) == "MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<b\xc3\xa9@x.example>\r\nDATA\r\n");
}

TEST_CASE("batches one after another, with LF line ends, without a greeting") {
  BatchWorld world;
  CHECK(world.read(batch() + batch()));
  CHECK(world.got.size() == 6);
  BatchWorld unix_ends;
  std::string text = batch();
  std::erase(text, '\r');
  CHECK(unix_ends.read(text, 3));
  REQUIRE(unix_ends.got.size() == 3);
  CHECK(unix_ends.body(1) == kBodies[1]);
  BatchWorld bare;
  CHECK(bare.read("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"));
  CHECK(bare.got.size() == 1);
}

TEST_CASE("the lines of a refused message are never commands") {
  BatchWorld world;
  const auto done = world.read(
      "EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@elsewhere.test>\r\nDATA\r\nSubject: x\r\n\r\nRSET\r\nMAIL FROM:<evil@x.example>\r\n"
      "RCPT TO:<evil@x.example>\r\nDATA\r\n.\r\nRSET\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\nSubject: y\r\n\r\n.\r\nQUIT\r\n");
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::refused);
  CHECK(done.error().what.find("line 3") != std::string::npos);
  REQUIRE(world.got.size() == 1);
  CHECK(world.got[0].recipients == std::vector<std::string>{"c@x.example"});
  CHECK(world.reader.refused() == 1);
}

TEST_CASE("one refused recipient leaves the message to the others") {
  BatchWorld world;
  const auto done = world.read("EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@elsewhere.test>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n\r\n.\r\n");
  REQUIRE_FALSE(done);
  CHECK(world.got.size() == 1);
  CHECK(world.reader.refused() == 0);
}

TEST_CASE("BDAT in a batch") {
  BatchWorld world;
  CHECK(world.read("EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 5\r\nSubjeBDAT 9 LAST\r\nct: x\r\n\r\nMAIL FROM:<a@x.example>\r\n"
                   "RCPT TO:<b@x.example>\r\nBDAT 0 LAST\r\n",
                   4));
  CHECK(world.got.size() == 2);
  CHECK(world.reader.taken() == 2);
}

TEST_CASE("what is no batch") {
  for (const std::string_view text : {std::string_view(""), std::string_view("\r\n"), std::string_view("hello world\r\nand more\r\n"),
                                      std::string_view("From: a@b\nSubject: x\n\nbody\n"), std::string_view("BDAT x\r\n")}) {
    BatchWorld world;
    const auto done = world.read(text);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::malformed);
    CHECK(world.got.empty());
  }
  BatchWorld endless;
  const auto done = endless.read(std::string(1 << 20, 'x'));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::malformed);
}

TEST_CASE("a batch that ends within a message") {
  const std::string text = batch();
  // Where each message's final dot is read.
  std::size_t ends[3] = {};
  for (std::size_t i = 0, at = 0; i < 3; ++i) ends[i] = at = text.find("\r\n.\r\n", at + 1) + 5;
  for (std::size_t end = 0; end < text.size(); ++end) {
    BatchWorld world;
    const std::string_view part = std::string_view(text).substr(0, end);
    const auto done = world.read(part);
    // Whole messages are taken; half ones never, and the status says so.
    const std::size_t whole = static_cast<std::size_t>(std::count_if(std::begin(ends), std::end(ends), [&](std::size_t at) { return at <= end; }));
    REQUIRE(world.got.size() == whole);
    for (std::size_t i = 0; i < whole; ++i) CHECK(world.body(i) == kBodies[i]);
    const std::size_t data = part.rfind("\r\nDATA\r\n");
    const bool within = data != std::string_view::npos && whole < 3 && (whole == 0 || data > ends[whole - 1] - 4);
    if (within) CHECK((!done && done.error().code == Errc::malformed));
  }
}

TEST_CASE("a store that fails") {
  BatchWorld world;
  world.fails = Error(Errc::disk_full, "disk full");
  const auto done = world.read(batch());
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::disk_full);
  CHECK(world.reader.refused() == 3);
  CHECK(world.reader.taken() == 0);
}

TEST_CASE("a message that is too large is passed over") {
  BatchWorld world;
  const auto done = world.read("EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n" + std::string(3000, 'x') +
                               "\r\n.\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n\r\n.\r\n");
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::refused);
  CHECK(world.got.size() == 1);
}

}  // namespace
}  // namespace longline::mail
