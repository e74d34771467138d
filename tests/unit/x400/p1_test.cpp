// SPDX-License-Identifier: MIT
#include "x400/p1.hpp"

#include <doctest/doctest.h>

#include "p1_samples.hpp"
#include "x400/p1_reader.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

std::string sample_message(std::string_view content) { return message_prefix(sample_envelope(), content.size()) + std::string(content); }

/// In pieces; the error, or the content.
std::string read_in_pieces(std::string_view bytes, std::size_t piece) {
  P1Reader reader;
  std::string content;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    if (const auto fed = reader.feed(bytes.substr(i, piece)); !fed) return "error: " + fed.error().what;
    content += reader.take_content();
  }
  if (const auto end = reader.finish(); !end) return "error: " + end.error().what;
  if (reader.report() != nullptr) return *reader.report() == sample_report() ? "the report" : "another report";
  REQUIRE(reader.message() != nullptr);
  CHECK(*reader.message() == sample_envelope());
  return content;
}

std::string error_of(std::string_view bytes) {
  const auto read = read_transfer(bytes);
  return read ? "" : read.error().what;
}

}  // namespace

TEST_CASE("a message comes back, in every form and at every split") {
  const std::string content = "Subject: x\r\n\r\nhello\r\n";
  const std::string message = sample_message(content);
  const std::string bare(BerReader::only(message)->children()->at(1).content);
  for (const std::string& form : {message, bare, indefinite(message), indefinite(message, 1), indefinite(message, 7), indefinite(message, 4000)}) {
    for (std::size_t piece = 1; piece < 20; ++piece) CHECK(read_in_pieces(form, piece) == content);
    for (std::size_t at = 0; at <= form.size(); ++at) {
      P1Reader reader;
      REQUIRE(reader.feed(std::string_view(form).substr(0, at)));
      if (at < form.size()) {
        P1Reader cut = reader;
        CHECK(!cut.finish());
        CHECK(!cut.feed(form));
      }
      REQUIRE(reader.feed(std::string_view(form).substr(at)));
      REQUIRE(reader.finish());
      CHECK(reader.take_content() == content);
    }
    CHECK(error_of(form + '\0') == "P1: bytes behind the APDU");
  }
  CHECK(read_in_pieces(sample_message(""), 5).empty());
}

TEST_CASE("a report comes back, in every form and at every split") {
  const std::string report = encode_report(sample_report());
  for (const std::string& form : {report, indefinite(report), std::string(BerReader::only(report)->children()->at(1).content)}) {
    for (std::size_t piece = 1; piece < 40; ++piece) CHECK(read_in_pieces(form, piece) == "the report");
    for (std::size_t at = 0; at < form.size(); ++at) CHECK(error_of(form.substr(0, at)) == "P1: the transfer ends before its APDU");
  }
}

TEST_CASE("a report may return a content, up to a size") {
  Report report = sample_report();
  report.returned_content = std::string(6u << 20, 'c');
  const auto read = read_transfer(encode_report(report));
  REQUIRE(read);
  CHECK(read->report == report);
  report.returned_content = std::string(17u << 20, 'c');
  CHECK(error_of(encode_report(report)) == "P1: [1] of 17826348 bytes, at most 16777216 are taken");
}

TEST_CASE("the head is known before the content, which is not kept") {
  const std::string content(1000, 'x');
  const std::string prefix = message_prefix(sample_envelope(), 50u << 20);
  P1Reader reader;
  REQUIRE(reader.feed(prefix));
  REQUIRE(reader.message() != nullptr);
  CHECK(reader.content_size() == 50u << 20);
  REQUIRE(reader.feed(content));
  CHECK(reader.take_content() == content);
  CHECK(reader.take_content().empty());
  CHECK(!reader.finish());
}

TEST_CASE("an octet-aligned EXTERNAL holds the same") {
  const std::string message = sample_message("hi");
  const std::string apdu(BerReader::only(message)->children()->at(1).content);
  BerWriter w;
  w.constructed(tags::kExternal, [&] {
    w.oid("2.6.0.2.7");
    w.integer(5);
    w.octets(apdu, context(1));
  });
  CHECK(read_in_pieces(w.bytes(), 3) == "hi");
}

TEST_CASE("what is no transfer says why") {
  CHECK(error_of("") == "P1: the transfer ends before its APDU");
  CHECK(error_of(std::string("\xa2\x00", 2)) == "P1: a probe; probes are not answered");
  CHECK(read_transfer(std::string("\xa2\x00", 2)).error().code == Errc::refused);
  CHECK(error_of(std::string("\xa3\x00", 2)) == "P1: [3] is no MTS-APDU");
  CHECK(error_of(std::string("\x30\x00", 2)) == "P1: SEQUENCE is no MTS-APDU");
  CHECK(error_of(std::string("\xa0\x02\x30\x00", 4)) == "P1: a message whose envelope is SEQUENCE, not a SET");
  CHECK(error_of(std::string("\xa0\x02\x31\x00", 4)) == "BER: an envelope without its [APPLICATION 4]");
  CHECK(error_of(std::string("\xa0\x04\x31\x7f\x00\x00", 6)) == "P1: an element is longer than what it is in");
  CHECK(error_of(std::string("\xa0\x80\x31\x84\xff\xff\xff\xff", 8)) == "P1: SET of 4294967295 bytes, at most 4194304 are taken");
  CHECK(error_of(std::string("\x28\x80\x02\x84\xff\xff\xff\xff", 8)) == "P1: an EXTERNAL whose encoding is not there");
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += std::string("\x31\x80", 2);
  CHECK(error_of(std::string("\xa0\x80", 2) + deep) == "P1: elements are nested too deeply");
  CHECK(error_of(std::string("\xa0\x80\x31\x80", 4) + std::string(5u << 20, '\x05')).starts_with("P1: an envelope or a report of more"));
  // Pieces within pieces, without end.
  std::string pieces = message_prefix(sample_envelope(), 0);
  pieces.resize(pieces.size() - 2);
  std::string outer = indefinite(sample_message("x"));
  outer.resize(outer.size() - 9);
  for (int i = 0; i < 10'000; ++i) outer += std::string("\x24\x80", 2);
  CHECK(error_of(outer) == "P1: elements are nested too deeply");
}

TEST_CASE("1984's extras and what is not known are skipped") {
  const std::string message = sample_message("x");
  const auto apdu = BerReader::only(message)->children()->at(1).child();
  const auto parts = apdu->children();
  BerWriter w;
  w.constructed(context(0), [&] {
    w.constructed(tags::kSet, [&] {
      w.raw((*parts)[0].content);
      w.constructed(application(5), [&] { w.bits({"\x20", 0}, context(0)); });      // encoded information types
      w.constructed(context(1), [&] { w.null(); });                                // bilateral information
      w.null(context(99));
    });
    w.octets("x");
  });
  CHECK(read_in_pieces(w.bytes(), 100) == "x");
}

TEST_CASE("content types") {
  for (const ContentType& type : {ContentType{0, ""}, ContentType{22, ""}, ContentType{0, "1.2.840.113556.4.2"}}) {
    MessageEnvelope envelope = sample_envelope();
    envelope.content_type = type;
    const auto read = read_transfer(message_prefix(envelope, 1) + "x");
    REQUIRE(read);
    REQUIRE(read->message);
    CHECK(read->message->content_type == type);
  }
  CHECK(to_string(ContentType{22, ""}) == "22 (P22)");
  CHECK(to_string(ContentType{77, ""}) == "77");
}

TEST_CASE("names longer than X.411 allows are cut when they are written, not refused") {
  MessageEnvelope envelope = sample_envelope();
  envelope.id.local = std::string(40, 'i');
  envelope.content_id = "a_b" + std::string(20, 'c');
  envelope.internal_trace[0].mta = std::string(40, 'm');
  const auto read = read_transfer(message_prefix(envelope, 0));
  REQUIRE(read);
  CHECK(read->message->id.local == std::string(32, 'i'));
  CHECK(read->message->content_id == "a?b" + std::string(13, 'c'));
  CHECK(read->message->internal_trace[0].mta == std::string(32, 'm'));
}
