// SPDX-License-Identifier: MIT
#include "link/ppp_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::link {
namespace {

constexpr std::size_t kLongestLine = 1024;
constexpr std::size_t kLongestName = 15;   // IFNAMSIZ - 1

/// What follows `start`, without blanks around it.
std::optional<std::string_view> behind(std::string_view line, std::string_view start) {
  if (!line.starts_with(start)) return std::nullopt;
  return trim(line.substr(start.size()));
}

bool is_ipv4(std::string_view text) {
  return text.size() >= 7 && text.size() <= 15 && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_interface(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text.find_first_of("/ :") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

void PppLog::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    line_.append(part.substr(0, kLongestLine - line_.size()));
    if (end == std::string_view::npos) return;
    on_line(trim(line_));
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void PppLog::note(Trouble trouble, std::string_view line) {
  // The first thing that went wrong is why; what follows from it is not.
  if (trouble_ != Trouble::none && trouble_ != Trouble::other) return;
  if (trouble_ == Trouble::other && trouble == Trouble::other) return;
  trouble_ = trouble;
  said_ = escape_at_most(line, 200);
}

void PppLog::on_line(std::string_view line) {
  if (line.empty()) return;
  last_ = escape_at_most(line, 200);
  if (const auto name = behind(line, "Using interface")) {
    if (is_interface(*name)) facts_.interface = *name;
  } else if (const auto renamed = behind(line, "Renamed interface")) {
    // "Renamed interface ppp0 to isp"
    const std::size_t to = renamed->rfind(" to ");
    if (to != std::string_view::npos && is_interface(renamed->substr(to + 4))) facts_.interface = renamed->substr(to + 4);
  } else if (const auto local = behind(line, "local  IP address")) {
    if (is_ipv4(*local)) facts_.local = *local;
  } else if (const auto remote = behind(line, "remote IP address")) {
    if (is_ipv4(*remote)) facts_.remote = *remote;
  } else if (line.starts_with("Connect: ")) {
    facts_.speaks = true;
  }

  static constexpr auto kMeanings = std::to_array<std::pair<std::string_view, Trouble>>({
      {"LCP terminated by peer (peer refused to authenticate", Trouble::wants_unknown},
      {"LCP terminated by peer (Authentication failed", Trouble::refused_us},
      {"LCP terminated by peer", Trouble::peer_ended},
      {"LCP: timeout sending Config-Requests", Trouble::lcp_silent},
      {"IPCP: timeout sending Config-Requests", Trouble::no_protocol},
      {"Serial line is looped back", Trouble::loop},
      {"Loopback detected", Trouble::loop},
      {"Peer not responding", Trouble::peer_silent},
      {"Serial link appears to be disconnected", Trouble::peer_silent},
      {"CHAP authentication failed", Trouble::refused_us},
      {"CHAP authentication timed out", Trouble::refused_peer},
      {"PAP authentication failed", Trouble::refused_us},
      {"EAP authentication failed", Trouble::refused_us},
      {"No response to PAP authenticate-requests", Trouble::refused_us},
      {"No CHAP secret found for authenticating us", Trouble::wants_unknown},
      {"No secret found for PAP login", Trouble::wants_unknown},
      {"peer refused to authenticate", Trouble::refused_peer},
      {"No CHAP secret found for authenticating", Trouble::refused_peer},
      {"failed CHAP authentication", Trouble::refused_peer},
      {"PAP peer authentication failed", Trouble::refused_peer},
      {"No PAP secret found for", Trouble::refused_peer},
      {"EAP: peer reports authentication failure", Trouble::refused_us},
      {"failed CHAP Session verification", Trouble::refused_peer},
      {"Peer is not authorized to use remote address", Trouble::no_remote},
      {"Unauthorized remote IP address", Trouble::no_remote},
      {"Could not determine local IP address", Trouble::no_local},
      {"Peer refused to agree to our IP address", Trouble::no_local},
      {"Refused our IP address", Trouble::no_local},
      {"No network protocols running", Trouble::no_protocol},

      {"Modem hangup", Trouble::hangup},
      {"stdin is not a tty", Trouble::hangup},   // any more: it was hung up before pppd looked
      {"Couldn't", Trouble::other},
      {"Can't", Trouble::other},
      {"nrecognized option", Trouble::other},
  });
  for (const auto& [text, meaning] : kMeanings) {
    if (line.find(text) != std::string_view::npos) {
      note(meaning, line);
      return;
    }
  }
}

std::optional<Error> PppLog::error(int status) const {
  const std::string& words = said_.empty() && (status == 1 || status == 2 || status > 19) ? last_ : said_;
  const std::string said = words.empty() ? "" : fmt::format(" (pppd: {})", words);
  const auto failure = [&](Errc code, std::string_view what, Stage stage) {
    return std::optional(Error(code, fmt::format("{}{}", what, said), stage));
  };
  switch (status) {
    case 2:
      if (trouble_ == Trouble::hangup) break;
      return Error(Errc::config, "pppd does not take its options" + said, Stage::ppp).with_hint("look at ppp-options of the link");
    case 3:
    case 4:
      return failure(Errc::no_ppp, status == 3 ? "pppd may not do what it must: it needs root" : "the kernel has no PPP", Stage::ppp);
    case 11: return failure(Errc::caller_refused, "the peer did not authenticate itself", Stage::auth);
    case 12: return failure(Errc::idle_timeout, "pppd hung up: no traffic", Stage::policy);
    case 13: return failure(Errc::call_limit, "pppd hung up: its time was over", Stage::policy);
    case 17: return failure(Errc::line_looped, "the line is looped back: we hear ourselves", Stage::ppp);
    case 19:
      return Error(Errc::auth_refused, "the peer refuses our user name or password" + said, Stage::auth)
          .with_hint("look at user and password-file of the link");
    default: break;
  }
  switch (trouble_) {
    case Trouble::lcp_silent: return failure(Errc::ppp_timeout, "the peer does not speak PPP, or not to us", Stage::ppp);
    case Trouble::loop: return failure(Errc::line_looped, "the line is looped back: we hear ourselves", Stage::ppp);
    case Trouble::peer_silent: return failure(Errc::line_dropped, "the peer no longer answers", Stage::transfer);
    case Trouble::refused_us: return failure(Errc::auth_refused, "the peer refuses our user name or password", Stage::auth);
    case Trouble::wants_unknown:
      return Error(Errc::auth_refused, "the peer wants a password, and the link has none for it" + said, Stage::auth)
          .with_hint("set user and password-file of the link");
    case Trouble::refused_peer: return failure(Errc::caller_refused, "the peer did not authenticate itself", Stage::auth);
    case Trouble::no_local: return failure(Errc::no_address, "the peer gives us no address", Stage::address);
    case Trouble::no_remote: return failure(Errc::no_address, "the peer wants an address that it may not have", Stage::address);
    case Trouble::no_protocol: return failure(Errc::ppp_failed, "the peer agrees to no IP", Stage::ppp);
    case Trouble::peer_ended: return failure(Errc::peer_ended_ppp, "the peer ended PPP", Stage::ppp);
    case Trouble::hangup: return failure(Errc::line_dropped, "the line hung up", Stage::ppp);
    case Trouble::none:
    case Trouble::other: break;
  }
  switch (status) {
    case 0:
    case 5: return std::nullopt;
    case 15: return failure(Errc::line_dropped, "the peer no longer answers", Stage::transfer);
    case 16: return failure(Errc::line_dropped, "the line hung up", Stage::ppp);
    case 10: return failure(Errc::ppp_failed, "PPP could not be negotiated", Stage::ppp);
    default: break;
  }
  if (status > 128) return Error(Errc::os, fmt::format("pppd was killed by signal {}{}", status - 128, said), Stage::ppp);
  return Error(Errc::os, fmt::format("pppd ended with status {}{}", status, said), Stage::ppp);
}

}  // namespace longline::link
