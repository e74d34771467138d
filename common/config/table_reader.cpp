// SPDX-License-Identifier: MIT
#include "config/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::config {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a float";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

}  // namespace

Where where_of(const std::string& file, const toml::source_region& region) {
  return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

const toml::node* TableReader::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

Where TableReader::where(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return where_of(file_, node == nullptr ? table_.source() : node->source());
}

std::size_t TableReader::length(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr || node->source().end.line != node->source().begin.line) return 1;
  return std::max<std::size_t>(1, node->source().end.column - node->source().begin.column);
}

void TableReader::complain(std::string_view key, std::string code, std::string message, std::string fix) {
  diagnostics_.push_back({Severity::error, std::move(code), where(key), length(key),
                          fmt::format("{}: {}: {}", what_, key, message), std::move(fix)});
}

void TableReader::warn(std::string_view key, std::string code, std::string message) {
  diagnostics_.push_back({Severity::warning, std::move(code), where(key), length(key),
                          fmt::format("{}: {}: {}", what_, key, message), ""});
}

void TableReader::wrong_type(std::string_view key, const toml::node& node, std::string_view wanted) {
  complain(key, "wrong-type", fmt::format("must be {}, not {}", wanted, type_name(node)));
}

void TableReader::bad_choice(std::string_view key, const std::string& got, const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  const std::optional<std::string> near = nearest(got, names);
  complain(key, "bad-value", fmt::format("'{}' is none of: {}", escape_at_most(got, 64), all),
           near ? fmt::format("{} = \"{}\"", key, *near) : "");
}

bool TableReader::is_one_line(std::string_view key, std::string_view text) {
  const bool one = std::none_of(text.begin(), text.end(), is_control);
  if (!one) complain(key, "bad-value", fmt::format("'{}' holds a control character", escape_at_most(text, 64)));
  return one;
}

bool TableReader::read(std::string_view key, std::string& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_string();
  if (value == nullptr) {
    wrong_type(key, *node, "a string");
    return false;
  }
  if (!is_one_line(key, value->get())) return false;
  out = value->get();
  return true;
}

bool TableReader::read(std::string_view key, bool& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    wrong_type(key, *node, "true or false");
    return false;
  }
  out = value->get();
  return true;
}

bool TableReader::read(std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = table_.get(key);
  if (node != nullptr && node->is_string()) {
    std::string text;
    if (!read(key, text)) return false;
    out.assign(1, std::move(text));
    return true;
  }
  std::vector<std::string> texts;
  if (!read_words(key, texts)) return false;
  for (const std::string& text : texts) {
    if (!is_one_line(key, text)) return false;
  }
  out = std::move(texts);
  return true;
}

bool TableReader::read_words(std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, *node, "an array of strings");
    return false;
  }
  std::vector<std::string> words;
  for (const toml::node& element : *array) {
    const auto* word = element.as_string();
    if (word == nullptr) {
      complain(key, "wrong-type", fmt::format("must hold strings only, not {}", type_name(element)));
      return false;
    }
    words.push_back(word->get());
  }
  out = std::move(words);
  return true;
}

bool TableReader::read_integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    wrong_type(key, *node, "an integer");
    return false;
  }
  if (value->get() < least || value->get() > most) {
    complain(key, "out-of-range", fmt::format("must be from {} to {}", least, most));
    return false;
  }
  out = value->get();
  return true;
}

bool TableReader::read_integer(std::string_view key, int least, int most, int& out) {
  std::int64_t value = 0;
  if (!read_integer(key, std::int64_t{least}, std::int64_t{most}, value)) return false;
  out = static_cast<int>(value);
  return true;
}

bool TableReader::read_duration(std::string_view key, Duration least, Duration most, Duration& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  Duration value{};
  if (const auto* seconds = node->as_integer(); seconds != nullptr) {
    if (seconds->get() < 0 || seconds->get() > most.count() / 1000) {
      complain(key, "out-of-range", fmt::format("must be from {} to {}", format_duration(least), format_duration(most)));
      return false;
    }
    value = std::chrono::seconds(seconds->get());
  } else if (const auto* text = node->as_string(); text != nullptr) {
    const Result<Duration> parsed = parse_duration(text->get());
    if (!parsed) {
      complain(key, "bad-value", parsed.error().what);
      return false;
    }
    value = *parsed;
  } else {
    wrong_type(key, *node, "a time like \"60s\"");
    return false;
  }
  if (value < least || value > most) {
    complain(key, "out-of-range", fmt::format("must be from {} to {}", format_duration(least), format_duration(most)));
    return false;
  }
  out = value;
  return true;
}

bool TableReader::read_size(std::string_view key, std::optional<std::int64_t>& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (const auto* bytes = node->as_integer(); bytes != nullptr && bytes->get() > 0) {
    out = bytes->get();
    return true;
  }
  const auto* text = node->as_string();
  const Result<std::int64_t> parsed = text == nullptr ? Error(Errc::malformed, "must be a size like \"200k\"") : parse_size(text->get());
  if (!parsed || *parsed == 0) {
    complain(key, "bad-value", parsed ? "must be more than 0" : parsed.error().what);
    return false;
  }
  out = *parsed;
  return true;
}

bool TableReader::read_number(std::string_view key, double least, double most, double& out) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::optional<double> value = node->value<double>();
  if (!node->is_number() || !value) {
    wrong_type(key, *node, "a number");
    return false;
  }
  if (!(*value >= least && *value <= most)) {
    complain(key, "out-of-range", fmt::format("must be from {} to {}", least, most));
    return false;
  }
  out = *value;
  return true;
}

const toml::table* TableReader::read_table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_type(key, *node, "a table");
  return node->as_table();
}

void TableReader::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::optional<std::string> near = nearest(name, known_);
    diagnostics_.push_back({Severity::error, "unknown-key", where_of(file_, key.source()), name.size(),
                            fmt::format("{}: unknown key '{}'{}", what_, escape_at_most(name, 64),
                                        near ? fmt::format("; did you mean '{}'?", *near) : ""),
                            near.value_or("")});
  }
}

}  // namespace longline::config
