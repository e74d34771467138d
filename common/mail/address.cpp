// SPDX-License-Identifier: MIT
#include "mail/address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/host_name.hpp"
#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestAddress = 254;  // a path of 256 with its brackets; RFC 5321, 4.5.3.1.3
constexpr std::size_t kLongestLocal = 64;
constexpr std::size_t kLongestShownAddress = 80;

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_atext(char c) {
  return is_alnum(c) || is_high(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

Error bad(std::string_view text, std::string_view why) {
  return Error(Errc::malformed, fmt::format("'{}' is not an address: {}", escape_at_most(text, kLongestShownAddress), why));
}

/// Where the quoted string at the start ends, behind its closing quote; npos if it does not.
std::size_t end_of_quoted(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == '"') return i + 1;
  }
  return std::string_view::npos;
}

std::string unquote(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
    out += quoted[i];
  }
  return out;
}

bool is_dot_atom(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.back() == '.') return false;
  if (local.find("..") != std::string_view::npos) return false;
  return std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || is_atext(c); });
}

Result<void> check_domain(std::string_view text, std::string_view domain) {
  if (domain.empty()) return bad(text, "nothing behind the @");
  if (domain.front() == '[') {
    if (!is_address_literal(domain)) return bad(text, "the address literal in brackets is malformed");
    return {};
  }
  if (domain.find('@') != std::string_view::npos) return bad(text, "it has two @");
  if (const auto objection = objection_to_host_name(domain)) return bad(text, *objection);
  return {};
}

Result<std::string> parse_local(std::string_view text, std::string_view local) {
  if (local.empty()) return bad(text, "nothing before the @");
  if (local.front() == '"') {
    if (end_of_quoted(local) != local.size()) return bad(text, "the quoted local part does not end before the @");
    std::string value = unquote(local);
    if (std::any_of(value.begin(), value.end(), is_control)) return bad(text, "control character in the local part");
    return value;
  }
  for (const char c : local) {
    if (c != '.' && !is_atext(c)) {
      return bad(text, fmt::format("'{}' needs a quoted local part", escape(std::string_view(&c, 1))));
    }
  }
  return std::string(local);
}

/// "@a,@b:" at the start of a path.
std::string_view without_route(std::string_view path) {
  if (path.empty() || path.front() != '@') return path;
  const std::size_t colon = path.find(':');
  return colon == std::string_view::npos ? path : path.substr(colon + 1);
}

/// Walks over an address list, entry by entry.
class ListReader {
 public:
  ListReader(std::string_view text, std::string_view default_domain) : text_(text), default_domain_(default_domain) {}

  Result<std::vector<Address>> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '(') {
        LONGLINE_CHECK(skip_comment());
        if (!angle_) entry_ += ' ';
      } else if (c == '"' || c == '[') {
        LONGLINE_CHECK(copy_enclosed(c));
      } else {
        ++at_;
        LONGLINE_CHECK(take(c));
      }
    }
    LONGLINE_CHECK(end_entry());
    return std::move(found_);
  }

 private:
  Result<void> take(char c) {
    if (in_angle_) {
      if (c == '>') in_angle_ = false;
      else if (!is_blank(c)) *angle_ += c;
      return {};
    }
    switch (c) {
      case '<':
        if (angle_) return bad(entry_, "a second '<'");
        angle_.emplace();
        in_angle_ = true;
        return {};
      case '>': return bad(entry_, "'>' without '<'");
      case ',': return end_entry();
      case ';':
        in_group_ = false;
        return end_entry();
      case ':':
        if (in_group_ || angle_) return bad(entry_, "':' inside of an address");
        in_group_ = true;
        entry_.clear();
        return {};
      default: entry_ += is_blank(c) ? ' ' : c; return {};
    }
  }

  Result<void> skip_comment() {
    int depth = 0;
    for (const std::size_t from = at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') ++at_;
      else if (text_[at_] == '(') ++depth;
      else if (text_[at_] == ')' && --depth == 0) {
        ++at_;
        return {};
      }
      if (at_ + 1 >= text_.size()) return bad(text_.substr(from), "a comment without its ')'");
    }
    return {};
  }

  Result<void> copy_enclosed(char opening) {
    const std::string_view rest = text_.substr(at_);
    std::size_t length = opening == '"' ? end_of_quoted(rest) : rest.find(']');
    if (length == std::string_view::npos) return bad(rest, fmt::format("'{}' is not closed", opening));
    if (opening == '[') ++length;
    std::string piece(rest.substr(0, length));
    piece.erase(std::remove_if(piece.begin(), piece.end(), [](char c) { return c == '\r' || c == '\n'; }), piece.end());
    (in_angle_ ? *angle_ : entry_) += piece;
    at_ += length;
    return {};
  }

  Result<void> end_entry() {
    if (in_angle_) return bad(*angle_, "'<' is not closed");
    std::string address = angle_ ? std::string(without_route(*angle_)) : tight(entry_);
    const bool empty = address.empty() && !angle_;
    entry_.clear();
    angle_.reset();
    if (empty) return {};
    if (address.empty()) return bad("<>", "nothing between the brackets");
    LONGLINE_TRY(Address parsed, parse_address(address, default_domain_));
    found_.push_back(std::move(parsed));
    return {};
  }

  /// The obsolete syntax allows blanks around "@" and "."; others stay, and are refused later.
  static std::string tight(std::string_view entry) {
    std::string out;
    for (const char c : trim(entry)) {
      if (c == '@' || c == '.') {
        while (!out.empty() && out.back() == ' ') out.pop_back();
      } else if (c == ' ' && !out.empty() && (out.back() == '@' || out.back() == '.' || out.back() == ' ')) {
        continue;
      }
      out += c;
    }
    return out;
  }

  std::string_view text_;
  std::string_view default_domain_;
  std::size_t at_ = 0;
  std::string entry_;
  std::optional<std::string> angle_;
  bool in_angle_ = false;
  bool in_group_ = false;
  std::vector<Address> found_;
};

}  // namespace

std::string to_string(const Address& address) {
  std::string out;
  if (is_dot_atom(address.local)) {
    out = address.local;
  } else {
    out = '"';
    for (const char c : address.local) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return address.domain.empty() ? out : out + '@' + address.domain;
}

bool needs_smtputf8(std::string_view address) { return std::any_of(address.begin(), address.end(), is_high); }

Result<Address> parse_address(std::string_view text, std::string_view default_domain) {
  std::string_view path = trim(text);
  if (path.size() >= 2 && path.front() == '<' && path.back() == '>') path = trim(path.substr(1, path.size() - 2));
  path = without_route(path);
  if (path.empty()) return bad(text, "it is empty");
  std::size_t at = 0;
  if (path.front() == '"') {
    at = end_of_quoted(path);
    if (at == std::string_view::npos) return bad(text, "the quoted local part is not closed");
    if (at < path.size() && path[at] != '@') return bad(text, "the quoted local part does not end before the @");
    if (at == path.size()) at = std::string_view::npos;
  } else {
    at = path.find('@');
  }
  if (path.size() > kLongestAddress) {
    return bad(text, fmt::format("it is {} bytes long, {} are allowed", path.size(), kLongestAddress));
  }
  Address address;
  LONGLINE_TRY(address.local, parse_local(text, path.substr(0, at)));
  if (address.local.size() > kLongestLocal) {
    return bad(text, fmt::format("its local part is {} bytes long, {} are allowed", address.local.size(), kLongestLocal));
  }
  if (at == std::string_view::npos) {
    if (default_domain.empty()) return bad(text, "it has no domain");
    address.domain = to_lower(default_domain);
    return address;
  }
  const std::string_view domain = path.substr(at + 1);
  LONGLINE_CHECK(check_domain(text, domain));
  address.domain = to_lower(domain);
  return address;
}

Result<std::optional<Address>> parse_reverse_path(std::string_view text, std::string_view default_domain) {
  const std::string_view path = trim(text);
  if (path.empty() || path == "<>") return std::optional<Address>();
  LONGLINE_TRY(Address address, parse_address(path, default_domain));
  return std::optional<Address>(std::move(address));
}

Result<std::vector<Address>> parse_address_list(std::string_view field_body, std::string_view default_domain) {
  return ListReader(field_body, default_domain).read();
}

std::optional<int> match_domain(std::string_view pattern, std::string_view domain) {
  if (pattern == "*") return 0;
  const int length = static_cast<int>(pattern.size());
  if (pattern.starts_with("*.")) {
    const std::string_view suffix = pattern.substr(1);
    if (domain.size() <= suffix.size()) return std::nullopt;
    return iequals(domain.substr(domain.size() - suffix.size()), suffix) ? std::optional(length) : std::nullopt;
  }
  constexpr int kExact = 1000;
  return iequals(pattern, domain) ? std::optional(kExact + length) : std::nullopt;
}

}  // namespace longline::mail
