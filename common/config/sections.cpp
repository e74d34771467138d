// SPDX-License-Identifier: MIT
#include "config/sections.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/host_name.hpp"
#include "base/text.hpp"

namespace longline::config {
namespace {

bool is_domain_pattern(std::string_view text) {
  if (text == "*" || is_address_literal(text)) return true;
  if (text.starts_with("*.")) text.remove_prefix(2);
  return !objection_to_host_name(text);
}

}  // namespace

/// A name in a configuration's folder, made absolute.
std::string beside(const std::string& config_file, const std::string& name) {
  const std::filesystem::path path(name);
  if (path.is_absolute()) return path.lexically_normal().string();
  return (std::filesystem::path(config_file).parent_path() / path).lexically_normal().string();
}

void read_secret_keys(TableReader& reader, const std::string& file, const std::string& prefix, SecretSource& out) {
  read_secret(reader, file, prefix + "password-file", prefix + "password-command", out);
}

void read_secret(TableReader& reader, const std::string& file, const std::string& file_key, const std::string& command_key, SecretSource& out) {
  std::string name;
  if (reader.read(file_key, name)) {
    if (name.empty()) reader.complain(file_key, "bad-value", "must not be empty");
    out.file = beside(file, name);
    out.where = reader.where(file_key);
  }
  if (reader.read_words(command_key, out.command)) {
    out.where = reader.where(command_key);
    if (out.command.empty()) reader.complain(command_key, "bad-value", "must name a program");
  }
  if (!out.file.empty() && !out.command.empty()) {
    reader.complain(command_key, "conflict", fmt::format("{} and {} exclude each other", file_key, command_key));
  }
}

void read_hours(TableReader& reader, std::string_view key, std::vector<Hours>& out) {
  std::vector<std::string> hours;
  if (!reader.read(key, hours)) return;
  if (hours.empty()) reader.complain(key, "bad-value", "must hold at least one time, or be left out: then every time is allowed");
  for (const std::string& text : hours) {
    const Result<Hours> parsed = parse_hours(text);
    if (parsed) out.push_back(*parsed);
    else reader.complain(key, "bad-value", parsed.error().what);
  }
}

bool read_domains(TableReader& reader, std::string_view key, std::vector<std::string>& domains) {
  if (!reader.read(key, domains)) return false;
  for (std::string& domain : domains) {
    domain = to_lower(domain);
    if (!is_domain_pattern(domain)) {
      reader.complain(key, "bad-value", fmt::format("'{}' is not a domain, *.domain or *", escape_at_most(domain, 64)));
    }
  }
  return true;
}

}  // namespace longline::config
