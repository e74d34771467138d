// SPDX-License-Identifier: MIT
#include "x400/or_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::x400 {
namespace {

constexpr std::int64_t kCommonName = 1;             // extension-attribute-type

constexpr Tag kCountry = application(1);
constexpr Tag kAdmd = application(2);

bool all_digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

void put(BerWriter& w, std::string_view value, Tag tag) {
  if (!value.empty()) w.primitive(tag, value);
}

Result<std::string> text_of(const BerElement& element) {
  LONGLINE_TRY(std::string text, element.octets());
  if (text.size() > kLongestAttribute) return Error(Errc::malformed, fmt::format("an attribute of an O/R name has {} bytes", text.size()));
  return text;
}

/// A CHOICE of strings behind an explicit tag; also without the inner tag, as some write it.
Result<std::string> explicit_text(const BerElement& element) {
  if (!element.constructed) return text_of(element);
  LONGLINE_TRY(const BerElement inside, element.child());
  return text_of(inside);
}

Result<void> read_person(const BerElement& element, PersonalName& person) {
  LONGLINE_TRY(const auto parts, element.children());
  for (const BerElement& part : parts) {
    LONGLINE_TRY(std::string text, text_of(part));
    if (part.is(context(0))) person.surname = std::move(text);
    else if (part.is(context(1))) person.given = std::move(text);
    else if (part.is(context(2))) person.initials = std::move(text);
    else if (part.is(context(3))) person.generation = std::move(text);
  }
  return {};
}

Result<void> read_standard(const BerElement& element, OrName& name) {
  LONGLINE_TRY(const auto attributes, element.children());
  for (const BerElement& attribute : attributes) {
    std::string* simple = attribute.is(context(0))   ? &name.x121
                          : attribute.is(context(1)) ? &name.terminal_id
                          : attribute.is(context(3)) ? &name.organization
                          : attribute.is(context(4)) ? &name.numeric_id
                                                     : nullptr;
    std::string* wrapped = attribute.is(kCountry)      ? &name.country
                           : attribute.is(kAdmd)       ? &name.admd
                           : attribute.is(context(2)) ? &name.prmd
                                                      : nullptr;
    if (simple != nullptr) {
      LONGLINE_TRY(*simple, text_of(attribute));
    } else if (wrapped != nullptr) {
      LONGLINE_TRY(*wrapped, explicit_text(attribute));
    } else if (attribute.is(context(5))) {
      LONGLINE_CHECK(read_person(attribute, name.person));
    } else if (attribute.is(context(6))) {
      LONGLINE_TRY(const auto units, attribute.children());
      for (const BerElement& unit : units) {
        if (name.units.size() == kMostUnits) return Error(Errc::malformed, "an O/R name with more than four units");
        LONGLINE_TRY(name.units.emplace_back(), text_of(unit));
      }
    }
  }
  return {};
}

Result<void> read_domain_attributes(const BerElement& element, OrName& name) {
  LONGLINE_TRY(const auto attributes, element.children());
  for (const BerElement& attribute : attributes) {
    LONGLINE_TRY(const auto parts, attribute.children());
    if (parts.size() != 2) return Error(Errc::malformed, "a domain-defined attribute is not a type and a value");
    if (name.domain_attributes.size() == kMostDomainAttributes) return Error(Errc::malformed, "an O/R name with more than four domain-defined attributes");
    DomainAttribute& added = name.domain_attributes.emplace_back();
    LONGLINE_TRY(added.type, text_of(parts[0]));
    LONGLINE_TRY(added.value, text_of(parts[1]));
  }
  return {};
}

Result<void> read_extension_attributes(const BerElement& element, OrName& name) {
  LONGLINE_TRY(const auto attributes, element.children());
  for (const BerElement& attribute : attributes) {
    LONGLINE_TRY(const auto parts, attribute.children());
    LONGLINE_TRY(const BerElement type, require(parts, context(0), "an extension attribute"));
    LONGLINE_TRY(const std::int64_t number, type.integer());
    if (number != kCommonName) continue;
    LONGLINE_TRY(const BerElement value, require(parts, context(1), "an extension attribute"));
    LONGLINE_TRY(name.common_name, explicit_text(value));
  }
  return {};
}

void write_standard(BerWriter& w, const OrName& name) {
  if (!name.country.empty()) {
    w.constructed(kCountry, [&] { w.primitive(all_digits(name.country) ? tags::kNumericString : tags::kPrintableString, name.country); });
  }
  if (!name.admd.empty()) w.constructed(kAdmd, [&] { w.primitive(tags::kPrintableString, name.admd); });
  put(w, name.x121, context(0));
  put(w, name.terminal_id, context(1));
  if (!name.prmd.empty()) w.constructed(context(2), [&] { w.primitive(tags::kPrintableString, name.prmd); });
  put(w, name.organization, context(3));
  put(w, name.numeric_id, context(4));
  if (name.person != PersonalName()) {
    w.constructed(context(5), [&] {
      put(w, name.person.surname, context(0));
      put(w, name.person.given, context(1));
      put(w, name.person.initials, context(2));
      put(w, name.person.generation, context(3));
    });
  }
  if (!name.units.empty()) {
    w.constructed(context(6), [&] {
      for (std::size_t i = 0; i < std::min(name.units.size(), kMostUnits); ++i) w.primitive(tags::kPrintableString, name.units[i]);
    });
  }
}

}  // namespace

bool is_printable_string(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos;
  });
}

void write_or_name(BerWriter& w, const OrName& name, Tag tag) {
  w.constructed(tag, [&] {
    w.sequence([&] { write_standard(w, name); });
    if (!name.domain_attributes.empty()) {
      w.sequence([&] {
        for (std::size_t i = 0; i < std::min(name.domain_attributes.size(), kMostDomainAttributes); ++i) {
          w.sequence([&] {
            w.primitive(tags::kPrintableString, name.domain_attributes[i].type);
            w.primitive(tags::kPrintableString, name.domain_attributes[i].value);
          });
        }
      });
    }
    if (!name.common_name.empty()) {
      w.set([&] {
        w.sequence([&] {
          w.integer(kCommonName, context(0));
          w.constructed(context(1), [&] { w.primitive(tags::kPrintableString, name.common_name); });
        });
      });
    }
  });
}

Result<OrName> read_or_name(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  if (parts.empty() || !parts[0].is(tags::kSequence)) return Error(Errc::malformed, "an O/R name without its standard attributes");
  OrName name;
  LONGLINE_CHECK(read_standard(parts[0], name));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].is(tags::kSequence)) {
      LONGLINE_CHECK(read_domain_attributes(parts[i], name));
    } else if (parts[i].is(tags::kSet)) {
      LONGLINE_CHECK(read_extension_attributes(parts[i], name));
    }
  }
  return name;
}

}  // namespace longline::x400
