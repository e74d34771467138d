// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.hpp"
#include "config/import.hpp"
#include "config/ini_text.hpp"
#include "config/link_draft.hpp"

namespace longline::config {
namespace {

using Kind = ImportNote::Kind;

/// wvdial takes names without regard to case, and blanks in them as they come: "Auto DNS", "AutoDNS".
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : to_lower(name)) {
    if (c != ' ' && c != '\t' && c != '_') out += c;
  }
  return out;
}

bool is_yes(std::string_view value) {
  return iequals(value, "yes") || iequals(value, "on") || iequals(value, "true") || value == "1";
}

/// Keys that mean something to wvdial, and what becomes of them. An empty reason: nothing is lost.
struct LostKey {
  std::string_view key;
  Kind kind;
  std::string_view reason;
};
constexpr std::array kLostKeys = {
    LostKey{"autoreconnect", Kind::by_hand, "a call that drops ends; the next run or up calls again"},
    LostKey{"askpassword", Kind::secret, "nobody is asked: the password goes into a file (password-file)"},
    LostKey{"loginprompt", Kind::by_hand, "a login is a script: chatrun record writes one"},
    LostKey{"passwordprompt", Kind::by_hand, "a login is a script: chatrun record writes one"},
    LostKey{"defaultreply", Kind::by_hand, "a login is a script: chatrun record writes one"},
    LostKey{"remotename", Kind::by_hand, "add it to ppp-options: remotename NAME"},
    LostKey{"checkdns", Kind::no_meaning, "has no meaning here"},
    LostKey{"checkdefroute", Kind::by_hand, "dialctl check finds a stolen default route"},
    LostKey{"carriercheck", Kind::by_hand, "a modem whose DCD is always on is noticed by itself"},
    LostKey{"abortonbusy", Kind::by_hand, "a busy number is tried again, up to 'attempts'"},
    LostKey{"abortonnodialtone", Kind::no_meaning, "a missing dial tone always ends the run"},
    LostKey{"newpppd", Kind::no_meaning, "has no meaning here"},
    LostKey{"pppdpath", Kind::by_hand, "pppd is looked up in PATH"},
    LostKey{"pppdoption", Kind::by_hand, "add it to ppp-options"},
    LostKey{"isdn", Kind::by_hand, "ISDN: the commands in 'init' have to be the adapter's"},
    LostKey{"modemtype", Kind::no_meaning, "has no meaning here"},
    LostKey{"modemname", Kind::no_meaning, "has no meaning here"},
    LostKey{"country", Kind::no_meaning, "has no meaning here"},
    LostKey{"provider", Kind::no_meaning, "has no meaning here"},
    LostKey{"product", Kind::no_meaning, "has no meaning here"},
    LostKey{"homepage", Kind::no_meaning, "has no meaning here"},
    LostKey{"setvolume", Kind::by_hand, "set it in 'init': ATL0 to ATL3, ATM0"},
    LostKey{"compuserve", Kind::by_hand, "a login is a script: chatrun record writes one"},
    LostKey{"tonline", Kind::by_hand, "a login is a script: chatrun record writes one"},
    LostKey{"sessiontimeout", Kind::by_hand, "'max-call' ends a call"},
};

struct Value {
  std::string text;
  int line = 0;
};
using Settings = std::map<std::string, Value, std::less<>>;

bool is_pin(std::string_view command) { return to_lower(command).find("cpin=") != std::string::npos; }

/// The keys that become part of a link; the others are reported where they stand, once.
bool is_carried(std::string_view key) {
  if (key.size() == 5 && key.starts_with("init") && key[4] >= '1' && key[4] <= '9') return true;
  if (key.size() == 6 && key.starts_with("phone") && key[5] >= '1' && key[5] <= '4') return true;
  for (const std::string_view known : {"init", "phone", "modem", "baud", "dialcommand", "dialprefix", "areacode", "dialattempts", "dialtimeout",
                                       "username", "login", "password", "stupidmode", "autodns", "idleseconds", "forceaddress",
                                       "flowcontrol", "inherits"}) {
    if (key == known) return true;
  }
  return false;
}

/// One link out of the settings that hold for it.
class LinkImporter {
 public:
  LinkImporter(std::string name, const Settings& settings) : draft_(std::move(name)), settings_(settings) {}

  LinkDraft run() {
    draft_.port(text("modem"));
    number("baud", 50, 4'000'000, [&](std::int64_t n) { draft_.number("speed", n); });
    const std::string flow = to_lower(text("flowcontrol"));
    if (flow.starts_with("n")) draft_.text("flow", "none");
    else if (flow.starts_with("soft") || flow.starts_with("xon")) draft_.text("flow", "xonxoff");
    else if (!flow.empty()) draft_.text("flow", "rtscts");
    init();
    if (const std::string command = text("dialcommand"); is_command(command)) draft_.text("dial", command);
    numbers();
    number("dialattempts", 0, 1000, [&](std::int64_t n) { draft_.number("attempts", n == 0 ? 1000 : n); });
    number("dialtimeout", 1, 3600, [&](std::int64_t n) { draft_.seconds("dial-timeout", n); });
    number("idleseconds", 1, 2'592'000, [&](std::int64_t n) { draft_.seconds("idle", n); });
    const std::string user = settings_.contains("username") ? text("username") : text("login");
    if (!user.empty()) draft_.text("user", user);
    draft_.later("password-file", secret_file_name(draft_.name()), "the password alone in it, chmod 600");
    if (settings_.contains("autodns")) draft_.flag("dns", is_yes(text("autodns")));
    const std::string address = text("forceaddress");
    if (!address.empty() && address.find_first_not_of("0123456789.") == std::string::npos) draft_.option(address + ":");
    return std::move(draft_);
  }

 private:
  std::string text(std::string_view key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? "" : found->second.text;
  }

  template <class Use>
  void number(std::string_view key, std::int64_t least, std::int64_t most, Use use) {
    const std::optional<std::int64_t> value = parse_integer(text(key));
    if (value && *value >= least && *value <= most) use(*value);
  }

  static bool is_command(std::string_view command) {
    return !command.empty() && command.find_first_of("\t\x7F") == std::string_view::npos &&
           std::all_of(command.begin(), command.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
  }

  void init() {
    std::vector<std::string> commands;
    if (const std::string first = text("init"); is_command(first) && !is_pin(first)) commands.push_back(first);
    for (char n = '1'; n <= '9'; ++n) {
      const std::string command = text(std::string("init") + n);
      if (is_command(command) && !is_pin(command)) commands.push_back(command);
    }
    if (!commands.empty()) draft_.list("init", commands);
  }

  void numbers() {
    const std::string before = text("dialprefix") + text("areacode");
    for (const std::string_view key : {"phone", "phone1", "phone2", "phone3", "phone4"}) {
      if (const std::string phone = text(key); !phone.empty()) draft_.dial_number(before + phone);
    }
  }

  LinkDraft draft_;
  const Settings& settings_;
};

class File {
 public:
  explicit File(const IniText& ini) : ini_(ini) {
    for (const IniSection& section : ini.sections) {
      const std::string name = dialer(section);
      if (name.empty()) {
        note(Kind::unknown, section.name, "", section.line, "is no [Dialer NAME]");
        continue;
      }
      for (const IniKey& key : section.keys) take(key, section, sections_[to_lower(name)]);
    }
  }

  Imported run() {
    out_.toml = "# from a wvdial.conf\n";
    TakenNames taken;
    std::map<std::string, bool, std::less<>> seen;
    for (const IniSection& section : ini_.sections) {
      const std::string name = dialer(section), folded_name = to_lower(name);
      if (name.empty() || seen[folded_name]) continue;
      seen[folded_name] = true;
      Settings settings = sections_[folded_name];
      inherit(settings, folded_name);
      const LinkDraft draft = LinkImporter(unique_link_name(name, taken), settings).run();
      if (!draft.complete()) {
        // Defaults is there for the others; a section of nothing but modem commands is stacked upon another.
        if (folded_name != "defaults") note(Kind::by_hand, section.name, "", section.line, "has no number: nothing of it is carried");
        continue;
      }
      out_.toml += '\n' + draft.toml();
      out_.links.push_back(draft.name());
      if (!is_yes(settings["stupidmode"].text)) {
        note(Kind::by_hand, section.name, "", section.line,
             "wvdial guesses at login prompts, longline does not: if the host asks before PPP begins, chatrun record writes a script");
      }
    }
    for (const IniKey& stray : ini_.stray) note(Kind::unknown, "", stray.name, stray.line, "is no key of a section");
    std::stable_sort(out_.notes.begin(), out_.notes.end(), [](const ImportNote& a, const ImportNote& b) { return a.line < b.line; });
    return std::move(out_);
  }

 private:
  /// "" for a section of another kind.
  static std::string dialer(const IniSection& section) {
    constexpr std::string_view kKind = "dialer ";
    if (section.name.size() <= kKind.size() || !iequals(std::string_view(section.name).substr(0, kKind.size()), kKind)) return "";
    return std::string(trim(std::string_view(section.name).substr(kKind.size())));
  }

  void note(Kind kind, std::string_view section, std::string_view key, int line, std::string reason) {
    out_.notes.push_back({kind, std::string(section), std::string(key), line, std::move(reason)});
  }

  /// What the settings do not say themselves, from the sections that they name, then from Defaults.
  void inherit(Settings& settings, const std::string& self) {
    constexpr int kDeepest = 8;
    std::string from = self;
    for (int depth = 0; depth < kDeepest; ++depth) {
      const auto inherits = sections_[from].find("inherits");
      if (inherits == sections_[from].end()) break;
      from = to_lower(inherits->second.text);
      if (!sections_.contains(from)) break;
      settings.insert(sections_[from].begin(), sections_[from].end());
    }
    if (const auto defaults = sections_.find("defaults"); defaults != sections_.end()) {
      settings.insert(defaults->second.begin(), defaults->second.end());
    }
  }

  void take(const IniKey& key, const IniSection& section, Settings& settings) {
    const std::string name = folded(key.name);
    const auto say = [&](Kind kind, std::string reason) { note(kind, section.name, key.name, key.line, std::move(reason)); };
    if (is_carried(name)) {
      remark(name, key.value, say);
      settings[name] = {key.value, key.line};
      return;
    }
    for (const LostKey& row : kLostKeys) {
      if (row.key == name) return say(row.kind, std::string(row.reason));
    }
    // PPPD Option 1 …
    if (name.starts_with("pppdoption")) return say(Kind::by_hand, "add it to ppp-options");
    if (name.find("pass") != std::string::npos || name.find("pin") != std::string::npos) {
      return say(Kind::secret, "is not known; if it is a secret, it goes into a file of its own (chmod 600)");
    }
    say(Kind::unknown, "is not known");
  }

  /// What is to be said of a key that is carried.
  template <class Say>
  static void remark(const std::string& name, const std::string& value, Say say) {
    const std::optional<std::int64_t> n = parse_integer(value);
    const bool phone = name.starts_with("phone");
    if (name == "password") {
      say(Kind::secret, "a password stands in a file of its own: write it into the file that 'password-file' names (chmod 600), and take the # away");
    } else if (name.starts_with("init") && is_pin(value)) {
      say(Kind::secret, "holds the SIM's PIN: write it into a file (chmod 600), set modem = \"gsm\" and pin-file");
    } else if (name == "modem" && !value.starts_with("/") && !value.starts_with("COM")) {
      say(Kind::by_hand, "is no path of a device: 'port' is a guess, set it");
    } else if ((name == "baud" && (!n || *n < 50 || *n > 4'000'000)) || (name == "dialattempts" && (!n || *n < 0 || *n > 1000)) ||
               (name == "dialtimeout" && (!n || *n < 1 || *n > 3600)) || (name == "idleseconds" && (!n || *n < 0 || *n > 2'592'000))) {
      say(Kind::by_hand, "its value is out of range: the default stands");
    } else if (name == "dialattempts" && *n == 0) {
      say(Kind::by_hand, "for ever, there; carried as attempts = 1000");
    } else if (name == "idleseconds" && *n == 0) {
      say(Kind::by_hand, "no limit there; here 'idle' is 5m unless it is set");
    } else if ((phone || name == "dialprefix" || name == "areacode") && !value.empty() && !LinkDraft("").dial_number(value)) {
      say(Kind::by_hand, "holds a character that no modem dials");
    } else if (name == "forceaddress" && value.find_first_not_of("0123456789.") != std::string::npos) {
      say(Kind::by_hand, "is not an IPv4 address");
    }
  }

  const IniText& ini_;
  std::map<std::string, Settings, std::less<>> sections_;
  Imported out_;
};

}  // namespace

Result<Imported> import_wvdial(std::string_view text) {
  LONGLINE_TRY(const IniText ini, parse_ini(text));
  return File(ini).run();
}

}  // namespace longline::config
