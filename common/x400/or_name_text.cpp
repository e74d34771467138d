// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "x400/or_name.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestWritten = 2048;

struct Keyword {
  std::string_view name;
  std::string OrName::*field;
};

/// In the order of RFC 2156, 4.1, turned round: the person first, as people write it. The persons', units' and domain attributes' places are
/// before the organization's.
constexpr std::array kKeywords = {Keyword{"CN", &OrName::common_name},  Keyword{"N-ID", &OrName::numeric_id}, Keyword{"X121", &OrName::x121},
                                  Keyword{"T-ID", &OrName::terminal_id}, Keyword{"O", &OrName::organization},  Keyword{"PRMD", &OrName::prmd},
                                  Keyword{"ADMD", &OrName::admd},       Keyword{"C", &OrName::country}};

struct PersonKeyword {
  std::string_view name;
  std::string PersonalName::*field;
};
constexpr std::array kPersonKeywords = {PersonKeyword{"G", &PersonalName::given}, PersonKeyword{"I", &PersonalName::initials},
                                        PersonKeyword{"S", &PersonalName::surname}, PersonKeyword{"GQ", &PersonalName::generation}};

std::string in_quotes(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '/' || c == '=' || c == '$' || c == ';') out += '$';
    out += c;
  }
  return out;
}

std::string to_text(const OrName& name, char separator) {
  std::string out;
  const auto put = [&](std::string_view keyword, std::string_view value) {
    if (!value.empty()) out += fmt::format("{}={}{}", keyword, in_quotes(value), separator);
  };
  for (const DomainAttribute& attribute : name.domain_attributes) put("DD." + in_quotes(attribute.type), attribute.value);
  for (const PersonKeyword& keyword : kPersonKeywords) put(keyword.name, name.person.*keyword.field);
  for (const Keyword& keyword : kKeywords) {
    if (keyword.name == "O") {
      for (std::size_t i = name.units.size(); i > 0; --i) put(fmt::format("OU{}", i), name.units[i - 1]);
    }
    put(keyword.name, name.*keyword.field);
  }
  return out;
}

Error bad_name(std::string_view text, std::string_view why) {
  return Error(Errc::malformed, fmt::format("'{}' is not an O/R name: {}", escape_at_most(text, 80), why));
}

/// Up to the first unquoted `stop`, which is taken away; quoted characters lose their "$". False: the text ends before it.
bool take_until(std::string_view& rest, char stop, std::string& out) {
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == stop) return true;
    if (c == '$' && !rest.empty()) {
      out += rest.front();
      rest.remove_prefix(1);
    } else {
      out += c;
    }
  }
  return false;
}

Result<void> put_attribute(OrName& name, std::string_view text, const std::string& keyword, std::string value) {
  const auto once = [&](std::string& field) -> Result<void> {
    if (!field.empty()) return bad_name(text, fmt::format("{} is given twice", escape(keyword)));
    field = std::move(value);
    return {};
  };
  if (value.empty()) return bad_name(text, fmt::format("{} has no value", escape(keyword)));
  for (const Keyword& known : kKeywords) {
    if (iequals(known.name, keyword)) return once(name.*known.field);
  }
  if (iequals(keyword, "A")) return once(name.admd);
  if (iequals(keyword, "P")) return once(name.prmd);
  for (const PersonKeyword& known : kPersonKeywords) {
    if (iequals(known.name, keyword)) return once(name.person.*known.field);
  }
  const bool unit = keyword.size() >= 2 && iequals(keyword.substr(0, 2), "OU");
  if (unit) {
    const std::size_t number = keyword.size() == 2 ? name.units.size() + 1 : static_cast<std::size_t>(keyword[2] - '0');
    if (keyword.size() > 3 || number < 1 || number > kMostUnits) return bad_name(text, "units are OU1 to OU4");
    if (name.units.size() < number) name.units.resize(number);
    return once(name.units[number - 1]);
  }
  const std::size_t dot = keyword.find('.');
  if (dot != std::string::npos && (iequals(keyword.substr(0, dot), "DD") || iequals(keyword.substr(0, dot), "DDA"))) {
    if (dot + 1 == keyword.size()) return bad_name(text, "a domain-defined attribute without a type");
    if (name.domain_attributes.size() == kMostDomainAttributes) return bad_name(text, "more than four domain-defined attributes");
    name.domain_attributes.push_back({keyword.substr(dot + 1), std::move(value)});
    return {};
  }
  return bad_name(text, fmt::format("'{}' is not the keyword of an attribute", escape_at_most(keyword, 20)));
}

}  // namespace

std::string to_slash_text(const OrName& name) { return '/' + to_text(name, '/'); }
std::string to_semicolon_text(const OrName& name) { return to_text(name, ';'); }

Result<OrName> parse_or_name(std::string_view text) {
  if (text.size() > kLongestWritten) return bad_name(text, fmt::format("it is {} bytes long, {} are allowed", text.size(), kLongestWritten));
  const bool slashes = text.starts_with('/');
  std::string_view rest = slashes ? text.substr(1) : text;
  OrName name;
  while (!(slashes ? rest : trim(rest)).empty()) {
    std::string keyword, value;
    if (!take_until(rest, '=', keyword)) return bad_name(text, "an attribute without '='");
    take_until(rest, slashes ? '/' : ';', value);
    for (const std::string* part : {&keyword, &value}) {
      if (part->size() > kLongestAttribute) return bad_name(text, fmt::format("it has an attribute of {} bytes", part->size()));
      if (std::any_of(part->begin(), part->end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E; })) {
        return bad_name(text, "it has a character that no attribute can have");
      }
    }
    LONGLINE_CHECK(put_attribute(name, text, std::string(trim(keyword)), std::move(value)));
  }
  const bool gap = std::any_of(name.units.begin(), name.units.end(), [](const std::string& unit) { return unit.empty(); });
  if (gap) return bad_name(text, "a unit is missing before another");
  if (name.empty()) return bad_name(text, "it has no attributes");
  return name;
}

}  // namespace longline::x400
