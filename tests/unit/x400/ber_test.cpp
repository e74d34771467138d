// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <random>

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// Blanks are skipped.
std::string bytes(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) high = value;
    else out += static_cast<char>(std::exchange(high, -1) << 4 | value);
  }
  return out;
}

template <class Body>
std::string written(Body&& body) {
  BerWriter w;
  body(w);
  return to_hex(w.bytes());
}

/// "integer 5" or the error.
std::string integer(std::string_view digits) {
  const std::string input = bytes(digits);
  const auto element = BerReader::only(input);
  if (!element) return element.error().what;
  const auto value = element->integer();
  return value ? std::to_string(*value) : value.error().what;
}

/// The element and what is in it, all the way down.
std::string tree(const BerElement& element) {
  std::string out = to_string(element.tag);
  if (!element.constructed) return out + ' ' + to_hex(element.content);
  const auto children = element.children();
  if (!children) return out + " error: " + children.error().what;
  out += '{';
  for (const BerElement& child : *children) out += (out.back() == '{' ? "" : ", ") + tree(child);
  return out + '}';
}

std::string tree(std::string_view digits) {
  const std::string input = bytes(digits);
  const auto element = BerReader::only(input);
  return element ? tree(*element) : "error: " + element.error().what;
}

std::string from_hex(std::string_view digits) {
  const std::string input = bytes(digits);
  const auto element = BerReader::only(input);
  if (!element) return "error: " + element.error().what;
  const auto joined = element->octets();
  return joined ? *joined : "error: " + joined.error().what;
}

}  // namespace

TEST_CASE("primitives are written as other encoders write them") {
  // Compared with `openssl asn1parse -genstr`.
  CHECK(written([](BerWriter& w) { w.integer(0); }) == "020100");
  CHECK(written([](BerWriter& w) { w.integer(127); }) == "02017f");
  CHECK(written([](BerWriter& w) { w.integer(128); }) == "02020080");
  CHECK(written([](BerWriter& w) { w.integer(-128); }) == "020180");
  CHECK(written([](BerWriter& w) { w.integer(-129); }) == "0202ff7f");
  CHECK(written([](BerWriter& w) { w.integer(INT64_MIN); }) == "02088000000000000000");
  CHECK(written([](BerWriter& w) { w.integer(INT64_MAX); }) == "02087fffffffffffffff");
  CHECK(written([](BerWriter& w) { w.boolean(true); }) == "0101ff");
  CHECK(written([](BerWriter& w) { w.null(); }) == "0500");
  CHECK(written([](BerWriter& w) { w.oid("2.6.0.1.6"); }) == "060456000106");
  CHECK(written([](BerWriter& w) { w.oid("1.2.840.113556.1.4"); }) == "06082a864886f7140104");
  CHECK(written([](BerWriter& w) { w.oid("2.999.1"); }) == "0603883701");
  CHECK(written([](BerWriter& w) { w.integer(5, context(3)); }) == "830105");
  CHECK(written([](BerWriter& w) { w.octets("POC", context(0)); }) == "8003504f43");
}

TEST_CASE("constructed elements, long lengths and high tags") {
  // An MTA's bind as it is on the wire in X.410 mode.
  CHECK(written([](BerWriter& w) {
          w.constructed(context(1), [&] {
            w.octets("POC", context(0));
            w.constructed(context(1), [&] { w.octets("secret", tags::kIa5String); });
          });
        }) == to_hex(bytes("a10f 8003504f43 a108 1606736563726574")));
  for (const std::size_t size : {0u, 127u, 128u, 255u, 256u, 65535u, 65536u}) {
    BerWriter w;
    w.sequence([&] { w.octets(std::string(size, 'x')); });
    const auto element = BerReader::only(w.bytes());
    REQUIRE(element);
    CHECK(element->child()->octets()->size() == size);
    CHECK(w.bytes().size() == header_size(tags::kSequence, element->content.size()) + header_size(tags::kOctetString, size) + size);
  }
  CHECK(written([](BerWriter& w) { w.null(application(30)); }) == "5e00");
  CHECK(written([](BerWriter& w) { w.null(application(31)); }) == "5f1f00");
  CHECK(written([](BerWriter& w) { w.null(context(128)); }) == "9f810000");
  CHECK(written([](BerWriter& w) { w.null(context(kHighestTag)); }) == "9fbfff7f00");
  CHECK(written([](BerWriter& w) { w.header(context(0), true, 0x123456789); }) == "a0850123456789");
}

TEST_CASE("integers are read") {
  CHECK(integer("02 01 80") == "-128");
  CHECK(integer("02 02 00 80") == "128");
  CHECK(integer("02 0a 0000 0000000000000001") == "1");
  CHECK(integer("02 09 ff 8000000000000000") == "-9223372036854775808");
  CHECK(integer("02 09 00 ffffffffffffffff") == "BER: an INTEGER of more than 64 bits");
  CHECK(integer("02 09 ff 7fffffffffffffff") == "BER: an INTEGER of more than 64 bits");
  CHECK(integer("02 09 010000000000000000") == "BER: an INTEGER of more than 64 bits");
  CHECK(integer("02 00") == "BER: INTEGER is no INTEGER");
  CHECK(integer("83 01 07") == "7");
  CHECK(integer("a3 03 020107") == "BER: [3] is no INTEGER");
}

TEST_CASE("indefinite lengths look like definite ones") {
  CHECK(tree("30 80 0201 01 0000") == "SEQUENCE{INTEGER 01}");
  CHECK(tree("30 80 a0 80 0201 01 0000 0500 0000") == "SEQUENCE{[0]{INTEGER 01}, NULL }");
  CHECK(tree("30 07 a0 80 0201 01 0000") == "SEQUENCE{[0]{INTEGER 01}}");
  CHECK(tree("30 80 a0 03 0201 01 0000") == "SEQUENCE{[0]{INTEGER 01}}");
  CHECK(tree("30 80 0402 0000 0000") == "SEQUENCE{OCTET STRING 0000}");
  CHECK(tree("30 80 0201 01") == "error: BER: an element of indefinite length does not end");
  CHECK(tree("30 80 0201 01 00") == "error: BER: an element of indefinite length does not end");
  CHECK(tree("30 80 0209 01 0000") == "error: BER: an element is longer than what it is in");
  CHECK(tree("04 80 0000") == "error: BER: OCTET STRING is primitive and of indefinite length");
  CHECK(tree("30 02 0000") == "SEQUENCE error: BER: end-of-contents octets where none are due");
  CHECK(tree("30 81 03 0201 01") == "SEQUENCE{INTEGER 01}");
  CHECK(tree("30 88 0000000000000003 0201 01") == "SEQUENCE{INTEGER 01}");
}

TEST_CASE("strings in pieces are joined") {
  CHECK(from_hex("04 03 616263") == "abc");
  CHECK(from_hex("24 07 0401 61 0402 6263") == "abc");
  CHECK(from_hex("24 80 0401 61 24 80 0401 62 0000 0401 63 0000") == "abc");
  CHECK(from_hex("a0 80 0401 61 0402 6263 0000") == "abc");
  CHECK(from_hex("36 80 1601 61 0402 6263 0000") == "abc");
  CHECK(from_hex("24 05 3003 0401 61") == "error: BER: SEQUENCE is no piece of a string");
  const auto bits = [](std::string_view digits) {
    const std::string input = bytes(digits);
    const auto element = BerReader::only(input);
    REQUIRE(element);
    const auto value = element->bits();
    return value ? to_hex(value->bytes) + '/' + std::to_string(value->unused) : value.error().what;
  };
  CHECK(bits("03 02 04 b0") == "b0/4");
  CHECK(bits("03 01 00") == "/0");
  CHECK(bits("23 80 0302 00 ff 0302 04 b0 0000") == "ffb0/4");
  CHECK(bits("23 08 0302 04 b0 0302 00 ff") == "BER: a BIT STRING's piece that is not its last has unused bits");
  CHECK(bits("03 00") == "BER: a BIT STRING without its first byte");
  CHECK(bits("03 02 08 ff") == "BER: a BIT STRING with more unused bits than it has");
  CHECK(bits("03 01 01") == "BER: a BIT STRING with more unused bits than it has");
}

TEST_CASE("bits are numbered from the first one") {
  BitString flags;
  flags.set(0);
  flags.set(2);
  CHECK(to_hex(flags.bytes) == "a0");
  CHECK(flags.unused == 5);
  flags.set(4);
  CHECK(written([&](BerWriter& w) { w.bits(flags, context(1)); }) == "810203a8");
  flags.set(0, false);
  CHECK(!flags.bit(0));
  CHECK(flags.bit(4));
  CHECK(!flags.bit(5));
  CHECK(!flags.bit(5000));
}

TEST_CASE("a hostile length is an error at once") {
  CHECK(tree("04 84 ffffffff") == "error: BER: OCTET STRING of 4294967295 bytes, at most 67108864 are taken");
  CHECK(tree("04 88 ffffffffffffffff 00") == "error: BER: OCTET STRING of 18446744073709551615 bytes, at most 67108864 are taken");
  CHECK(tree("04 89 000000000000000001 00") == "error: BER: a length of 9 bytes");
  CHECK(tree("04 ff") == "error: BER: a length of 127 bytes");
  CHECK(tree("04 05 00") == "error: BER: OCTET STRING of 5 bytes, but only 1 are there");
  CHECK(tree("30 80 04 88 ffffffffffffffff 0000") == "error: BER: an element is longer than what it is in");
  CHECK(tree("bf ffffffff 7f 00") == "error: BER: a tag number above 1048575");
  CHECK(tree("bf 8080808001 00") == "error: BER: a tag number above 1048575");
  CHECK(tree("04 01 00 00") == "error: BER: 1 bytes too many behind OCTET STRING");
  CHECK(tree("") == "error: BER: an element is missing");
}

TEST_CASE("ten thousand levels are an error, not a stack overflow") {
  std::string definite;
  for (int i = 0; i < 10'000; ++i) {
    BerWriter w;
    w.constructed(tags::kOctetString, [&] { w.raw(definite); });
    definite = w.take();
  }
  auto element = BerReader::only(definite);
  REQUIRE(element);
  CHECK(element->octets().error().what == "BER: elements are nested too deeply");
  int levels = 0;
  for (Result<BerElement> inner = *element; inner; inner = inner->child()) ++levels;
  CHECK(levels == 64);

  std::string indefinite;
  for (int i = 0; i < 10'000; ++i) indefinite += std::string("\x24\x80", 2);
  indefinite += std::string(20'000, '\0');
  CHECK(BerReader::only(indefinite).error().what == "BER: elements are nested too deeply");
}

TEST_CASE("elements are counted") {
  std::string many(2 * 65537, '\0');
  for (std::size_t i = 0; i < many.size(); i += 2) many[i] = 5;
  BerWriter w;
  w.sequence([&] { w.raw(many); });
  const auto sequence = BerReader::only(w.bytes());
  REQUIRE(sequence);
  CHECK(sequence->children().error().what == "BER: more than 65536 elements in one");
  CHECK(BerReader::only(std::string("\x30\x80", 2) + many + std::string(2, '\0')).error().what == "BER: more than 65536 elements in one");
}

TEST_CASE("a header is told from one that is not there yet, at every length") {
  for (const std::string& header : {bytes("04 03"), bytes("bf 85 23 84 00010000"), bytes("30 80"), bytes("9f 80 80 01 88 0000000000000001")}) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      const auto part = read_header(std::string_view(header).substr(0, i));
      REQUIRE(part);
      CHECK(!*part);
    }
    const auto whole = read_header(header);
    REQUIRE(whole);
    REQUIRE(*whole);
    CHECK((*whole)->size == header.size());
  }
}

TEST_CASE("object identifiers") {
  const auto decoded = [](std::string_view digits) {
    const auto oid = decode_oid(bytes(digits));
    return oid ? *oid : "error: " + oid.error().what;
  };
  CHECK(decoded("5600020c") == "2.6.0.2.12");
  CHECK(decoded("883701") == "2.999.1");
  CHECK(decoded("00") == "0.0");
  CHECK(decoded("4f") == "1.39");
  CHECK(decoded("50") == "2.0");
  CHECK(decoded("51818080808080808080 00") == "error: an object identifier has an arc above 2^63");
  CHECK(decoded("ffffffffffffffff7f") == "2.9223372036854775727");
  CHECK(decoded("") == "error: an object identifier is empty");
  CHECK(decoded("5681") == "error: an object identifier ends within an arc");
  CHECK(decoded("568001") == "error: an object identifier has an arc with leading zeros");
  for (const char* good : {"0.0", "1.39.1", "2.6.0.1.6", "2.40.3", "1.2.840.113549.1.9"}) CHECK(decode_oid(*encode_oid(good)) == good);
  for (const char* bad : {"", "1", "3.1", "1.40", "1..2", "1.2.", "a.b", "1.-2", "1.+2", "1.99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(!encode_oid(bad));
  }
}

namespace {

/// A random tree: written with definite lengths, and the same with other forms of the same meaning.
struct Twins {
  std::mt19937 random;
  BerWriter ours;
  std::string other;

  unsigned pick(unsigned below) { return static_cast<unsigned>(random() % below); }

  void grow(int depth) {
    const Tag tag{static_cast<TagClass>(1 + pick(3)), pick(3) == 0 ? pick(kHighestTag + 1) : pick(31)};
    if (depth == 0 || pick(3) == 0) {
      std::string content(pick(200), 'c');
      ours.primitive(tag, content);
      BerWriter header;
      header.header(tag, false, content.size());
      other += header.take() + content;
      return;
    }
    std::string outside = std::exchange(other, {});
    ours.constructed(tag, [&] {
      for (unsigned i = pick(4); i > 0; --i) grow(depth - 1);
    });
    BerWriter header;
    header.header(tag, true, 0);
    std::string form = header.take();
    form.pop_back();
    if (pick(2) == 0) {
      form += '\x80';
      other += std::string(2, '\0');
    } else {
      form += '\x84';
      for (int shift = 24; shift >= 0; shift -= 8) form += static_cast<char>(other.size() >> shift & 0xFF);
    }
    other = outside + form + other;
  }
};

void write_again(BerWriter& w, const BerElement& element) {
  if (!element.constructed) return w.primitive(element.tag, element.content);
  const auto children = element.children();
  REQUIRE(children);
  w.constructed(element.tag, [&] {
    for (const BerElement& child : *children) write_again(w, child);
  });
}

}  // namespace

TEST_CASE("what is written is read, in each form of lengths") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    Twins twins{std::mt19937(seed), {}, {}};
    twins.grow(6);
    for (const std::string& form : {twins.ours.bytes(), twins.other}) {
      const auto element = BerReader::only(form);
      REQUIRE(element);
      CHECK(element->whole == form);
      BerWriter again;
      write_again(again, *element);
      CHECK(again.bytes() == twins.ours.bytes());
      // No part of it is the whole.
      for (std::size_t i = 0; i < form.size(); i += 1 + form.size() / 50) CHECK(!BerReader::only(std::string_view(form).substr(0, i)));
    }
  }
}
