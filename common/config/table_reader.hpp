// SPDX-License-Identifier: MIT
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/time.hpp"

namespace longline::config {

/// Reads one TOML table by known keys; what is wrong becomes a diagnostic at its place, what nobody asked for an
/// unknown key with the nearest known name. Each reader leaves its target alone when the key is absent.
class TableReader {
 public:
  /// `what`: "link 'isp'", for messages. The table, file name and diagnostics must outlive the reader.
  TableReader(const toml::table& table, const std::string& file, std::string what, std::vector<Diagnostic>& diagnostics)
      : table_(table), file_(file), what_(std::move(what)), diagnostics_(diagnostics) {}

  bool read(std::string_view key, std::string& out);   ///< without control characters, which could end a line or a name where it is used
  bool read(std::string_view key, bool& out);
  bool read(std::string_view key, std::vector<std::string>& out);   ///< an array of strings, or one string; as above
  bool read_words(std::string_view key, std::vector<std::string>& out);  ///< an array of strings only: argv
  bool read_integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& out);
  bool read_integer(std::string_view key, int least, int most, int& out);
  bool read_duration(std::string_view key, Duration least, Duration most, Duration& out);  ///< "60s", or seconds
  bool read_size(std::string_view key, std::optional<std::int64_t>& out);
  bool read_number(std::string_view key, double least, double most, double& out);   ///< an integer or a float
  const toml::table* read_table(std::string_view key);

  template <class E>
  bool read_choice(std::string_view key, const std::vector<std::pair<std::string_view, E>>& choices, E& out) {
    std::string text;
    if (!read(key, text)) return false;
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
      if (name == text) {
        out = value;
        return true;
      }
      names.emplace_back(name);
    }
    bad_choice(key, text, names);
    return false;
  }

  /// After all reads: complains of every key that was not asked for.
  void finish();

  Where where(std::string_view key) const;     ///< of the key's value; of the table when the key is absent
  std::size_t length(std::string_view key) const;
  void complain(std::string_view key, std::string code, std::string message, std::string fix = "");
  void warn(std::string_view key, std::string code, std::string message);
  bool has(std::string_view key) const { return table_.contains(key); }
  /// Like has(), and the key counts as known: for one that is complained of in other words.
  bool claim(std::string_view key) { return find(key) != nullptr; }
  const std::vector<std::string>& known() const { return known_; }

 private:
  const toml::node* find(std::string_view key);
  bool is_one_line(std::string_view key, std::string_view text);
  void wrong_type(std::string_view key, const toml::node& node, std::string_view wanted);
  void bad_choice(std::string_view key, const std::string& got, const std::vector<std::string>& names);

  const toml::table& table_;
  const std::string& file_;
  std::string what_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<std::string> known_;
};

Where where_of(const std::string& file, const toml::source_region& region);

}  // namespace longline::config
