// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/import.hpp"
#include "config/ini_text.hpp"
#include "config/link_draft.hpp"

namespace longline::config {
namespace {

using Kind = ImportNote::Kind;

/// Keys about prompts, windows and services that a Unix host without a desktop does not have.
constexpr std::array kNoMeaning = {
    "Encoding", "PBVersion", "Guid", "ShowMonitorIconInTaskBar", "PreviewUserPw", "PreviewDomain", "PreviewPhoneNumber",
    "ShowDialingProgress", "DialMode", "DialPercent", "DialSeconds", "HangUpPercent", "HangUpSeconds", "OverridePref",
    "AutoLogon", "SharePhoneNumbers", "SecureLocalFiles", "LastSelectedPhone", "Comment", "FriendlyName", "NETCOMPONENTS",
    "UseRasCredentials", "AutoTiggerCapable", "AlwaysOnCapable", "NetworkOutageTime", "NumServers", "NumDns", "IpCachedDnsSuffix",
    "TcpWindowSize", "IpSecFlags", "UserRouteOnly", "Ipv6Assign", "Ipv6InterfaceMetric", "Ipv6Address", "Ipv6PrefixLength",
    "ms_msclient", "ms_server", "ms_netbios", "ms_psched", "ms_rasrv", "AuthenticateServer", "UseCountryAndAreaCodes",
    "ShowStatus", "IpNBTFlags", "IpNBTEnabled", "Ipv6NameAssign", "Ipv6PrioritizeRemote", "UseFlags", "VpnStrategy",
    "PreferredModemProtocol", "MdmProtocol", "IpDnsFlags", "CacheCredentials", "NumNetComponents", "DisableMobility",
};

/// Keys that mean something, but not here; said only where the value asks for something.
struct AskedInVain {
  std::string_view key;
  std::string_view neutral;   ///< the value that asks for nothing
  std::string_view reason;
};
constexpr std::array kAskedInVain = {
    AskedInVain{"CallbackMode", "0", "longline does not ask to be called back"},
    AskedInVain{"CustomDialDll", "", "there are no DLLs to dial with"},
    AskedInVain{"CustomDialFunc", "", "there are no DLLs to dial with"},
    AskedInVain{"CustomRasDialDll", "", "there are no DLLs to dial with"},
    AskedInVain{"CustomAuthKey", "0", "EAP is not spoken here"},
    AskedInVain{"DataEncryption", "0", "encryption is pppd's: add its options to ppp-options"},
    AskedInVain{"AuthRestrictions", "0", "pppd answers PAP, CHAP and MS-CHAPv2; refuse-pap and the like go into ppp-options"},
    AskedInVain{"PppTextAuthentication", "1", "pppd answers PAP, CHAP and MS-CHAPv2; refuse-pap and the like go into ppp-options"},
    AskedInVain{"ExcludedProtocols", "0", "only IP is spoken here"},
    AskedInVain{"LcpExtensions", "1", "LCP extensions are pppd's"},
    AskedInVain{"RedialOnLinkFailure", "0", "a call that drops ends; the next run or up calls again"},
    AskedInVain{"PromoteAlternates", "0", "numbers keep their order"},
    AskedInVain{"IpDnsSuffix", "", "put it into resolv.conf by hand"},
    AskedInVain{"IpWinsAddress", "0.0.0.0", "there is no WINS here"},
    AskedInVain{"IpWins2Address", "0.0.0.0", "there is no WINS here"},
    AskedInVain{"DisableClassBasedDefaultRoute", "0", "class-based routes are routes of the file of routeadd(8)"},
    AskedInVain{"IpFrameSize", "1006", "the frame size is pppd's mru"},
    AskedInVain{"PreferredProtocol", "1", "set it in 'init'"},
    AskedInVain{"PreferredCompression", "1", "set it in 'init'"},
    AskedInVain{"PreferredSpeaker", "1", "set it in 'init': ATM0 is silent"},
    AskedInVain{"Protocol", "1", "error correction is set in 'init'"},
    AskedInVain{"Compression", "1", "compression is set in 'init'"},
    AskedInVain{"Speaker", "1", "set it in 'init': ATM0 is silent"},
};

std::string_view base_name(std::string_view windows_path) {
  const std::size_t slash = windows_path.find_last_of("\\/");
  return slash == std::string_view::npos ? windows_path : windows_path.substr(slash + 1);
}

bool is_script(std::string_view value) { return value.size() > 4 && iequals(value.substr(value.size() - 4), ".scp"); }

class EntryImporter {
 public:
  EntryImporter(const IniSection& section, std::string name, std::vector<ImportNote>& notes)
      : section_(section), draft_(std::move(name)), notes_(notes) {}

  /// nullopt: the entry is no call.
  std::optional<LinkDraft> run() {
    if (draft_.name() != section_.name) note(Kind::by_hand, "", section_.line, "its name became " + draft_.name());
    for (const IniKey& key : section_.keys) {
      if (iequals(key.name, "Type") && block_ == Block::flat && !set_type(key)) return std::nullopt;
      if (key.name == "MEDIA" || key.name == "DEVICE") enter_block(key);
      else read(key);
    }
    finish();
    return std::move(draft_);
  }

 private:
  enum class Block { flat, media, modem, after_dial, more_links };

  void note(Kind kind, std::string_view key, int line, std::string reason) {
    notes_.push_back({kind, section_.name, std::string(key), line, std::move(reason)});
  }
  void by_hand(const IniKey& key, std::string reason) { note(Kind::by_hand, key.name, key.line, std::move(reason)); }

  bool set_type(const IniKey& key) {
    static constexpr std::array<std::string_view, 6> kTypes = {"", "phone", "VPN", "direct", "Internet", "broadband (PPPoE)"};
    const std::optional<std::int64_t> type = parse_integer(key.value);
    if (!type || *type < 1 || *type > 5) {
      by_hand(key, "not a type that is known: read as a telephone entry");
    } else if (*type == 2 || *type >= 4) {
      note(Kind::by_hand, "", section_.line,
           fmt::format("an entry of type {} is no call: nothing of it is carried", kTypes[static_cast<std::size_t>(*type)]));
      return false;
    } else if (*type == 3) {
      draft_.direct();
    }
    return true;
  }

  /// A sub-block starts at its upper-case key; a modem's pair of MEDIA and DEVICE is one line of a multilink entry.
  void enter_block(const IniKey& key) {
    if (key.name == "MEDIA") {
      block_ = media_++ == 0 ? Block::media : Block::more_links;
      if (block_ == Block::more_links) by_hand(key, "a second line (multilink): one call uses one modem");
      if (iequals(key.value, "isdn")) by_hand(key, "ISDN: the commands in 'init' have to be the adapter's");
    } else if (iequals(key.value, "switch")) {
      block_ = Block::after_dial;
    } else if (block_ != Block::more_links) {
      block_ = Block::modem;
      if (iequals(key.value, "direct") || iequals(key.value, "null")) draft_.direct();
    }
  }

  void read(const IniKey& key) {
    if (block_ == Block::more_links) return by_hand(key, "of the second line of a multilink entry");
    if (read_call(key) || read_network(key) || read_script(key)) return;
    for (const char* name : kNoMeaning) {
      if (iequals(name, key.name)) return note(Kind::no_meaning, key.name, key.line, "has no meaning here");
    }
    for (const AskedInVain& row : kAskedInVain) {
      if (!iequals(row.key, key.name)) continue;
      if (key.value == row.neutral || key.value.empty()) note(Kind::no_meaning, key.name, key.line, "asks for nothing");
      else by_hand(key, std::string(row.reason));
      return;
    }
    note(Kind::unknown, key.name, key.line, "is not known");
  }

  std::optional<std::int64_t> integer(const IniKey& key, std::int64_t least, std::int64_t most) {
    const std::optional<std::int64_t> value = parse_integer(key.value);
    if (value && *value >= least && *value <= most) return value;
    by_hand(key, fmt::format("its value is not a number from {} to {}", least, most));
    return std::nullopt;
  }

  bool is(const IniKey& key, std::string_view name) const { return iequals(key.name, name); }

  void set_speed(const IniKey& key) {
    if (key.value == "0" || speed_) return;
    speed_ = integer(key, 50, 4'000'000);
  }

  bool read_call(const IniKey& key) {
    if (is(key, "Type") && block_ == Block::flat) return true;
    if (is(key, "Port") || is(key, "PreferredPort")) {
      if (!key.value.empty() && (port_.empty() || is(key, "Port"))) port_ = key.value, port_line_ = key.line;
    } else if (is(key, "Device") || is(key, "PreferredDevice")) {
      if (!key.value.empty()) draft_.comment("the modem was: " + escape_at_most(key.value, 100));
    } else if (is(key, "PreferredBps") || is(key, "ConnectBPS") || is(key, "InitBPS")) {
      set_speed(key);
    } else if (is(key, "PreferredHwFlow") || is(key, "HwFlowControl")) {
      flow_ = key.value == "0" ? "none" : "rtscts";
    } else if (is(key, "RedialAttempts")) {
      if (const auto n = integer(key, 0, 999)) draft_.number("attempts", *n + 1);
    } else if (is(key, "RedialSeconds")) {
      if (const auto n = integer(key, 0, 86'400)) draft_.seconds("interval", *n);
    } else if (is(key, "IdleDisconnectSeconds")) {
      if (key.value == "0" || key.value == "-1" || key.value == "4294967295") by_hand(key, "no limit there; here 'idle' is 5m unless it is set");
      else if (const auto n = integer(key, 1, 2'592'000)) draft_.seconds("idle", *n);
    } else if (is(key, "PhoneNumber")) {
      if (!key.value.empty() && !draft_.dial_number(key.value)) by_hand(key, "holds a character that no modem dials");
    } else if (is(key, "AreaCode") || is(key, "CountryCode") || is(key, "CountryID")) {
      code_keys_.push_back(&key);
    } else if (is(key, "UseDialingRules")) {
      rules_ = rules_ || key.value == "1";
    } else if (is(key, "LastSelectedPhone")) {
      selected_ = static_cast<std::size_t>(std::clamp<std::int64_t>(parse_integer(key.value).value_or(0), 0, 1000));
    } else if (is(key, "TryNextAlternateOnFail")) {
      if (key.value == "0") only_one_ = &key;
    } else {
      return false;
    }
    return true;
  }

  bool read_network(const IniKey& key) {
    const bool on = key.value == "1";
    if (is(key, "BaseProtocol")) {
      if (!on) by_hand(key, "only PPP is spoken here, neither SLIP nor the old RAS framing");
    } else if (is(key, "IpPrioritizeRemote")) {
      draft_.flag("default-route", on);
      if (on) by_hand(key, "carried as default-route = true: beside the others; \"replace\" would take their place");
    } else if (is(key, "IpInterfaceMetric")) {
      if (key.value == "0") return true;
      if (const auto n = integer(key, 1, 1'000'000'000)) draft_.number("default-route-metric", *n);
    } else if (is(key, "IpNameAssign")) {
      draft_.flag("dns", on);
    } else if (is(key, "IpDnsAddress") || is(key, "IpDns2Address")) {
      if (key.value != "0.0.0.0" && !key.value.empty()) by_hand(key, "a name server of its own: put it into resolv.conf by hand");
    } else if (is(key, "IpAssign")) {
      static_address_ = key.value == "2";
    } else if (is(key, "IpAddress")) {
      address_ = &key;
    } else if (is(key, "IpHeaderCompression")) {
      if (key.value == "0") draft_.option("novj");
    } else if (is(key, "SwCompression")) {
      if (key.value == "0") draft_.option("noccp");
    } else {
      return false;
    }
    return true;
  }

  /// Scripts and terminals stand in a block DEVICE=switch, or, from Windows 2000 on, in keys of their own.
  bool read_script(const IniKey& key) {
    const bool names_one = is(key, "Script") || is(key, "szScript") || is(key, "ScriptName") || is(key, "Name") ||
                           (is(key, "Type") && block_ == Block::after_dial);
    if (names_one && is_script(key.value)) {
      const std::string file(base_name(key.value));
      draft_.later("script", file, "copy it beside this file, run chatrun check on it, and take the # away");
      by_hand(key, "a login script: copy it beside longline.toml and take the # before 'script' away");
    } else if (is(key, "Type") && block_ == Block::after_dial && iequals(key.value, "Terminal")) {
      by_hand(key, "a terminal after dialling: dialctl terminal LINK, and chatrun record writes a script of it");
    } else if (names_one && !key.value.empty()) {
      by_hand(key, "a section of SWITCH.INF: write it as a .scp script");
    } else if (is(key, "TerminalBeforeDial") || is(key, "TerminalAfterDial") || is(key, "ScriptMode") || is(key, "CustomScript")) {
      if (key.value == "0") note(Kind::no_meaning, key.name, key.line, "asks for nothing");
      else by_hand(key, "a terminal or script around the call: dialctl terminal LINK; chatrun record writes a script of it");
    } else {
      return names_one;
    }
    return true;
  }

  void finish() {
    if (!draft_.port(port_)) {
      note(Kind::by_hand, port_.empty() ? "" : "Port", port_.empty() ? section_.line : port_line_,
           "its port has no name here: 'port' is a guess, set it");
    }
    if (speed_) draft_.number("speed", *speed_);
    if (!flow_.empty()) draft_.text("flow", flow_);
    if (only_one_ != nullptr && draft_.numbers().size() > 1) {
      draft_.keep_number(selected_);
      by_hand(*only_one_, "alternate numbers were not dialled by themselves: only the selected one is carried");
    }
    for (const IniKey* key : code_keys_) {
      const bool says_nothing = key->value.empty() || key->value == "0";
      if (says_nothing || !rules_) note(Kind::no_meaning, key->name, key->line, "asks for nothing");
      else by_hand(*key, "dialling rules depend on where one is: put prefix and codes in front of the number if the call needs them");
    }
    if (static_address_ && address_ != nullptr && !address_->value.empty()) {
      // Digits and dots only: the option is an argument of pppd.
      if (address_->value.find_first_not_of("0123456789.") == std::string::npos) draft_.option(address_->value + ":");
      else by_hand(*address_, "is not an IPv4 address");
    }
    if (!draft_.complete()) note(Kind::by_hand, "", section_.line, "has no number that a modem can dial: it stands there as comments");
    draft_.comment("a phonebook holds neither user nor password");
    draft_.later("user", "…", "the name at the provider");
    draft_.later("password-file", secret_file_name(draft_.name()), "the password alone in it, chmod 600");
    note(Kind::by_hand, "", section_.line,
         fmt::format("user and password are not in a phonebook: set 'user', put the password into {} (chmod 600)", secret_file_name(draft_.name())));
  }

  const IniSection& section_;
  LinkDraft draft_;
  std::vector<ImportNote>& notes_;
  Block block_ = Block::flat;
  int media_ = 0;
  std::string port_;
  int port_line_ = 0;
  std::optional<std::int64_t> speed_;
  std::string flow_;
  bool rules_ = false;
  std::size_t selected_ = 0;
  const IniKey* only_one_ = nullptr;
  std::vector<const IniKey*> code_keys_;
  bool static_address_ = false;
  const IniKey* address_ = nullptr;
};

}  // namespace

Result<Imported> import_rasphone(std::string_view text) {
  LONGLINE_TRY(const IniText ini, parse_ini(text));
  Imported out;
  out.toml = "# from a rasphone.pbk\n";
  TakenNames taken;
  for (const IniSection& section : ini.sections) {
    EntryImporter importer(section, unique_link_name(section.name, taken), out.notes);
    std::optional<LinkDraft> draft = importer.run();
    if (!draft) continue;
    out.toml += '\n' + draft->toml();
    if (draft->complete()) out.links.push_back(draft->name());
  }
  for (const IniKey& stray : ini.stray) {
    out.notes.push_back({Kind::unknown, "", stray.name, stray.line, "is no key of an entry"});
  }
  std::stable_sort(out.notes.begin(), out.notes.end(), [](const ImportNote& a, const ImportNote& b) { return a.line < b.line; });
  return out;
}

}  // namespace longline::config
