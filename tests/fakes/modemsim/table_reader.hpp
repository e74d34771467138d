// SPDX-License-Identifier: MIT
// Reads one TOML table and remembers which keys were asked for: finish() complains about those that nobody knows. The first
// error of a whole document is kept, with its place; later calls then change nothing.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "instant.hpp"

namespace modemsim {

class Complaint {
 public:
  explicit Complaint(std::string file) : file_(std::move(file)) {}
  void say(const toml::source_region& where, const std::string& what);
  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string file_;
  std::string text_;
};

class TableReader {
 public:
  // The table and the complaint must outlive the reader. A null table reads as an empty one.
  TableReader(const toml::table* table, Complaint& complaint) : table_(table), complaint_(complaint) {}

  // Each returns false, and leaves the target as it is, when the key is absent or of another type (which is complained about).
  bool read(std::string_view key, std::string& target);
  bool read(std::string_view key, bool& target);
  bool read(std::string_view key, std::int64_t& target, std::int64_t least = 0, std::int64_t most = INT64_MAX);
  bool read(std::string_view key, int& target, int least, int most);
  // "250ms", "1.5s", "2m", or a number of seconds.
  bool read(std::string_view key, Duration& target);
  bool read(std::string_view key, std::vector<std::string>& target);
  // A list of whole numbers that is not empty, or one number.
  bool read(std::string_view key, std::vector<std::int64_t>& target, std::int64_t least, std::int64_t most);
  bool read(std::string_view key, std::map<std::string, std::string>& target);

  const toml::table* table(std::string_view key);
  std::vector<const toml::table*> tables(std::string_view key);  // [[key]]

  void fail(std::string_view key, const std::string& what);
  void finish();

 private:
  const toml::node* node(std::string_view key);

  const toml::table* table_;
  Complaint& complaint_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace modemsim
