// SPDX-License-Identifier: MIT
#include "script/chat/replies.hpp"

#include <algorithm>
#include <system_error>

#include "base/text.hpp"

namespace longline::script::chat {
namespace {

/// The file that @ names; a lone @ is an @.
std::string file_in(const std::string& text) {
  return text.starts_with('@') ? text.substr(std::min(text.size(), text.find_first_not_of(" \t", 1))) : "";
}

Error open_failed(const std::string& name, const Error& cause) {
  const std::string reason = cause.sys_errno == 0 ? cause.what : std::generic_category().message(cause.sys_errno);
  return Error(Errc::script_error, escape_at_most(name, 200) + " -- open failed: " + reason);
}

}  // namespace

Result<Sending> Replies::compose(const std::string& text) const {
  const std::string name = file_in(text);
  if (name.empty()) return compose_text(text);
  if (!read_file_) return open_failed(name, Error(Errc::not_found, "there are no files here"));
  Result<std::string> content = read_file_(name);
  if (!content) return open_failed(name, content.error());
  Sending out = as_chat_ ? compose_text(content->substr(0, content->find('\0'))) : send_as_it_is(std::move(*content));
  out.secret = true;
  return out;
}

Sending Replies::compose_text(const std::string& text) const {
  if (text == "EOT") return translate_send("^D\\c", values_);
  if (text == "BREAK") return translate_send("\\K\\c", values_);
  return translate_send(text, values_);
}

}  // namespace longline::script::chat
