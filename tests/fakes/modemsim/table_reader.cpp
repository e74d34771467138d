// SPDX-License-Identifier: MIT
#include "table_reader.hpp"

#include <cmath>
#include <cstdlib>

namespace modemsim {
namespace {

std::optional<Duration> parse_duration(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  double seconds = number;
  if (unit == "us") seconds = number * 1e-6;
  else if (unit == "ms") seconds = number * 1e-3;
  else if (unit == "m") seconds = number * 60;
  else if (unit != "s") return std::nullopt;
  if (end == text.c_str() || !std::isfinite(seconds) || seconds < 0 || seconds > 1e7) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

void Complaint::say(const toml::source_region& where, const std::string& what) {
  if (!text_.empty()) return;
  text_ = file_ + ':' + std::to_string(where.begin.line) + ':' + std::to_string(where.begin.column) + ": " + what;
}

const toml::node* TableReader::node(std::string_view key) {
  known_.emplace(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

void TableReader::fail(std::string_view key, const std::string& what) {
  const toml::node* found = node(key);
  complaint_.say(found != nullptr ? found->source() : table_ != nullptr ? table_->source() : toml::source_region{},
                 std::string(key) + ": " + what);
}

bool TableReader::read(std::string_view key, std::string& target) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  if (!found->is_string()) return fail(key, "a string is wanted"), false;
  target = found->as_string()->get();
  return true;
}

bool TableReader::read(std::string_view key, bool& target) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  if (!found->is_boolean()) return fail(key, "true or false is wanted"), false;
  target = found->as_boolean()->get();
  return true;
}

bool TableReader::read(std::string_view key, std::int64_t& target, std::int64_t least, std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  if (!found->is_integer()) return fail(key, "a whole number is wanted"), false;
  const std::int64_t number = found->as_integer()->get();
  if (number < least || number > most) return fail(key, "out of range"), false;
  target = number;
  return true;
}

bool TableReader::read(std::string_view key, int& target, int least, int most) {
  std::int64_t number = 0;
  if (!read(key, number, least, most)) return false;
  target = static_cast<int>(number);
  return true;
}

bool TableReader::read(std::string_view key, Duration& target) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  std::optional<Duration> duration;
  if (found->is_string()) duration = parse_duration(found->as_string()->get());
  if (found->is_number()) duration = parse_duration(std::to_string(*found->value<double>()) + "s");
  if (!duration) return fail(key, "a duration is wanted, like \"1.5s\", \"200ms\", \"2m\""), false;
  target = *duration;
  return true;
}

bool TableReader::read(std::string_view key, std::vector<std::string>& target) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  const toml::array* array = found->as_array();
  if (array == nullptr) return fail(key, "a list of strings is wanted"), false;
  std::vector<std::string> strings;
  for (const toml::node& element : *array) {
    if (!element.is_string()) return fail(key, "a list of strings is wanted"), false;
    strings.push_back(element.as_string()->get());
  }
  target = std::move(strings);
  return true;
}

bool TableReader::read(std::string_view key, std::vector<std::int64_t>& target, std::int64_t least, std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return false;
  std::vector<std::int64_t> numbers;
  const auto add = [&](const toml::node& element) {
    if (!element.is_integer() || element.as_integer()->get() < least || element.as_integer()->get() > most) return false;
    numbers.push_back(element.as_integer()->get());
    return true;
  };
  bool good = true;
  if (const toml::array* array = found->as_array()) {
    for (const toml::node& element : *array) good = good && add(element);
  } else {
    good = add(*found);
  }
  if (!good || numbers.empty()) return fail(key, "whole numbers in range are wanted"), false;
  target = std::move(numbers);
  return true;
}

bool TableReader::read(std::string_view key, std::map<std::string, std::string>& target) {
  const toml::table* found = table(key);
  if (found == nullptr) return false;
  for (const auto& [name, value] : *found) {
    if (!value.is_string()) return fail(key, "a table of strings is wanted"), false;
    target[std::string(name.str())] = value.as_string()->get();
  }
  return true;
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return nullptr;
  if (!found->is_table()) fail(key, "a table is wanted");
  return found->as_table();
}

std::vector<const toml::table*> TableReader::tables(std::string_view key) {
  std::vector<const toml::table*> list;
  const toml::node* found = node(key);
  if (found == nullptr) return list;
  const toml::array* array = found->as_array();
  if (array == nullptr) return fail(key, "[[" + std::string(key) + "]] is wanted"), list;
  for (const toml::node& element : *array) {
    if (const toml::table* one = element.as_table()) list.push_back(one);
    else fail(key, "tables are wanted");
  }
  return list;
}

void TableReader::finish() {
  if (table_ == nullptr) return;
  for (const auto& [name, value] : *table_) {
    if (!known_.contains(name.str())) complaint_.say(value.source(), "unknown key: " + std::string(name.str()));
  }
}

}  // namespace modemsim
