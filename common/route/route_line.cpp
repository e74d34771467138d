// SPDX-License-Identifier: MIT
// One line of a route file: words in the order of ip-route(8).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "route/route_text.hpp"

namespace longline::route {
namespace {

constexpr std::size_t kLongestInterfaceName = 15;  // IFNAMSIZ - 1
constexpr std::size_t kLongestLinkName = 64;

const std::vector<std::string>& keywords() {
  static const std::vector<std::string> all = {"via",    "dev",       "link",      "metric",      "table",    "src",
                                               "mtu",    "onlink",    "fail-fast", "mask",        "unicast",  "blackhole",
                                               "unreachable", "prohibit", "proto", "scope",       "default"};
  return all;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::optional<RouteKind> kind_named(std::string_view word) {
  if (word == "unicast") return RouteKind::unicast;
  if (word == "blackhole") return RouteKind::blackhole;
  if (word == "unreachable") return RouteKind::unreachable;
  if (word == "prohibit") return RouteKind::prohibit;
  return std::nullopt;
}

std::optional<std::uint32_t> parse_u32(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "10/8", "192.168/16": ip-route(8) fills up with zeros when a length is given.
std::optional<IpAddress> parse_abbreviated(std::string_view text) {
  const auto dots = std::count(text.begin(), text.end(), '.');
  if (dots >= 3 || text.size() >= 12 || text.find(':') != std::string_view::npos) return parse_address(text);
  std::string full(text);
  for (auto i = dots; i < 3; ++i) full += ".0";
  return parse_address(full);
}

class LineParser {
 public:
  LineParser(std::string_view line, int number, const std::string& file, std::vector<Diagnostic>& diagnostics,
             Completeness completeness)
      : line_(line), number_(number), file_(file), diagnostics_(diagnostics), completeness_(completeness) {}

  std::optional<Wanted> parse() {
    if (line_.size() > kLongestLine) {
      fail({}, "line-too-long", fmt::format("the line is longer than {} bytes", kLongestLine));
      return std::nullopt;
    }
    word_ = next_word();
    if (word_.empty()) return std::nullopt;
    if (!parse_words() || !check()) return std::nullopt;
    return Wanted{std::move(route_), 0, number_, column_of(prefix_word_)};
  }

 private:
  std::string_view next_word() {
    std::size_t begin = offset_;
    while (begin < line_.size() && is_space(line_[begin])) ++begin;
    if (begin == line_.size() || line_[begin] == '#') {
      offset_ = line_.size();
      return line_.substr(begin, 0);
    }
    std::size_t end = begin;
    while (end < line_.size() && !is_space(line_[end])) ++end;
    offset_ = end;
    last_end_ = end;
    return line_.substr(begin, end - begin);
  }

  int column_of(std::string_view word) const {
    return word.data() == nullptr ? 0 : static_cast<int>(word.data() - line_.data()) + 1;
  }

  bool fail(std::string_view word, std::string code, std::string message, std::string fix = "") {
    Diagnostic d{Severity::error, std::move(code), {file_, number_, column_of(word)}, std::max<std::size_t>(1, word.size()),
                 std::move(message), std::move(fix)};
    diagnostics_.push_back(std::move(d));
    return false;
  }

  /// The argument of the keyword that stands in word_.
  bool argument(std::string_view& out, bool seen) {
    const std::string_view keyword = word_;
    if (seen) return fail(keyword, "repeated", fmt::format("'{}' is given twice", keyword));
    out = next_word();
    if (out.empty()) {
      const Where end{file_, number_, static_cast<int>(last_end_) + 1};
      diagnostics_.push_back({Severity::error, "no-argument", end, 1, fmt::format("'{}' needs a value behind it", keyword), ""});
      return false;
    }
    return true;
  }

  bool address(IpAddress& out, std::string_view& where) {
    if (!argument(where, static_cast<bool>(out))) return false;
    const std::optional<IpAddress> parsed = parse_address(where);
    if (!parsed) {
      const bool zone = where.find('%') != std::string_view::npos;
      return fail(where, "bad-address", fmt::format("'{}' is not an IP address", escape(where)),
                  zone ? "write the address without '%…', and 'dev' with the interface" : "");
    }
    out = *parsed;
    return true;
  }

  bool number(std::uint32_t& out, bool& seen, std::uint32_t least, std::uint32_t most) {
    const std::string_view keyword = word_;
    std::string_view text;
    if (!argument(text, seen)) return false;
    seen = true;
    const std::optional<std::uint32_t> value = parse_u32(text);
    if (!value || *value < least || *value > most) {
      return fail(text, "bad-number", fmt::format("'{}' is not a {} ({} to {})", escape(text), keyword, least, most));
    }
    out = *value;
    return true;
  }

  bool table() {
    const std::size_t before = offset_;
    const std::string_view keyword = word_;
    const std::string_view name = next_word();
    if (!table_seen_ && (name == "main" || name == "default")) {
      route_.table = name == "main" ? kMainTable : 253;
      table_seen_ = true;
      return true;
    }
    if (name == "local" || name == "255") return fail(name, "local-table", "the local table belongs to the kernel");
    offset_ = before;
    word_ = keyword;
    return number(route_.table, table_seen_, 1, std::numeric_limits<std::uint32_t>::max());
  }

  bool name(std::string& out, std::size_t longest, std::string_view what) {
    std::string_view text;
    name_word_ = word_;
    if (!argument(text, !out.empty())) return false;
    const bool bad = text.size() > longest || text == "." || text == ".." ||
                     std::any_of(text.begin(), text.end(), [](char c) {
                       return c == '/' || c == ':' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
                     });
    if (bad) {
      return fail(text, "bad-name", fmt::format("'{}' cannot be the name of {} (1 to {} bytes, without '/', ':' and controls)",
                                                escape_at_most(text, 80), what, longest));
    }
    out = text;
    return true;
  }

  bool prefix() {
    prefix_word_ = word_;
    if (word_ == "default") {
      is_default_ = true;
      return true;
    }
    const std::size_t slash = word_.find('/');
    const std::string_view text = word_.substr(0, slash);
    const std::optional<IpAddress> address = slash == std::string_view::npos ? parse_address(text) : parse_abbreviated(text);
    if (!address) return bad_prefix();
    const int bits = address_bits(address->family);
    int length = bits;
    if (slash != std::string_view::npos) {
      const std::string_view length_text = word_.substr(slash + 1);
      const std::optional<std::uint32_t> number = parse_u32(length_text);
      const std::optional<IpAddress> mask = number ? std::nullopt : parse_address(length_text);
      if (number && *number <= static_cast<std::uint32_t>(bits)) {
        length = static_cast<int>(*number);
      } else if (mask && mask->family == Family::ipv4 && address->family == Family::ipv4) {
        if (!set_mask(*mask, length_text, length)) return false;
      } else {
        return fail(length_text.empty() ? word_ : length_text, "bad-length",
                    fmt::format("'{}' is not a prefix length (0 to {})", escape(length_text), bits));
      }
      length_seen_ = true;
    }
    route_.to = {*address, length};
    return true;
  }

  bool bad_prefix() {
    const std::optional<std::string> near = nearest(word_, keywords());
    const bool keyword = near && *near == word_;
    return fail(word_, "bad-prefix",
                keyword ? fmt::format("'{}' stands where the network should be", word_)
                        : fmt::format("'{}' is not a network such as 192.168.100.0/24", escape_at_most(word_, 80)),
                near && !keyword ? fmt::format("'{}'?", *near) : "");
  }

  bool set_mask(const IpAddress& mask, std::string_view word, int& length) {
    const std::optional<int> ones = mask_length(mask);
    if (!ones) return fail(word, "bad-mask", fmt::format("'{}' is not a netmask: its ones are not in one piece", escape(word)));
    length = *ones;
    return true;
  }

  bool mask() {
    std::string_view text;
    if (!argument(text, length_seen_)) return false;
    if (route_.to.address.family != Family::ipv4) {
      return fail(text, "bad-mask", "a mask needs an IPv4 network in front of it", "write the length: 2001:db8::/32");
    }
    length_seen_ = true;
    const std::optional<IpAddress> parsed = parse_address(text);
    if (!parsed || parsed->family != Family::ipv4) {
      return fail(text, "bad-mask", fmt::format("'{}' is not a netmask such as 255.255.255.0", escape(text)));
    }
    return set_mask(*parsed, text, route_.to.length);
  }

  bool kind() {
    if (kind_word_.data() != nullptr) return fail(word_, "repeated", fmt::format("'{}' stands beside '{}'", word_, kind_word_));
    kind_word_ = word_;
    route_.kind = *kind_named(word_);
    return true;
  }

  bool flag(bool& out) {
    if (out) return fail(word_, "repeated", fmt::format("'{}' is given twice", word_));
    out = true;
    return true;
  }

  bool protocol() {
    std::string_view text;
    if (!argument(text, false)) return false;
    if (text == "77") return true;
    return fail(text, "bad-protocol", "routes of longline have the protocol number 77, and no other", "leave 'proto' out");
  }

  bool keyword() {
    if (word_ == "via") return address(route_.via, via_word_);
    if (word_ == "src") return address(route_.source, source_word_);
    if (word_ == "dev") return name(route_.device, kLongestInterfaceName, "an interface");
    if (word_ == "link") return name(route_.link, kLongestLinkName, "a link");
    if (word_ == "metric" || word_ == "priority" || word_ == "preference") {
      return number(route_.metric, metric_seen_, 0, std::numeric_limits<std::uint32_t>::max());
    }
    if (word_ == "table") return table();
    if (word_ == "mtu") {
      mtu_word_ = word_;
      return number(route_.mtu, mtu_seen_, 68, 65535);
    }
    if (word_ == "mask") return mask();
    if (word_ == "onlink") return flag(route_.onlink);
    if (word_ == "fail-fast") return flag(route_.fail_fast);
    if (word_ == "proto") return protocol();
    if (word_ == "scope") {  // what `ip route show` prints; the kernel's scope follows from `via`
      std::string_view ignored;
      return argument(ignored, false);
    }
    if (kind_named(word_)) return kind();
    if (parse_address(word_) && !route_.via) {
      return fail(word_, "unknown-word", fmt::format("the address {} has no word in front of it", word_),
                  fmt::format("'via {}' for a gateway", word_));
    }
    const std::optional<std::string> near = nearest(word_, keywords());
    return fail(word_, "unknown-word", fmt::format("unknown word '{}'", escape_at_most(word_, 80)),
                near ? fmt::format("'{}'?", *near) : "");
  }

  bool parse_words() {
    while (kind_named(word_)) {
      if (!kind()) return false;
      word_ = next_word();
    }
    if (word_.empty()) return fail(kind_word_, "no-prefix", "the network is missing");
    if (!prefix()) return false;
    for (word_ = next_word(); !word_.empty(); word_ = next_word()) {
      if (!keyword()) return false;
    }
    return true;
  }

  /// What the words mean together.
  bool check() {
    if (is_default_) {
      const Family family = route_.via ? route_.via.family : route_.source ? route_.source.family : Family::ipv4;
      route_.to = default_prefix(family);
    }
    if (route_.to.has_host_bits()) {
      const std::string meant = to_string(network_of(route_.to));
      return fail(prefix_word_, "host-bits",
                  fmt::format("{} has bits set behind its length of {}; the network meant is {}",
                              to_string(route_.to.address), route_.to.length, meant),
                  meant);
    }
    const Family family = route_.to.address.family;
    if (route_.via && route_.via.family != family) return wrong_family(via_word_);
    if (route_.source && route_.source.family != family) return wrong_family(source_word_);
    if (route_.via && (route_.via.is_unspecified() || route_.via.is_multicast())) {
      return fail(via_word_, "bad-gateway", fmt::format("{} cannot be a gateway", to_string(route_.via)));
    }
    if (!route_.device.empty() && !route_.link.empty()) {
      return fail(name_word_, "dev-and-link", "a route is on an interface or on a link, not on both",
                  "leave 'dev' out: the link knows its interface");
    }
    const bool on_interface = !route_.device.empty() || !route_.link.empty();
    if (route_.kind != RouteKind::unicast) {
      if (on_interface || route_.via || route_.onlink || route_.fail_fast) {
        return fail(kind_word_, "next-hop", fmt::format("a route of kind {} goes nowhere: it takes no via, dev, link, onlink "
                                                        "and fail-fast", to_string(route_.kind)));
      }
      return true;
    }
    if (completeness_ == Completeness::selection) return true;
    if (!on_interface && !route_.via) return fail(prefix_word_, "no-next-hop", "the route needs 'via', 'dev' or 'link'");
    if (route_.onlink && !(on_interface && route_.via)) {
      return fail(prefix_word_, "onlink", "'onlink' needs 'via' and 'dev' or 'link'");
    }
    if (route_.via.is_link_local() && !on_interface) {
      return fail(via_word_, "link-local", "a link-local gateway needs 'dev' or 'link'");
    }
    if (route_.mtu != 0 && route_.mtu < 1280 && family == Family::ipv6) {
      return fail(mtu_word_, "bad-number", "an IPv6 mtu is at least 1280 (RFC 8200, 5)");
    }
    return true;
  }

  bool wrong_family(std::string_view word) {
    return fail(word, "wrong-family", fmt::format("'{}' is not an {} address like the network", word,
                                                  family_name(route_.to.address.family)));
  }

  std::string_view line_;
  int number_;
  const std::string& file_;
  std::vector<Diagnostic>& diagnostics_;
  Completeness completeness_;
  std::size_t offset_ = 0;
  std::size_t last_end_ = 0;
  std::string_view word_{};
  std::string_view prefix_word_{}, kind_word_{}, via_word_{}, source_word_{}, mtu_word_{}, name_word_{};
  Route route_{};
  bool is_default_ = false, length_seen_ = false, metric_seen_ = false, table_seen_ = false, mtu_seen_ = false;
};

}  // namespace

std::optional<Wanted> parse_route_line(std::string_view line, int line_number, const std::string& file,
                                       std::vector<Diagnostic>& diagnostics, Completeness completeness) {
  return LineParser(line, line_number, file, diagnostics, completeness).parse();
}

bool matches(const Route& selection, const Route& route) {
  return selection.to == route.to && selection.table == route.table &&
         (selection.metric == 0 || selection.metric == effective_metric(route)) &&
         (selection.kind == RouteKind::unicast || selection.kind == route.kind) &&
         (!selection.via || selection.via == route.via) && (selection.device.empty() || selection.device == route.device) &&
         (selection.link.empty() || selection.link == route.link) && (!selection.source || selection.source == route.source);
}

}  // namespace longline::route
