// SPDX-License-Identifier: MIT
#include "mail/dns_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kHeader = 12, kMostRecords = 64, kMostHosts = 10;
constexpr int kTypeA = 1, kTypeMx = 15, kTypeAaaa = 28, kClassInternet = 1;

/// The message from the first byte to the last, with a place in it. After a read beyond the end it is no `good`.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}
  bool good() const { return good_; }
  std::size_t at() const { return at_; }
  void go_to(std::size_t at) {
    good_ = good_ && at <= message_.size();
    at_ = at;
  }
  int byte() {
    if (!good_ || at_ >= message_.size()) {
      good_ = false;
      return 0;
    }
    return static_cast<unsigned char>(message_[at_++]);
  }
  int two() {
    const int high = byte();
    return high << 8 | byte();
  }
  /// A name, its pointers followed: each goes back, so that there is an end. nullopt where no host can have it; the place is behind it.
  std::optional<std::string> name() {
    std::string out;
    bool plain = true;
    std::optional<std::size_t> behind;
    std::size_t bound = at_;
    while (good_) {
      const int length = byte();
      if (length == 0) break;
      if ((length & 0xC0) == 0xC0) {
        const std::size_t target = static_cast<std::size_t>((length & 0x3F) << 8 | byte());
        if (!behind) behind = at_;
        good_ = good_ && target < bound;
        bound = target;
        at_ = target;
        continue;
      }
      if ((length & 0xC0) != 0 || out.size() > 255) good_ = false;
      if (!out.empty()) out += '.';
      for (int i = 0; good_ && i < length; ++i) {
        const char c = static_cast<char>(byte());
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
        out += c;
      }
    }
    if (good_ && behind) at_ = *behind;
    if (!good_ || !plain || out.size() > 253) return std::nullopt;
    return to_lower(out);
  }

 private:
  std::string_view message_;
  std::size_t at_ = 0;
  bool good_ = true;
};

std::string address_text(Reader& in, int type) {
  if (type == kTypeA) {
    const int a = in.byte(), b = in.byte(), c = in.byte();
    return fmt::format("{}.{}.{}.{}", a, b, c, in.byte());
  }
  std::string out;
  for (int i = 0; i < 8; ++i) out += fmt::format("{}{:x}", i == 0 ? "" : ":", in.two());
  return out;
}

}  // namespace

Result<DnsAnswer> parse_dns_answer(std::string_view message) {
  Reader in(message);
  in.go_to(2);
  const bool response = (in.byte() & 0x80) != 0;
  in.go_to(4);
  const int questions = in.two(), answers = in.two(), authorities = in.two(), additional = in.two();
  in.go_to(kHeader);
  for (int i = 0; i < questions && in.good(); ++i) {
    in.name();
    in.go_to(in.at() + 4);
  }
  if (!response || !in.good()) return Error(Errc::malformed, "the name server's answer is malformed");
  DnsAnswer out;
  for (int i = 0; i < answers + authorities + additional; ++i) {
    const std::optional<std::string> owner = in.name();
    const int type = in.two(), its_class = in.two();
    in.go_to(in.at() + 4);
    const std::size_t length = static_cast<std::size_t>(in.two()), data = in.at();
    in.go_to(data + length);
    if (!in.good()) return out;   // cut short: what came whole counts
    in.go_to(data);
    const bool is_address = (type == kTypeA && length == 4) || (type == kTypeAaaa && length == 16);
    if (its_class == kClassInternet && type == kTypeMx && i < answers && length >= 3) {
      const int preference = in.two();
      const std::optional<std::string> host = in.name();
      if (host && in.at() == data + length && out.exchangers.size() < kMostRecords) out.exchangers.push_back({preference, *host});
    } else if (its_class == kClassInternet && is_address && i < answers) {
      if (out.addresses.size() < kMostRecords) out.addresses.push_back(address_text(in, type));
    } else if (its_class == kClassInternet && is_address && i >= answers + authorities && owner) {
      if (out.additional.size() < kMostRecords) out.additional[*owner];
      const auto known = out.additional.find(*owner);
      if (known != out.additional.end() && known->second.size() < kMostRecords) known->second.push_back(address_text(in, type));
    }
    Reader next(message);
    next.go_to(data + length);
    in = next;
  }
  return out;
}

MailRoute mail_route(const std::vector<DnsAnswer::Exchanger>& exchangers, std::string_view our_name) {
  MailRoute route;
  std::vector<DnsAnswer::Exchanger> sorted = exchangers;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.preference < b.preference; });
  route.takes_no_mail = !sorted.empty() && std::all_of(sorted.begin(), sorted.end(), [](const auto& e) { return e.host.empty(); });
  const auto ours = std::find_if(sorted.begin(), sorted.end(), [&](const auto& e) { return !our_name.empty() && iequals(e.host, our_name); });
  for (const auto& exchanger : sorted) {
    if (ours != sorted.end() && exchanger.preference >= ours->preference) break;
    const bool known = std::find(route.hosts.begin(), route.hosts.end(), exchanger.host) != route.hosts.end();
    if (!exchanger.host.empty() && !known && route.hosts.size() < kMostHosts) route.hosts.push_back(exchanger.host);
  }
  route.is_ours = ours != sorted.end() && route.hosts.empty();
  return route;
}

}  // namespace longline::mail
