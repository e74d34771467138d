// SPDX-License-Identifier: MIT
#include "config/client_networks.hpp"
#include "config/sections.hpp"

namespace longline::config {

Receive read_receive(const toml::table& table, const std::string& file, std::vector<Diagnostic>& out) {
  TableReader reader(table, file, "receive", out);
  Receive receive;
  int targets = 0;
  const auto one_more = [&](std::string_view key) {
    if (++targets > 1) reader.complain(key, "conflict", "maildir, lmtp and command exclude each other");
  };
  if (reader.read("maildir", receive.maildir)) {
    one_more("maildir");
    if (receive.maildir.empty()) reader.complain("maildir", "bad-value", "must not be empty");
    else receive.maildir = beside(file, receive.maildir);
  }
  if (reader.read("lmtp", receive.lmtp)) {
    one_more("lmtp");
    if (receive.lmtp.find_first_of("/:") == std::string::npos) {
      reader.complain("lmtp", "bad-value", "must be HOST:PORT or the path of a socket", "lmtp = \"/run/dovecot/lmtp\"");
    }
  }
  if (reader.read_words("command", receive.command)) {
    one_more("command");
    if (receive.command.empty()) reader.complain("command", "bad-value", "must name a program");
  }
  reader.finish();
  return receive;
}

void read_networks(TableReader& reader, std::string_view key, std::vector<std::string>& networks) {
  if (!reader.read(key, networks)) return;
  ClientNetworks parsed;
  for (const std::string& network : networks) {
    if (const auto added = parsed.add(network); !added) reader.complain(key, "bad-value", added.error().what);
  }
}

}  // namespace longline::config
