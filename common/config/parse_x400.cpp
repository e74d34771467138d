// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "config/sections.hpp"

namespace longline::config {
namespace {

enum class Preset { exchange, dial_up };

// Of an SMTP connector alone; without them in a list an X.400 connector would take them in silence.
constexpr std::string_view kSmtpKeys[] = {"peer-name",       "tls",  "tls-ca-file",   "tls-verify",       "tls-certificate",  "tls-key",   "helo",
                                          "user",            "password-file",         "password-command", "allow-plain-auth", "chunking",
                                          "pipelining",      "nameserver"};
constexpr std::string_view kX400Keys[] = {"preset", "mta-name", "mta-password-file", "mta-password-command", "peer-mta-name", "peer-password-file",
                                          "peer-password-command", "checkpoint-size", "window", "recovery-timeout", "lifetime", "disconnect", "threshold",
                                          "transfer-timeout-urgent", "transfer-timeout-normal", "transfer-timeout-nonurgent", "local-domains", "country",
                                          "admd", "prmd", "content", "t-selector", "peer-t-selector"};

bool is_printable_string(std::string_view text) {   // X.680, 41.4
  constexpr std::string_view kMarks = " '()+,-./:=?";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
  });
}

void read_mta_name(TableReader& reader, std::string_view key, std::string& out) {
  if (!reader.read(key, out)) return;
  const bool printable = std::all_of(out.begin(), out.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (out.empty() || out.size() > X400::kLongestName || !printable) {
    reader.complain(key, "bad-value", fmt::format("the name of an MTA has 1 to {} characters of ASCII", X400::kLongestName));
  }
}

void read_domain_part(TableReader& reader, std::string_view key, std::size_t most, std::string& out) {
  if (!reader.read(key, out)) return;
  if (out.size() > most || !is_printable_string(out)) {
    reader.complain(key, "bad-value", fmt::format("must have at most {} letters, digits, spaces and ' ( ) + , - . / : = ?", most));
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void read_selector(TableReader& reader, std::string_view key, std::string& out) {
  std::string text;
  if (!reader.read(key, text)) return;
  const auto bad = [&](std::string_view why) { reader.complain(key, "bad-value", fmt::format("{}", why), fmt::format("{} = \"0x0002\"", key)); };
  std::string octets = text;
  if (text.starts_with("0x")) {
    octets.clear();
    if (text.size() % 2 != 0) return bad("has an odd number of hexadecimal digits");
    for (std::size_t i = 2; i < text.size(); i += 2) {
      const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
      if (high < 0 || low < 0) return bad("has something else than hexadecimal digits behind 0x");
      octets += static_cast<char>(high << 4 | low);
    }
  }
  if (octets.empty() || octets.size() > X400::kLongestSelector) return bad(fmt::format("a selector has 1 to {} octets", X400::kLongestSelector));
  out = std::move(octets);
}

void read_country(TableReader& reader, X400& x400) {
  if (!reader.read("country", x400.country)) return;
  const std::string& c = x400.country;
  const auto all = [&](char from, char to) { return std::all_of(c.begin(), c.end(), [&](char x) { return x >= from && x <= to; }); };
  const bool alpha = c.size() == 2 && all('A', 'Z'), x121 = c.size() == 3 && all('0', '9');
  if (!alpha && !x121) reader.complain("country", "bad-value", "must be two capital letters (ISO 3166) or three digits (X.121)", "country = \"WW\"");
}

void apply_preset(Connector& connector) {   // KB Q255991
  X400& x400 = connector.x400;
  x400.checkpoint_size = 15;
  x400.recovery_timeout = Duration(30'000);
  x400.lifetime = Duration(15'000);
  x400.disconnect = Duration(15'000);
  connector.max_open_retries = 7;
  connector.open_interval = Duration(120'000);
}

}  // namespace

void read_x400(TableReader& reader, const std::string& file, Connector& connector) {
  if (connector.protocol != Protocol::x400) {
    for (const std::string_view key : kX400Keys) {
      if (reader.claim(key)) reader.complain(key, "needs-x400", "is a key of connectors with protocol = \"x400\"");
    }
    return;
  }
  for (const std::string_view key : kSmtpKeys) {
    if (reader.has(key)) reader.complain(key, "smtp-only", "is a key of SMTP connectors");
  }
  if (connector.host == "mx") reader.complain("host", "conflict", "\"mx\" is for SMTP: an X.400 MTA is called by its address");
  if (connector.retrieve) {
    reader.complain("retrieve", "smtp-only", "is for SMTP: an X.400 association carries mail both ways, so that a caller also fetches");
  }
  X400& x400 = connector.x400;
  connector.max_open_retries = 144;
  connector.open_interval = Duration(600'000);
  if (!reader.has("port")) connector.port = 102;   // RFC 1006
  Preset preset = Preset::exchange;
  reader.read_choice<Preset>("preset", {{"exchange", Preset::exchange}, {"dial-up", Preset::dial_up}}, preset);
  if (preset == Preset::dial_up) apply_preset(connector);
  read_mta_name(reader, "mta-name", x400.mta_name);
  read_secret_keys(reader, file, "mta-", x400.password);
  read_mta_name(reader, "peer-mta-name", x400.peer_mta_name);
  read_secret_keys(reader, file, "peer-", x400.peer_password);
  reader.read_integer("checkpoint-size", 0, 1024, x400.checkpoint_size);
  reader.read_integer("window", 1, 64, x400.window);
  reader.read_duration("recovery-timeout", Duration(0), kDay, x400.recovery_timeout);
  reader.read_duration("lifetime", Duration(0), kDay, x400.lifetime);
  reader.read_duration("disconnect", kSecond, kDay, x400.disconnect);
  reader.read_integer("threshold", 1, 1'000'000, x400.threshold);
  reader.read_duration("transfer-timeout-urgent", kSecond, kDay, x400.timeout_urgent);
  reader.read_duration("transfer-timeout-normal", kSecond, kDay, x400.timeout_normal);
  reader.read_duration("transfer-timeout-nonurgent", kSecond, kDay, x400.timeout_non_urgent);
  read_domains(reader, "local-domains", x400.local_domains);
  read_country(reader, x400);
  read_domain_part(reader, "admd", 16, x400.admd);
  read_domain_part(reader, "prmd", 16, x400.prmd);
  if (x400.admd.empty()) x400.admd = " ";
  reader.read_choice<X400::Content>("content", {{"message", X400::Content::message}, {"ipm", X400::Content::ipm}}, x400.content);
  read_selector(reader, "t-selector", x400.t_selector);
  read_selector(reader, "peer-t-selector", x400.peer_t_selector);
}

}  // namespace longline::config
