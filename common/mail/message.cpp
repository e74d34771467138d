// SPDX-License-Identifier: MIT
#include "mail/message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

/// The field at the start of a header block, with its folded lines and last CRLF.
std::string_view first_field(std::string_view header) {
  std::size_t end = 0;
  while (true) {
    end = header.find("\r\n", end);
    if (end == std::string_view::npos) return header;
    end += 2;
    if (end >= header.size() || (header[end] != ' ' && header[end] != '\t')) return header.substr(0, end);
  }
}

bool is_named(std::string_view field, std::string_view name) {
  const std::size_t colon = field.find(':');
  return colon != std::string_view::npos && iequals(trim(field.substr(0, colon)), name);
}

}  // namespace

std::string_view header_of(std::string_view content) {
  if (content.starts_with("\r\n")) return {};
  const std::size_t end = content.find("\r\n\r\n");
  return end == std::string_view::npos ? content : content.substr(0, end + 2);
}

std::string_view body_of(std::string_view content) {
  const std::size_t header = header_of(content).size();
  return content.substr(std::min(header + 2, content.size()));
}

std::string unfold(std::string_view field_body) {
  std::string out;
  out.reserve(field_body.size());
  for (const char c : field_body) {
    if (c != '\r' && c != '\n') out += c;
  }
  return std::string(trim(out));
}

std::optional<std::string> header_field(std::string_view content, std::string_view name) {
  std::string_view header = header_of(content);
  while (!header.empty()) {
    const std::string_view field = first_field(header);
    if (is_named(field, name)) return unfold(field.substr(field.find(':') + 1));
    header.remove_prefix(field.size());
  }
  return std::nullopt;
}

StrayLineEnds stray_line_ends(std::string_view content) {
  StrayLineEnds found;
  for (std::size_t i = content.find_first_of("\r\n"); i != std::string_view::npos; i = content.find_first_of("\r\n", i + 1)) {
    if (content[i] == '\n') found.lf = true;
    else if (i + 1 < content.size() && content[i + 1] == '\n') ++i;
    else found.cr = true;
  }
  return found;
}

void blank_stray_crs(std::string& content) {
  for (std::size_t i = content.find('\r'); i != std::string::npos; i = content.find('\r', i + 1)) {
    if (i + 1 == content.size() || content[i + 1] != '\n') content[i] = ' ';
  }
}

void mend_line_ends(std::string& content) {
  const StrayLineEnds stray = stray_line_ends(content);
  if (stray.cr) blank_stray_crs(content);
  if (!stray.lf) return;
  std::string out;
  out.reserve(content.size() + content.size() / 32);
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) out += '\r';
    out += content[i];
  }
  content = std::move(out);
}

std::string with_return_path(std::string_view header, std::string_view sender) {
  std::string out = fmt::format("Return-Path: <{}>\r\n", sender);
  while (!header.empty()) {
    const std::string_view field = first_field(header);
    if (!is_named(field, "Return-Path")) out += field;
    header.remove_prefix(field.size());
  }
  return out;
}

std::size_t count_header_fields(std::string_view content, std::string_view name) {
  std::size_t count = 0;
  std::string_view header = header_of(content);
  while (!header.empty()) {
    const std::string_view field = first_field(header);
    count += is_named(field, name) ? 1 : 0;
    header.remove_prefix(field.size());
  }
  return count;
}

}  // namespace longline::mail
