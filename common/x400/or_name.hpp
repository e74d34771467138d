// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

namespace longline::x400 {

struct PersonalName {
  std::string surname, given, initials, generation;
  bool operator==(const PersonalName&) const = default;
};

/// A domain-defined attribute: "RFC-822" and its value.
struct DomainAttribute {
  std::string type, value;
  bool operator==(const DomainAttribute&) const = default;
};

constexpr std::size_t kMostUnits = 4;               ///< ub-organizational-units
constexpr std::size_t kMostDomainAttributes = 4;    ///< ub-domain-defined-attributes
constexpr std::size_t kLongestAttribute = 1024;   ///< bytes; far above X.411's bounds, since foreign systems stretch them

/// An O/R address (X.402, 18; X.411, 8.5.5). Attributes are printable strings as on the wire; "" is an absent one. ADMD " " means any.
/// A directory name and extension attributes other than the common name are not kept.
struct OrName {
  std::string country;             ///< "DE", or the three digits of X.121
  std::string admd;
  std::string x121;                ///< network address
  std::string terminal_id;
  std::string prmd;
  std::string organization;
  std::string numeric_id;
  PersonalName person{};
  std::vector<std::string> units;  ///< OU1 first; at most 4 when written
  std::vector<DomainAttribute> domain_attributes;   ///< at most 4 when written
  std::string common_name;
  bool empty() const { return *this == OrName(); }
  bool operator==(const OrName&) const = default;
};

/// "/G=Jo/S=Smith/O=Acme/PRMD=acme/ADMD= /C=DE/" (RFC 2156, 4.1): "$" before "/", "=", "$" and ";" in a value.
std::string to_slash_text(const OrName& name);
/// "G=Jo;S=Smith;O=Acme;PRMD=acme;ADMD= ;C=DE;", with the same "$".
std::string to_semicolon_text(const OrName& name);
/// Either form, keywords in any case, also A and P for ADMD and PRMD, DDA.type or DD.type. Errc::malformed names the part that is wrong.
Result<OrName> parse_or_name(std::string_view text);

/// ORName, [APPLICATION 0] or the given tag. What X.411 has no room for (more units or domain attributes than four) is left out.
void write_or_name(BerWriter& w, const OrName& name, Tag tag = application(0));
/// Whatever its tag is. Errc::malformed.
Result<OrName> read_or_name(const BerElement& element);

/// X.680's PrintableString: letters, digits, space and '()+,-./:=?
bool is_printable_string(std::string_view text);

}  // namespace longline::x400
