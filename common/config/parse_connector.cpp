// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "base/host_name.hpp"
#include "base/text.hpp"
#include "config/client_networks.hpp"
#include "config/sections.hpp"

namespace longline::config {
namespace {

Retrieve read_retrieve(const toml::table& table, const std::string& connector, const std::string& file,
                       std::vector<Diagnostic>& out) {
  TableReader reader(table, file, fmt::format("connector '{}': retrieve", connector), out);
  Retrieve retrieve;
  using By = Retrieve::By;
  reader.read_choice<By>("by", {{"etrn", By::etrn}, {"atrn", By::atrn}, {"turn", By::turn}, {"command", By::command}},
                         retrieve.by);
  read_domains(reader, "domains", retrieve.domains);
  reader.read_words("command", retrieve.command);
  reader.read_integer("port", 1, 65535, retrieve.port);
  reader.read_duration("deadline", kSecond, kDay, retrieve.deadline);
  reader.read_duration("every", kSecond, 365 * kDay, retrieve.every);
  if (retrieve.by == By::command && retrieve.command.empty()) {
    reader.complain("command", "missing-key", "names no program", "command = [\"/usr/local/bin/fetch-mail\"]");
  }
  if (retrieve.by == By::etrn && retrieve.domains.empty()) {
    reader.complain("domains", "missing-key", "is missing: ETRN asks for a domain's mail", "domains = [\"site7.example.com\"]");
  }
  reader.finish();
  return retrieve;
}

void read_policy(TableReader& reader, Connector& connector) {
  reader.read_integer("max-open-retries", 0, 1'000'000, connector.max_open_retries);
  reader.read_duration("open-interval", kSecond, kDay, connector.open_interval);
  reader.read_integer("max-transfer-retries", 0, 1'000'000, connector.max_transfer_retries);
  reader.read_duration("transfer-interval", kSecond, kDay, connector.transfer_interval);
  read_hours(reader, "hours", connector.hours);
  reader.read_duration("expire", kSecond, 3650 * kDay, connector.expire);
  reader.read_duration("delay-warning", Duration(0), 3650 * kDay, connector.delay_warning);
  std::int64_t messages = 0;
  if (reader.read_integer("due-messages", std::int64_t{1}, std::int64_t{1'000'000'000}, messages)) connector.due.messages = messages;
  reader.read_size("due-bytes", connector.due.bytes);
  Duration oldest{};
  if (reader.read_duration("due-oldest", kSecond, 3650 * kDay, oldest)) connector.due.oldest = oldest;
  reader.read("due-urgent", connector.due.urgent);
  if (connector.link.empty()) {
    for (const std::string_view key : {"due-messages", "due-bytes", "due-oldest", "due-urgent"}) {
      if (reader.has(key)) reader.warn(key, "no-effect", "has no effect without 'link': a connector without one never dials");
    }
  }
}

void read_file_name(TableReader& reader, std::string_view key, const std::string& file, std::string& name) {
  if (!reader.read(key, name)) return;
  if (name.empty()) reader.complain(key, "bad-value", "must not be empty");
  else name = beside(file, name);
}

void read_tls(TableReader& reader, const std::string& file, Connector& connector) {
  reader.read_choice<TlsMode>("tls",
                              {{"none", TlsMode::none},
                               {"opportunistic", TlsMode::opportunistic},
                               {"required", TlsMode::required},
                               {"implicit", TlsMode::implicit}},
                              connector.tls);
  read_file_name(reader, "tls-ca-file", file, connector.tls_ca_file);
  reader.read("tls-verify", connector.tls_verify);
  read_file_name(reader, "tls-certificate", file, connector.tls_certificate);
  read_file_name(reader, "tls-key", file, connector.tls_key);
  if (!connector.tls_key.empty() && connector.tls_certificate.empty()) {
    reader.complain("tls-key", "conflict", "is the key of tls-certificate, which is missing");
  }
  // RFC 8314, 3.3: the port of submission over TLS.
  if (connector.tls == TlsMode::implicit && !reader.has("port")) connector.port = 465;
  const bool verified = connector.tls_verify && (connector.tls == TlsMode::required || connector.tls == TlsMode::implicit);
  if (verified && connector.host == "line" && connector.peer_name.empty()) {
    reader.complain("tls", "conflict", "on a line the certificate needs a peer-name to be checked against", "peer-name = \"mail.example.com\"");
  }
}

/// What a session says and hears at its beginning.
void read_session_name(TableReader& reader, std::string_view key, std::string& name) {
  if (!reader.read(key, name) || is_address_literal(name)) return;
  if (name.empty()) return reader.complain(key, "bad-value", "must not be empty");
  if (const auto objection = objection_to_host_name(name)) {
    reader.complain(key, "bad-value", fmt::format("'{}' is not the name of a host: {}", escape_at_most(name, 64), *objection));
  }
}

void read_host(TableReader& reader, Connector& connector) {
  if (!reader.read("host", connector.host)) {
    if (!reader.has("host")) reader.complain("host", "missing-key", "is missing", "host = \"mail.example.com\"");
    return;
  }
  std::string_view host = connector.host;
  if (host.empty()) return reader.complain("host", "bad-value", "must not be empty");
  if (host == "line" && connector.link.empty()) {
    reader.complain("host", "conflict", "\"line\" needs a link: it is the byte stream of one");
  }
  if (is_ip_address(host)) return;
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);   // DNS's own way to say that nothing is to be added
  if (const auto objection = objection_to_host_name(host)) {
    reader.complain("host", "bad-value", fmt::format("'{}' is neither a host's name nor an address: {}", escape_at_most(host, 64), *objection));
  }
}

void read_source_address(TableReader& reader, std::string& address) {
  if (!reader.read("source-address", address) || is_ip_address(address)) return;
  reader.complain("source-address", "bad-value", fmt::format("'{}' is not an IPv4 or IPv6 address", escape_at_most(address, 64)));
}

}  // namespace

Connector read_connector(const std::string& name, const toml::table& table, const std::string& file,
                         std::vector<Diagnostic>& out) {
  TableReader reader(table, file, fmt::format("connector '{}'", name), out);
  Connector connector;
  connector.name = name;
  connector.where = where_of(file, table.source());
  if (read_domains(reader, "domains", connector.domains) && connector.domains.empty()) {
    reader.complain("domains", "bad-value", "must hold at least one domain", "domains = [\"*\"]");
  }
  if (!reader.has("domains")) reader.complain("domains", "missing-key", "is missing", "domains = [\"*\"]");
  reader.read_integer("cost", 0, 1'000'000, connector.cost);
  if (reader.read("link", connector.link)) connector.where = reader.where("link");
  reader.read_choice<Protocol>("protocol", {{"smtp", Protocol::smtp}, {"x400", Protocol::x400}}, connector.protocol);
  read_host(reader, connector);
  read_session_name(reader, "peer-name", connector.peer_name);
  reader.read_integer("port", 1, 65535, connector.port);
  read_source_address(reader, connector.source_address);
  read_tls(reader, file, connector);
  read_session_name(reader, "helo", connector.helo);
  reader.read("user", connector.user);
  read_secret_keys(reader, file, "", connector.password);
  reader.read("allow-plain-auth", connector.allow_plain_auth);
  if (std::string text; reader.read("nameserver", text)) {
    const Result<NameServer> parsed = parse_name_server(text);
    if (parsed) connector.nameserver = *parsed;
    else reader.complain("nameserver", "bad-value", parsed.error().what);
    if (connector.host != "mx") reader.warn("nameserver", "no-effect", "has no effect without host = \"mx\"");
  }
  reader.read("chunking", connector.chunking);
  reader.read("pipelining", connector.pipelining);
  reader.read_size("max-size", connector.max_size);
  if (const toml::table* retrieve = reader.read_table("retrieve")) {
    connector.retrieve = read_retrieve(*retrieve, name, file, out);
  }
  read_x400(reader, file, connector);
  read_policy(reader, connector);
  reader.finish();
  return connector;
}

}  // namespace longline::config
