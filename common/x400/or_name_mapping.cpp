// SPDX-License-Identifier: MIT
#include "x400/or_name_mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "mail/address.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestValue = 128;      // ub-domain-defined-attribute-value-length
constexpr std::size_t kLongestMailbox = 254;
constexpr std::string_view kNullSender = "<>";
constexpr std::array<std::string_view, 4> kTypes = {"RFC-822", "RFC822C1", "RFC822C2", "RFC822C3"};

struct Letter {
  char letter, meaning;
};
constexpr std::array kLetters = {Letter{'a', '@'}, Letter{'b', '!'}, Letter{'p', '%'}, Letter{'q', '"'}, Letter{'u', '_'}, Letter{'l', '('}, Letter{'r', ')'}};

/// Where the "@" before the domain is; npos if there is none.
std::size_t at_sign(std::string_view mailbox) {
  if (!mailbox.starts_with('"')) return mailbox.rfind('@');
  for (std::size_t i = 1; i < mailbox.size(); ++i) {
    if (mailbox[i] == '\\') ++i;
    else if (mailbox[i] == '"') return i + 1 < mailbox.size() && mailbox[i + 1] == '@' ? i + 1 : std::string_view::npos;
  }
  return std::string_view::npos;
}

/// The O/R name's text in a mailbox of the gateway; "" if it is none. Local parts above 64 bytes are usual here.
std::string gateway_text(std::string_view mailbox, const AddressMapping& mapping) {
  const std::size_t at = at_sign(mailbox);
  if (at == std::string_view::npos || mapping.gateway_domain.empty() || !iequals(mailbox.substr(at + 1), mapping.gateway_domain)) return {};
  std::string_view local = mailbox.substr(0, at);
  std::string text;
  if (!local.starts_with('"')) {
    text = local;
  } else {
    for (std::size_t i = 1; i + 1 < local.size(); ++i) {
      if (local[i] == '\\') ++i;
      text += local[i];
    }
  }
  return text.starts_with('/') && text.find('=') != std::string::npos ? text : std::string();
}

void set_domain(OrName& name, const AddressMapping& mapping) {
  name.country = mapping.country;
  name.admd = mapping.admd;
  name.prmd = mapping.prmd;
}

/// The DDAs of RFC-822 joined; nullopt without the first.
std::optional<std::string> rfc822_value(const OrName& name) {
  std::optional<std::string> out;
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    const auto found = std::find_if(name.domain_attributes.begin(), name.domain_attributes.end(),
                                    [&](const DomainAttribute& attribute) { return iequals(attribute.type, kTypes[i]); });
    if (found == name.domain_attributes.end()) break;
    out = out.value_or("") + found->value;
  }
  return out;
}

}  // namespace

std::string encode_printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto letter = std::find_if(kLetters.begin(), kLetters.end(), [&](const Letter& l) { return l.meaning == c; });
    if (letter != kLetters.end()) out += fmt::format("({})", letter->letter);
    else if (is_printable_string(std::string_view(&c, 1))) out += c;
    else out += fmt::format("({:03})", static_cast<unsigned char>(c));
  }
  return out;
}

std::string decode_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.size() >= 3 && rest[0] == '(' && rest[2] == ')') {
      const auto letter = std::find_if(kLetters.begin(), kLetters.end(), [&](const Letter& l) { return to_lower(rest.substr(1, 1))[0] == l.letter; });
      if (letter != kLetters.end()) {
        out += letter->meaning;
        i += 2;
        continue;
      }
    }
    if (rest.size() >= 5 && rest[0] == '(' && rest[4] == ')' && is_digit(rest[1]) && is_digit(rest[2]) && is_digit(rest[3])) {
      const int value = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
      if (value <= 255) {
        out += static_cast<char>(value);
        i += 4;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

Result<OrName> to_or_name(std::string_view mailbox, const AddressMapping& mapping) {
  if (const std::string text = gateway_text(mailbox, mapping); !text.empty()) {
    LONGLINE_TRY(OrName name, parse_or_name(text));
    if (name.country.empty() && name.admd.empty() && name.prmd.empty()) set_domain(name, mapping);
    return name;
  }
  if (mail::needs_smtputf8(mailbox)) {
    return Error(Errc::refused, fmt::format("'{}' cannot go over X.400: an address there has no characters but ASCII's", escape_at_most(mailbox, 80)));
  }
  const std::string value = encode_printable(mailbox.empty() ? kNullSender : mailbox);
  if (value.size() > kTypes.size() * kLongestValue) {
    return Error(Errc::refused, fmt::format("'{}' cannot go over X.400: {} characters as a domain-defined attribute, {} are allowed",
                                            escape_at_most(mailbox, 80), value.size(), kTypes.size() * kLongestValue));
  }
  OrName name;
  set_domain(name, mapping);
  for (std::size_t i = 0; i * kLongestValue < value.size(); ++i) {
    name.domain_attributes.push_back({std::string(kTypes[i]), value.substr(i * kLongestValue, kLongestValue)});
  }
  return name;
}

Result<std::string> to_mailbox(const OrName& name, const AddressMapping& mapping) {
  if (const auto value = rfc822_value(name)) {
    const std::string text = decode_printable(*value);
    if (text == kNullSender) return std::string();
    // Its own gateway's form of an O/R name: only the gateway that is meant can tell.
    LONGLINE_TRY(const mail::Address address, mail::parse_address(text));
    return to_string(address);
  }
  OrName shorter = name;
  if (iequals(name.country, mapping.country) && name.admd == mapping.admd && iequals(name.prmd, mapping.prmd)) set_domain(shorter, {"", "", "", ""});
  const std::string text = to_slash_text(shorter.empty() ? name : shorter);
  const std::string mailbox = mail::to_string({text, mapping.gateway_domain});
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E; })) {
    return Error(Errc::malformed, fmt::format("the O/R name {} has characters that an address cannot have", escape_at_most(text, 120)));
  }
  if (mapping.gateway_domain.empty() || mailbox.size() > kLongestMailbox) {
    return Error(Errc::refused, fmt::format("the O/R name {} cannot be written as an Internet address", escape_at_most(text, 120)));
  }
  return mailbox;
}

}  // namespace longline::x400
