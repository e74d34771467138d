// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace longline::config {

constexpr Duration kDay{86'400'000};
constexpr Duration kSecond{1'000};

/// A name in a configuration's folder, made absolute.
std::string beside(const std::string& config_file, const std::string& name);
/// PREFIXpassword-file or PREFIXpassword-command.
void read_secret_keys(TableReader& reader, const std::string& file, const std::string& prefix, SecretSource& out);
/// One secret: a file's name or a program, under these keys.
void read_secret(TableReader& reader, const std::string& file, const std::string& file_key, const std::string& command_key, SecretSource& out);
/// When something may be used: "Mo-Fr 06:00-22:00", one or several.
void read_hours(TableReader& reader, std::string_view key, std::vector<Hours>& out);
/// Domains and patterns, made lower case; false when there are none to look at.
bool read_domains(TableReader& reader, std::string_view key, std::vector<std::string>& domains);

/// Networks of clients, as client_networks.hpp reads them.
void read_networks(TableReader& reader, std::string_view key, std::vector<std::string>& networks);

/// What a cellular modem needs, and the reset-command of any modem; after `modem`, `dial` and `numbers`.
void read_gsm(TableReader& reader, const std::string& file, Link& link);

/// What an X.400 connector adds, with other defaults of its retries; after all that decides what the connector is, before the retries.
void read_x400(TableReader& reader, const std::string& file, Connector& connector);

/// One table of a configuration file. What is wrong is added to `out`.
Link read_link(const std::string& name, const toml::table& table, const std::string& file, std::vector<Diagnostic>& out);
Connector read_connector(const std::string& name, const toml::table& table, const std::string& file,
                         std::vector<Diagnostic>& out);
Receive read_receive(const toml::table& table, const std::string& file, std::vector<Diagnostic>& out);

}  // namespace longline::config
