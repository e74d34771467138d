// SPDX-License-Identifier: MIT
#include "x400/ipm.hpp"

#include <doctest/doctest.h>

#include "mail/message.hpp"
#include "p1_samples.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kGate{"WW", " ", "", "gate.example"};

constexpr std::string_view kPlain =
    "From: Jo <jo@site7.example>\r\nTo: ann@hub.example,\r\n \"b c\"@hub.example\r\nCc: cee@hub.example\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Message-ID: <1.2@site7.example>\r\nIn-Reply-To: <0@hub.example>\r\nReferences: <0@hub.example> <00@hub.example>\r\nImportance: High\r\n"
    "X-Odd:   spaced\t\r\n\r\nHello,\r\n\r\n.dot\r\n";

constexpr std::string_view kMultipart =
    "From: jo@site7.example\r\nSender: boss@site7.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"b=1\"\r\n\r\n"
    "preamble\r\n--b=1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9Fe you\r\n"
    "--b=1\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b=1--\r\n";

std::string ipm_content_of(std::string_view stored) {
  const IpmLayout layout = layout_ipm(stored, "env@site7.example", kGate);
  return layout.before + std::string(stored.substr(layout.from, layout.size)) + layout.after;
}

std::string back(std::string_view content, const AddressMapping& mapping = kGate) {
  const auto mail = mail_from_ipm(content, sample_envelope(), mapping, "u");
  return mail ? *mail : "error: " + mail.error().what;
}

/// heading and body of a content.
std::vector<BerElement> ipm_of(const std::string& content) {
  const auto object = BerReader::only(content);
  REQUIRE(object);
  REQUIRE(object->is(context(0)));
  const auto parts = object->children();
  REQUIRE(parts);
  REQUIRE(parts->size() == 2);
  return *parts;
}

/// A foreign message with these body parts.
template <class Body>
std::string foreign(Body&& body) {
  IpmHeading heading;
  heading.id = {parse_or_name("/S=Smith/O=Acme/PRMD=acme/ADMD=vianet/C=DE/").value(), "9701011200"};
  heading.originator = OrDescriptor{heading.id.user, "J\u00F6 \"S\" Smith"};
  heading.primary = {{*to_or_name("ann@hub.example", kGate), ""}, {std::nullopt, "Only a name"}};
  heading.subject = "\u00DCber\r\nBcc: x";
  heading.replied_to = IpmId{std::nullopt, encode_printable("<1.2@site7.example>")};
  heading.importance = Importance::low;
  heading.sensitivity = Sensitivity::company;
  heading.expiry = parse_iso8601("2026-12-01T00:00:00Z").value();
  BerWriter w;
  w.constructed(context(0), [&] {
    write_heading(w, heading);
    w.sequence([&] { body(w); });
  });
  return w.take();
}

void ia5(BerWriter& w, std::string_view text) {
  w.constructed(context(0), [&] {
    w.set([] {});
    w.primitive(tags::kIa5String, text);
  });
}

void extended(BerWriter& w, std::string_view oid, const std::string& data) {
  w.constructed(context(15), [&] {
    w.constructed(tags::kExternal, [&] {
      w.oid(oid);
      w.constructed(context(0), [&] { w.raw(data); });
    });
  });
}

std::string element(Tag tag, std::string_view text) {
  BerWriter w;
  w.primitive(tag, text);
  return w.take();
}

std::string text_of(const std::string& mail) { return std::string(mail::body_of(mail)); }

}  // namespace

TEST_CASE("plain text travels as IA5 text and comes back byte by byte") {
  const std::string content = ipm_content_of(kPlain);
  const auto parts = ipm_of(content);
  const auto body = parts[1].children();
  REQUIRE(body);
  REQUIRE(body->size() == 2);
  CHECK((*body)[0].is(context(0)));
  CHECK(*(*body)[0].children()->at(1).octets() == "Hello,\r\n\r\n.dot\r\n");
  CHECK((*body)[1].is(context(14)));
  CHECK(content.size() < kPlain.size() + 700);
  CHECK(back(content) == kPlain);
  CHECK(back(indefinite(content, 5)) == kPlain);
}

TEST_CASE("its heading says what its header says") {
  const auto heading = read_heading(ipm_of(ipm_content_of(kPlain))[0]);
  REQUIRE(heading);
  CHECK(heading->subject == "Gr\u00FC\u00DFe");
  CHECK(heading->id.local == "(060)1.2(a)site7.example(062)");
  CHECK(to_mailbox(heading->originator->name.value(), kGate) == "jo@site7.example");
  CHECK(heading->originator->free_form == "Jo");
  CHECK(heading->id.user == heading->originator->name);
  REQUIRE(heading->primary.size() == 2);
  CHECK(to_mailbox(heading->primary[1].name.value(), kGate) == "\"b c\"@hub.example");
  CHECK(heading->copy.size() == 1);
  CHECK(heading->replied_to->local == "(060)0(a)hub.example(062)");
  CHECK(heading->related.size() == 2);
  CHECK(heading->importance == Importance::high);
  CHECK(heading->authorizing.empty());
}

TEST_CASE("display names go with their addresses") {
  const std::string content = ipm_content_of(
      "From: =?utf-8?Q?J=C3=B6?= \"S., \\\"x\\\"\" (a, <b>) <jo@site7.example>\r\nTo: ann@hub.example (Ann),\r\n \"B, C\" <b@hub.example>,\r\n"
      " Friends: c@hub.example, D <d@hub.example>;, gr\xC3\xBC@hub.example, e@hub.example\r\nCc: broken <<, f@hub.example\r\n\r\nx\r\n");
  const auto heading = read_heading(ipm_of(content)[0]);
  REQUIRE(heading);
  CHECK(heading->originator->free_form == "J\u00F6 S., \"x\" (a, <b>)");
  std::string people;
  for (const OrDescriptor& person : heading->primary) people += person.free_form + '<' + to_mailbox(person.name.value(), kGate).value() + "> ";
  CHECK(people == "<ann@hub.example> B, C<b@hub.example> <c@hub.example> D<d@hub.example> <e@hub.example> ");
  CHECK(heading->copy.empty());
}

TEST_CASE("everything else goes whole, with an excerpt for those who cannot read it") {
  const std::string content = ipm_content_of(kMultipart);
  const auto parts = ipm_of(content);
  const auto body = parts[1].children();
  REQUIRE(body->size() == 2);
  CHECK(*(*body)[0].children()->at(1).octets() ==
        "gr??e you\r\n[The whole message is the next part of this one, in the form of Internet mail (RFC 5322).]\r\n");
  CHECK(back(content) == kMultipart);
  const auto heading = read_heading(parts[0]);
  CHECK(to_mailbox(heading->originator->name.value(), kGate) == "boss@site7.example");
  CHECK(heading->authorizing.size() == 1);
  CHECK(heading->id.local.starts_with("longline-"));
  const std::string eight_bit = "From: a@b.example\r\n\r\n" + std::string(10'000, '\xFC') + std::string("\0\r\r\n", 4);
  for (const std::string_view odd : {std::string_view(eight_bit), std::string_view("Subject: no body\r\n"), std::string_view("\r\n"),
                                     std::string_view("\r\nbody only\r\n"),
                                     std::string_view("Content-Type: multipart/mixed; boundary=\"\r\n\r\n--\r\n"),
                                     std::string_view("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"),
                                     std::string_view("From: broken <<\r\nTo: gr\xC3\xBC@x.example\r\n\r\nx\r\n")}) {
    CHECK(back(ipm_content_of(odd)) == odd);
  }
}

TEST_CASE("a foreign message becomes mail") {
  const std::string mail = back(foreign([](BerWriter& w) { ia5(w, "line one\rline two\nlast"); }));
  CHECK(mail::header_field(mail, "From").value_or("") ==
        "=?utf-8?B?SsO2ICJTIiBTbWl0aA==?= </S=Smith/O=Acme/PRMD=acme/ADMD=vianet/C=DE/@gate.example>");
  CHECK(mail::header_field(mail, "To").value_or("") == "ann@hub.example, Only a name:;");
  CHECK(mail::header_field(mail, "In-Reply-To") == "<1.2@site7.example>");
  CHECK(mail::header_field(mail, "Importance") == "low");
  CHECK(mail::header_field(mail, "Sensitivity") == "Company-Confidential");
  CHECK(mail::header_field(mail, "Expires") == "Tue, 01 Dec 2026 00:00:00 +0000");
  CHECK(mail::header_field(mail, "Priority") == "urgent");
  CHECK(mail::header_field(mail, "Date") == "Sun, 22 Nov 2026 23:10:51 +0000");
  CHECK(mail::header_field(mail, "X400-MTS-Identifier") == "[/PRMD=acme/ADMD=vianet/C=DE/;0000042.hub]");
  CHECK(mail::count_header_fields(mail, "X400-Received") == 4);
  CHECK(mail::count_header_fields(mail, "Bcc") == 0);
  CHECK(mail::header_field(mail, "Message-ID")->starts_with("<x400-"));
  CHECK(mail::header_field(mail, "Message-ID")->ends_with("-9701011200@gate.example>"));
  CHECK(text_of(mail) == "line one\r\nline two\r\nlast\r\n");
}

TEST_CASE("each kind of text is text") {
  const std::string t61 = element(tags::kT61String, "gr\xC8u\xFB" "e");
  CHECK(text_of(back(foreign([&](BerWriter& w) {
          w.constructed(context(5), [&] {
            w.set([] {});
            w.sequence([&] { w.raw(t61 + element(tags::kT61String, "page two")); });
          });
        }))) == "gr=C3=BC=C3=9Fe\r\npage two\r\n");
  CHECK(text_of(back(foreign([&](BerWriter& w) { extended(w, "2.6.1.4.11", element(tags::kGeneralString, "\x1B-Agr\xFC\x1B(B!")); }))) == "gr=C3=BC!\r\n");
  CHECK(text_of(back(foreign([&](BerWriter& w) { extended(w, "2.6.1.4.0", element(tags::kIa5String, "ia5")); }))) == "ia5\r\n");
  CHECK(text_of(back(foreign([](BerWriter& w) { ia5(w, "latin \xE9"); }))) == "latin =C3=A9\r\n");
  CHECK(text_of(back(foreign([](BerWriter& w) { ia5(w, ""); }))).empty());
  CHECK(text_of(back(foreign([](BerWriter&) {}))).empty());
}

TEST_CASE("other parts are attachments") {
  const std::string mail = back(foreign([](BerWriter& w) {
    ia5(w, "see below");
    w.octets("\x01\x02", context(14));
    w.constructed(context(3), [&] { w.null(); });
    extended(w, "1.2.3", element(tags::kOctetString, "x"));
  }));
  CHECK(mail.find("Content-Type: multipart/mixed; boundary=\"=_u-1\"\r\n\r\n--=_u-1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nsee below\r\n") !=
        std::string::npos);
  CHECK(mail.find("Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAQI=\r\n") != std::string::npos);
  CHECK(mail.find("Content-Description: X.400 body part [3] (G3 facsimile)\r\n") != std::string::npos);
  CHECK(mail.find("Content-Description: X.400 body part 1.2.3\r\n") != std::string::npos);
  CHECK(mail.ends_with("--=_u-1--\r\n"));
}

TEST_CASE("a file has its name") {
  const std::string mail = back(foreign([](BerWriter& w) {
    w.constructed(context(15), [&] {
      w.constructed(context(0), [&] {
        w.oid("2.6.1.11.12");
        w.constructed(context(0), [&] {
          w.sequence([&] {
            w.constructed(context(4), [&] { w.constructed(context(0), [&] { w.primitive(universal(25), "../r\"\xE9sum\xE9.pdf"); }); });
          });
        });
      });
      w.constructed(tags::kExternal, [&] {
        w.oid("2.6.1.4.12");
        w.constructed(context(0), [&] {
          w.sequence([&] {
            w.constructed(tags::kExternal, [&] { w.octets("hel", context(1)); });
            w.constructed(tags::kExternal, [&] { w.constructed(context(0), [&] { w.octets("lo"); }); });
          });
        });
      });
    });
  }));
  CHECK(mail.find("filename*=utf-8''.._r_%C3%A9sum%C3%A9.pdf") != std::string::npos);
  CHECK(text_of(mail) == "aGVsbG8=\r\n");
}

TEST_CASE("forwarded messages are messages, as deep as eight") {
  const auto forward = [](const std::string& inner) {
    return foreign([&](BerWriter& w) {
      w.constructed(context(9), [&] {
        w.set([] {});
        w.sequence([&] { w.raw(BerReader::only(inner)->content); });
      });
    });
  };
  std::string content = forward(foreign([](BerWriter& w) { ia5(w, "inside"); }));
  const std::string mail = back(content);
  CHECK(mail.find("Content-Type: message/rfc822\r\n\r\nFrom: ") != std::string::npos);
  CHECK(mail.ends_with("\r\n\r\ninside\r\n"));
  // One of ours inside of a foreign one.
  CHECK(text_of(back(forward(ipm_content_of(kPlain)))) == kPlain);
  for (int i = 0; i < 12; ++i) content = forward(content);
  CHECK(back(content).find("nested too deeply") != std::string::npos);
}

TEST_CASE("notifications are told") {
  BerWriter w;
  w.constructed(context(1), [&] {
    w.constructed(application(11), [&] { w.primitive(tags::kPrintableString, encode_printable("<1.2@site7.example>")); });
    w.constructed(context(0), [&] { w.constructed(context(1), [&] { w.utc_time(parse_iso8601("2026-11-23T08:00:00Z").value(), context(0)); }); });
  });
  const std::string mail = back(w.bytes());
  CHECK(mail::header_field(mail, "In-Reply-To") == "<1.2@site7.example>");
  CHECK(mail::header_field(mail, "From").value_or("") == "jo@site7.example");
  CHECK(text_of(mail) == "Your message <1.2@site7.example>\r\nwas received at Mon, 23 Nov 2026 08:00:00 +0000.\r\n");
  BerWriter no;
  no.constructed(context(1), [&] {
    no.constructed(application(11), [&] { no.primitive(tags::kPrintableString, "7"); });
    no.constructed(context(0), [&] { no.constructed(context(0), [&] { no.integer(1, context(0)); }); });
  });
  CHECK(text_of(back(no.bytes())).find("was not read: it was forwarded automatically") != std::string::npos);
}

TEST_CASE("a part that looks like ours and is not mail stays an attachment") {
  const std::string mail = back(foreign([](BerWriter& w) {
    ia5(w, "text");
    w.octets("longline-message 1\r\nbare\nlines\r\n", context(14));
  }));
  CHECK(mail.find("multipart/mixed") != std::string::npos);
}

TEST_CASE("what is no interpersonal message says why") {
  CHECK(back("") == "error: BER: an element is missing");
  CHECK(back(std::string("\xa2\x00", 2)) == "error: [2] is neither an interpersonal message nor a notification");
  CHECK(back(std::string("\xa0\x00", 2)) == "error: an interpersonal message is not a heading and a body");
  CHECK(back(std::string("\xa0\x84\xff\xff\xff\xff", 6)).starts_with("error: BER: [0] of 4294967295 bytes"));
  CHECK(back(ipm_content_of(kPlain).substr(0, 300)).starts_with("error: BER: "));
  CHECK(back("Subject: not BER\r\n\r\n").starts_with("error: "));
}

TEST_CASE("body parts are counted") {
  const auto parts = [](int count) {
    return back(foreign([&](BerWriter& w) {
      for (int i = 0; i < count; ++i) w.null(context(7));
    }));
  };
  CHECK(!parts(1000).starts_with("error"));
  CHECK(parts(1001) == "error: an interpersonal message with more than 1000 body parts");
}
