// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "mail/message.hpp"
#include "mail/mime_header.hpp"

namespace longline::mail {
namespace {

std::string_view name_of(std::string_view field) { return trim(field.substr(0, field.find(':'))); }
std::string_view value_of(std::string_view field) { return field.substr(field.find(':') + 1); }

/// RFC 5322, 2.2, with blanks before the colon allowed (4.5).
bool starts_field(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && line[i] > ' ' && line[i] < 0x7F && line[i] != ':') ++i;
  if (i == 0) return false;
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t')) ++i;
  return i < line.size() && line[i] == ':';
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return iequals(n, name); });
}

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// "From alice@example.com Sun Nov 22 23:10:51 2026". The time tells it from a text that starts with the word.
bool is_mbox_line(std::string_view line) {
  if (line.starts_with('>')) line.remove_prefix(1);
  if (!line.starts_with("From ")) return false;
  const auto digit = [&](std::size_t i) { return i < line.size() && line[i] >= '0' && line[i] <= '9'; };
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos; colon = line.find(':', colon + 1)) {
    if (digit(colon - 1) && digit(colon + 1) && digit(colon + 2)) return true;
  }
  return false;
}

bool has_high_byte(std::string_view bytes) {
  unsigned char all = 0;
  for (const char c : bytes) all |= static_cast<unsigned char>(c);
  return all >= 0x80;
}

}  // namespace

MessageBuilder::MessageBuilder(SubmissionDefaults defaults) : defaults_(std::move(defaults)) {}

void MessageBuilder::expect(std::size_t bytes) {
  constexpr std::size_t kMost = 256u << 20;
  message_.content.reserve(std::min(bytes + bytes / 32 + 1024, kMost));
}

void MessageBuilder::feed(std::string_view bytes) {
  if (ended_) return;
  if (!message_.eight_bit) message_.eight_bit = has_high_byte(bytes);
  has_cr_ = has_cr_ || bytes.find('\r') != std::string_view::npos;
  if (in_header_ || defaults_.dot_ends) feed_lines(bytes);
  if (!ended_) feed_body(bytes);
}

/// Takes whole lines as long as they must be looked at before they can go; leaves the rest.
void MessageBuilder::feed_lines(std::string_view& bytes) {
  while (!bytes.empty() && !ended_ && (in_header_ || defaults_.dot_ends)) {
    const std::size_t end = bytes.find('\n');
    held_ += bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end != std::string_view::npos) end_held_line();
  }
}

void MessageBuilder::end_held_line() {
  const std::string_view line = without_cr(held_);
  if (defaults_.dot_ends && line == ".") {
    ended_ = true;
  } else if (!in_header_ || !take_header_line(line)) {
    if (in_header_) end_header();
    feed_body(held_);
    end_body_line();
  }
  held_.clear();
}

/// False: the line is the first of the body.
bool MessageBuilder::take_header_line(std::string_view line) {
  const bool first = std::exchange(first_line_, false);
  if (first && is_mbox_line(line)) return true;
  const bool continues = !fields_.empty() && (line.starts_with(' ') || line.starts_with('\t'));
  if (continues) {
    fields_.back().append(line).append("\r\n");
  } else if (starts_field(line)) {
    fields_.emplace_back(line).append("\r\n");
  } else if (line.empty()) {
    end_header();
  } else {
    return false;
  }
  return true;
}

bool MessageBuilder::has_field(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const std::string& f) { return iequals(name_of(f), name); });
}

void MessageBuilder::add_missing_fields() {
  const std::string& host = defaults_.host;
  if (!has_field("Date")) fields_.push_back(fmt::format("Date: {}\r\n", format_rfc5322(defaults_.now)));
  if (!has_field("From")) {
    const std::string sender = defaults_.sender.empty() ? "MAILER-DAEMON@" + host : defaults_.sender;
    const std::string name = defaults_.full_name.empty() ? "" : phrase(defaults_.full_name);
    fields_.push_back(name.empty() ? fmt::format("From: {}\r\n", sender) : fmt::format("From: {} <{}>\r\n", name, sender));
  }
  if (!has_field("Message-ID")) fields_.push_back(fmt::format("Message-ID: <{}@{}>\r\n", defaults_.unique, host));
}

void MessageBuilder::collect_recipients() {
  const bool resent = has_field("Resent-To") || has_field("Resent-Cc") || has_field("Resent-Bcc");
  std::set<std::string> seen;
  for (const std::string& field : fields_) {
    const std::string_view name = name_of(field);
    const bool wanted = resent ? is_any_of(name, {"Resent-To", "Resent-Cc", "Resent-Bcc"}) : is_any_of(name, {"To", "Cc", "Bcc"});
    if (!wanted) continue;
    auto list = parse_address_list(value_of(field), defaults_.host);
    if (!list) {
      if (!error_) error_ = std::move(list).error().context(name);
      continue;
    }
    for (Address& address : *list) {
      if (seen.insert(to_string(address)).second) message_.recipients.push_back(std::move(address));
    }
  }
  std::erase_if(fields_, [](const std::string& f) { return is_any_of(name_of(f), {"Bcc", "Resent-Bcc"}); });
}

void MessageBuilder::end_header() {
  in_header_ = false;
  if (defaults_.recipients_from_header) collect_recipients();
  add_missing_fields();
  std::size_t length = 2;
  for (const std::string& field : fields_) length += field.size();
  message_.content.reserve(std::max(length, message_.content.capacity()));
  for (const std::string& field : fields_) {
    std::string_view rest = field;
    for (std::size_t end; (end = rest.find("\r\n")) != std::string_view::npos; rest.remove_prefix(end + 2)) {
      message_.longest_line = std::max(message_.longest_line, end);
    }
    message_.content += field;
    if (is_any_of(name_of(field), {"Message-ID"}) && message_.message_id.empty()) message_.message_id = unfold(value_of(field));
    if (is_any_of(name_of(field), {"Subject"}) && message_.subject.empty()) message_.subject = unfold(value_of(field));
  }
  fields_.clear();
  message_.content += "\r\n";
}

void MessageBuilder::feed_body(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view text = bytes.substr(0, end);
    message_.content += text;
    line_length_ += text.size();
    if (end == std::string_view::npos) return;
    end_body_line();
    bytes.remove_prefix(end + 1);
  }
}

void MessageBuilder::end_body_line() {
  const bool has_cr = line_length_ > 0 && message_.content.back() == '\r';
  message_.content += has_cr ? "\n" : "\r\n";
  message_.longest_line = std::max(message_.longest_line, line_length_ - (has_cr ? 1 : 0));
  line_length_ = 0;
}

Result<StoredMessage> MessageBuilder::finish() {
  if (!held_.empty() && !ended_) end_held_line();
  if (in_header_) end_header();
  if (line_length_ > 0) end_body_line();
  if (error_) return std::move(*error_);
  if (has_cr_) blank_stray_crs(message_.content);
  return std::move(message_);
}

Result<StoredMessage> complete_message(std::string_view submitted, SubmissionDefaults defaults) {
  MessageBuilder builder(std::move(defaults));
  builder.expect(submitted.size());
  builder.feed(submitted);
  return builder.finish();
}

}  // namespace longline::mail
