// SPDX-License-Identifier: MIT
#include "x400/mts_bind.hpp"

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

namespace longline::x400 {
namespace {

constexpr Tag kArgument = context(16);
constexpr Tag kResult = context(17);
constexpr Tag kBindError = context(18);
constexpr std::size_t kLongestMtaName = 256;
constexpr std::size_t kLongestPassword = 1024;

std::string encode_bind(Tag outer, const MtsBind& bind) {
  BerWriter out;
  out.constructed(outer, [&] {
    if (!bind) {
      out.null();
      return;
    }
    out.constructed(context(1), [&] {
      out.primitive(context(0), bind->name);
      out.constructed(context(1), [&] { out.primitive(tags::kIa5String, bind->password.reveal()); });
    });
  });
  return out.take();
}

/// A name that is tagged IMPLICIT, as the module says, or EXPLICIT.
Result<std::string> text(const BerElement& element) {
  if (element.constructed) {
    LONGLINE_TRY(const auto inside, element.children());
    if (inside.size() == 1 && inside.front().is(tags::kIa5String)) return inside.front().octets();
  }
  return element.octets();
}

Result<MtsNames> read_names(const BerElement& set) {
  LONGLINE_TRY(const auto parts, set.children());
  MtsNames names;
  LONGLINE_TRY(const auto name, require(parts, context(0), "a bind"));
  LONGLINE_TRY(names.name, text(name));
  if (names.name.size() > kLongestMtaName) return Error(Errc::malformed, "a name of more than 256 bytes in a bind");
  if (const BerElement* credentials = find(parts, context(1))) {
    LONGLINE_TRY(const auto choice, credentials->child());
    if (!choice.is(tags::kIa5String) && !choice.is(tags::kOctetString)) {
      return Error(Errc::auth_refused, "the peer's bind has " + to_string(choice.tag) + " where a simple password was expected");
    }
    LONGLINE_TRY(auto password, choice.octets());
    if (password.size() > kLongestPassword) return Error(Errc::malformed, "a password of more than 1024 bytes in a bind");
    names.password = Secret(std::move(password));
  }
  return names;
}

}  // namespace

std::string encode_bind_argument(const MtsBind& bind) { return encode_bind(kArgument, bind); }

std::string encode_bind_result(const MtsBind& bind) { return encode_bind(kResult, bind); }

Result<MtsBind> decode_bind(std::string_view bytes) {
  LONGLINE_TRY(auto element, BerReader::only(bytes));
  if (element.is(kArgument) || element.is(kResult)) {
    LONGLINE_TRY(element, element.child());
  }
  if (element.is(tags::kNull)) return MtsBind();
  if (!element.is(context(1))) return Error(Errc::malformed, to_string(element.tag) + " where the names of a bind were expected");
  LONGLINE_TRY(auto names, read_names(element));
  return MtsBind(std::move(names));
}

std::string encode_bind_error(BindError error) {
  BerWriter out;
  out.constructed(kBindError, [&] { out.integer(static_cast<std::int64_t>(error)); });
  return out.take();
}

Result<std::int64_t> decode_bind_error(std::string_view bytes) {
  LONGLINE_TRY(auto element, BerReader::only(bytes));
  if (element.is(kBindError)) {
    LONGLINE_TRY(element, element.child());
  }
  return element.integer();
}

bool same_secret(std::string_view given, std::string_view expected) {
  unsigned difference = given.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = expected.empty() ? '\0' : expected[i % expected.size()];
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(other));
  }
  return difference == 0;
}

}  // namespace longline::x400
