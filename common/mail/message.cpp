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
