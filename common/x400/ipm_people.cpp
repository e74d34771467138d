// SPDX-License-Identifier: MIT
#include "x400/ipm_people.hpp"

#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/message.hpp"
#include "x400/encoded_words.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kMostPeople = 1000;

/// Where the first `wanted` outside of quoted strings and comments is; npos without one.
std::size_t find_outside(std::string_view text, char wanted) {
  bool quoted = false;
  int comments = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') ++i;
    else if (c == '"' && comments == 0) quoted = !quoted;
    else if (quoted) continue;
    else if (c == '(') ++comments;
    else if (c == ')' && comments > 0) --comments;
    else if (c == wanted && comments == 0) return i;
  }
  return std::string_view::npos;
}

/// What stands before "<".
std::string display_name(std::string_view entry) {
  const std::size_t bracket = find_outside(entry, '<');
  if (bracket == std::string_view::npos) return {};
  std::string out;
  const std::string_view phrase = trim(entry.substr(0, bracket));
  for (std::size_t i = 0; i < phrase.size(); ++i) {
    if (phrase[i] == '\\' && i + 1 < phrase.size()) ++i;
    else if (phrase[i] == '"') continue;
    out += phrase[i];
  }
  return decode_words(out);
}

}  // namespace

std::vector<OrDescriptor> people_of(std::string_view stored, std::string_view field, const AddressMapping& mapping) {
  std::vector<OrDescriptor> out;
  const auto body = mail::header_field(stored, field);
  if (!body || !mail::parse_address_list(*body)) return out;
  std::string_view rest = *body;
  while (!rest.empty() && out.size() < kMostPeople) {
    const std::size_t comma = find_outside(rest, ',');
    const std::string_view entry = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto addresses = mail::parse_address_list(entry);
    if (!addresses) continue;
    for (const mail::Address& address : *addresses) {
      auto name = to_or_name(to_string(address), mapping);
      if (name) out.push_back({std::move(*name), display_name(entry)});
    }
  }
  return out;
}

}  // namespace longline::x400
