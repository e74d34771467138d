// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace longline::config {

/// A [link.NAME] in the making, for the importers. Only what parse_config() accepts gets in as a live line; of two lines with one
/// key the later counts.
class LinkDraft {
 public:
  explicit LinkDraft(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::int64_t value);
  void flag(std::string_view key, bool value);
  void seconds(std::string_view key, std::int64_t value);
  void list(std::string_view key, const std::vector<std::string>& values);
  void option(std::string value) { ppp_options_.push_back(std::move(value)); }
  /// A key that a person has to fill in or to confirm: written, but commented out.
  void later(std::string_view key, std::string_view value, std::string_view why);
  void comment(std::string_view text);   ///< at most sixteen

  /// False: the port's name is none of ours, and a default stands in.
  bool port(std::string_view name);
  /// Takes a number if a modem can dial it.
  bool dial_number(std::string_view number);
  bool has_numbers() const { return !numbers_.empty(); }
  const std::vector<std::string>& numbers() const { return numbers_; }
  void keep_number(std::size_t index);
  void direct() { direct_ = true; }   ///< no modem

  /// Without a number, and not direct, every line is a comment: parse_config() would refuse it.
  bool complete() const { return direct_ || has_numbers(); }
  std::string toml() const;

 private:
  void put(std::string_view key, std::string line);

  std::string name_;
  std::vector<std::pair<std::string, std::string>> lines_;   ///< key and line; "" for comments
  std::vector<std::string> numbers_;
  std::vector<std::string> ppp_options_;
  int comments_ = 0;
  bool direct_ = false;
};

/// The names that are taken, and how often each was wanted.
using TakenNames = std::map<std::string, int, std::less<>>;
/// A name that [link.NAME] may have, from one of an entry: at most 64 bytes, not yet in `taken`, which it joins.
std::string unique_link_name(std::string_view entry, TakenNames& taken);
/// "isp.secret": a file name for a link's password.
std::string secret_file_name(std::string_view link);

}  // namespace longline::config
