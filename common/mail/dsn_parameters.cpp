// SPDX-License-Identifier: MIT
#include "mail/dsn_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestEnvelopeId = 100;   // RFC 3461, 5.4
constexpr std::size_t kLongestOriginal = 500;

struct Parameter {
  std::string key;   // lower case
  std::string_view value;
};

Parameter split_parameter(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  return {to_lower(text.substr(0, equals)), text.substr(std::min(equals + 1, text.size()))};
}

}  // namespace

Result<std::string> parse_notify(std::string_view text) {
  const std::string upper = to_upper(text);
  if (upper == "NEVER") return upper;
  std::string out;
  for (const std::string_view keyword : {"SUCCESS", "FAILURE", "DELAY"}) {
    const auto given = split(upper, ',');
    if (std::find(given.begin(), given.end(), keyword) != given.end()) out += (out.empty() ? "" : ",") + std::string(keyword);
  }
  // Nothing but known keywords, each once.
  if (out.empty() || out.size() != upper.size()) return Error(Errc::malformed, "NOTIFY is NEVER, or SUCCESS, FAILURE and DELAY");
  return out;
}

Result<std::string> parse_ret(std::string_view text) {
  const std::string ret = to_upper(text);
  if (ret != "FULL" && ret != "HDRS") return Error(Errc::malformed, "RET is FULL or HDRS");
  return ret;
}

std::string to_xtext(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c <= '~' && c != '+' && c != '=') out += c;
    else out += fmt::format("+{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

bool is_xtext(std::string_view text) {
  const auto is_hex = [&](std::size_t i) { return i < text.size() && std::string_view("0123456789ABCDEF").find(text[i]) != std::string_view::npos; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '!' || text[i] > '~' || text[i] == '=') return false;
    if (text[i] != '+') continue;
    if (!is_hex(i + 1) || !is_hex(i + 2)) return false;
    i += 2;
  }
  return true;
}

Result<bool> take_mail_parameter(std::string_view parameter, DsnWishes& wishes) {
  const Parameter p = split_parameter(parameter);
  if (p.key == "ret") {
    if (!wishes.ret.empty()) return Error(Errc::malformed, "RET twice");
    LONGLINE_TRY(wishes.ret, parse_ret(p.value));
    return true;
  }
  if (p.key != "envid") return false;
  if (!wishes.envelope_id.empty()) return Error(Errc::malformed, "ENVID twice");
  if (p.value.empty() || p.value.size() > 3 * kLongestEnvelopeId || !is_xtext(p.value)) return Error(Errc::malformed, "ENVID is not xtext");
  wishes.envelope_id = p.value;
  return true;
}

Result<bool> take_recipient_parameter(std::string_view parameter, DsnWish& wish) {
  const Parameter p = split_parameter(parameter);
  if (p.key == "notify") {
    if (!wish.notify.empty()) return Error(Errc::malformed, "NOTIFY twice");
    LONGLINE_TRY(wish.notify, parse_notify(p.value));
    return true;
  }
  if (p.key != "orcpt") return false;
  if (!wish.original.empty()) return Error(Errc::malformed, "ORCPT twice");
  const std::size_t semicolon = p.value.find(';');
  const bool good = semicolon != std::string_view::npos && semicolon > 0 && semicolon + 1 < p.value.size() &&
                    p.value.size() <= kLongestOriginal && is_xtext(p.value);
  if (!good) return Error(Errc::malformed, "ORCPT is not type;xtext");
  wish.original = p.value;
  return true;
}

}  // namespace longline::mail
