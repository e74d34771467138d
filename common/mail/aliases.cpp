// SPDX-License-Identifier: MIT
#include "mail/aliases.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "mail/address.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kMostAddresses = 1000;
constexpr std::size_t kMostComplaints = 100;

/// At commas outside quotes.
std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> out;
  bool quoted = false;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '\\') ++i;
    else if (i < text.size() && text[i] == '"') quoted = !quoted;
    else if (i == text.size() || (text[i] == ',' && !quoted)) {
      out.push_back(trim(text.substr(from, i - from)));
      from = i + 1;
    }
  }
  return out;
}

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// "bob" and "\bob" (the name itself, not its alias, to sendmail) are names; the rest must be an address. "" for what is not followed.
std::string target_of(std::string_view text) {
  text = unquoted(text);
  if (text.empty() || text.front() == '|' || text.front() == '/' || text.starts_with(":include:")) return "";
  if (text.front() == '\\') text.remove_prefix(1);
  const auto address = parse_address(text, "alias.invalid");
  if (!address) return "";
  return address->domain == "alias.invalid" ? address->local : to_string(*address);
}

/// RFC 6761, 6.3: localhost is this host, to whoever asks. Nobody else may get its mail, whatever connectors there are.
std::string at_this_host(const std::string& recipient, std::string_view host) {
  if (!iequals(domain_of(recipient), "localhost")) return recipient;
  return recipient.substr(0, recipient.rfind('@') + 1) + std::string(host);
}

}  // namespace

Aliases::Aliases(std::string_view text) {
  std::string entry;
  int number = 0, started = 0;
  const auto end_entry = [&] {
    if (!trim(entry).empty()) take_entry(entry, started);
    entry.clear();
  };
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const bool continues = !line.empty() && (line.front() == ' ' || line.front() == '\t') && !entry.empty();
    if (trim(line).empty() || line.front() == '#') continue;
    if (!continues) {
      end_entry();
      started = number;
    }
    entry += line;
  }
  end_entry();
}

Aliases Aliases::unread(std::string_view why) {
  Aliases out;
  out.complain(0, why);
  return out;
}

void Aliases::complain(int line, std::string_view what) {
  if (complaints_.size() < kMostComplaints) complaints_.push_back({line, escape_at_most(what, 200)});
}

void Aliases::take_entry(std::string_view entry, int line) {
  const std::size_t after_name = entry.starts_with('"') ? entry.find('"', 1) : 0;
  const std::size_t colon = after_name == std::string_view::npos ? after_name : entry.find(':', after_name);
  if (colon == std::string_view::npos) return complain(line, "no colon behind the name");
  const std::string name = to_lower(unquoted(trim(entry.substr(0, colon))));
  if (name.empty()) return complain(line, "no name");
  std::vector<std::string> targets;
  for (const std::string_view text : split_list(entry.substr(colon + 1))) {
    if (text.empty()) continue;
    std::string target = target_of(text);
    if (target.empty()) complain(line, std::string(text) + " is not followed: neither a name nor an address");
    else targets.push_back(std::move(target));
  }
  if (targets.empty()) return complain(line, name + " has nobody to go to");
  if (!targets_.emplace(name, std::move(targets)).second) complain(line, name + " is there twice, the first counts");
}

std::vector<std::string> Aliases::expand(const std::string& address, std::string_view host) const {
  std::vector<std::string> out, open{address};
  std::set<std::string> seen;
  while (!open.empty() && out.size() < kMostAddresses && seen.size() <= kMostAddresses) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const auto parsed = parse_address(next, host);
    if (!parsed) continue;
    std::string printed = to_string(*parsed);
    const auto found = iequals(parsed->domain, host) ? targets_.find(to_lower(parsed->local)) : targets_.end();
    const bool first = seen.insert(to_lower(parsed->local) + "@" + parsed->domain).second;
    if (found == targets_.end()) {
      if (std::find(out.begin(), out.end(), printed) == out.end()) out.push_back(std::move(printed));
      continue;
    }
    if (!first) continue;
    for (auto t = found->second.rbegin(); t != found->second.rend(); ++t) {
      const auto target = parse_address(*t, host);
      const bool itself = target && to_lower(target->local) == to_lower(parsed->local) && iequals(target->domain, host);
      if (itself && std::find(out.begin(), out.end(), printed) == out.end()) out.push_back(printed);
      else open.push_back(*t);
    }
  }
  if (out.empty()) out.push_back(address);
  return out;
}

void route_submission(Submission& submission, const Aliases& aliases, ConnectorChoice& choice, std::string_view host) {
  std::vector<std::string> given = std::move(submission.recipients);
  submission.recipients.clear();
  std::set<std::string> seen(submission.local_recipients.begin(), submission.local_recipients.end());
  for (const std::string& recipient : given) {
    const DsnWish wish = submission.dsn.of(recipient);
    for (std::string& address : aliases.expand(at_this_host(recipient, host), host)) {
      if (!seen.insert(address).second) continue;
      // RFC 3461, 6.2.7: what stands for a name inherits what was asked about it.
      if (!wish.empty() && address != recipient) submission.dsn.recipients[address] = wish;
      (choice.choose(address).local ? submission.local_recipients : submission.recipients).push_back(std::move(address));
    }
  }
}

}  // namespace longline::mail
