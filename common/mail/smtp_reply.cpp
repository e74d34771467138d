// SPDX-License-Identifier: MIT
#include "mail/smtp_reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestReplyLine = 4096;
constexpr std::size_t kMostLines = 256;
constexpr std::size_t kLongestReply = 64 * 1024;
constexpr std::size_t kLongestShownReply = 400;

bool starts_greeting(std::string_view line) {
  const int code = reply_code(line);
  return code == 220 || code == 421 || code == 554;
}

}  // namespace

int reply_code(std::string_view line) {
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return 0;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  return code >= 200 && code < 600 ? code : 0;
}

std::string_view enhanced_status(std::string_view text, int code) {
  const std::string_view word = text.substr(0, text.find(' '));
  const auto parts = split(word, '.');
  if (parts.size() != 3 || word.size() > 9 || parts[0].size() != 1 || parts[0][0] - '0' != code / 100) return {};
  const bool digits = std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), is_digit);
  });
  return digits ? word : std::string_view();
}

std::string SmtpReply::text() const {
  std::string joined;
  for (const std::string& line : lines) {
    if (joined.size() > kLongestShownReply) break;
    if (!joined.empty() && !line.empty()) joined += " / ";
    joined += line;
  }
  return escape_at_most(joined, kLongestShownReply);
}

void SmtpReplyParser::feed(std::string_view bytes) {
  while (!bytes.empty() && !error_) {
    const std::size_t room = kLongestReplyLine - line_.size();
    const std::size_t end = bytes.substr(0, room).find('\n');
    const std::size_t taken = std::min({end, room, bytes.size()});
    line_ += bytes.substr(0, taken);
    bytes.remove_prefix(end == std::string_view::npos ? taken : taken + 1);
    if (end != std::string_view::npos) {
      end_line();
    } else if (line_.size() == kLongestReplyLine) {
      if (skip_ <= kLongestReplyLine) return fail("the peer sent a line without an end");
      skip_ -= kLongestReplyLine;
      line_.clear();
    }
  }
}

/// While junk is skipped: cuts it off the line and says whether a greeting is left.
bool SmtpReplyParser::greeting_found() {
  const std::size_t cr = line_.rfind('\r');
  std::string_view rest = cr == std::string::npos ? std::string_view(line_) : std::string_view(line_).substr(cr + 1);
  while (!rest.empty() && (static_cast<unsigned char>(rest.front()) <= ' ' || rest.front() == 0x7F)) rest.remove_prefix(1);
  if (starts_greeting(rest)) {
    line_ = std::string(rest);
    return true;
  }
  // Behind the rest of a prompt, or noise: then it must look like one.
  for (std::size_t at = rest.find("220"); at != std::string_view::npos; at = rest.find("220", at + 1)) {
    const std::string_view behind = rest.substr(at);
    const bool within_word = at > 0 && (std::isalnum(static_cast<unsigned char>(rest[at - 1])) != 0 || rest[at - 1] == '.');
    if (within_word || !starts_greeting(behind) || behind.size() < 5) continue;
    const std::string_view text = behind.substr(4);
    const bool names_host = text.substr(0, text.find(' ')).find('.') != std::string_view::npos;
    if (!names_host && to_upper(text).find("SMTP") == std::string::npos) continue;
    line_ = std::string(behind);
    return true;
  }
  return false;
}

void SmtpReplyParser::end_line() {
  while (line_.ends_with('\r')) line_.pop_back();
  if (skip_ > 0) {
    if (!greeting_found()) {
      const std::size_t cost = line_.size() + 1;
      if (cost >= skip_) return fail("no greeting came, the last line was " + quote(std::string_view(line_).substr(0, 80)));
      skip_ -= cost;
      line_.clear();
      return;
    }
    skip_ = 0;
  }
  const std::string line = std::move(line_);
  line_.clear();
  const int code = reply_code(line);
  if (code == 0) return fail("the peer sent " + quote(std::string_view(line).substr(0, 80)) + " where a reply was due");
  if (reply_.code != 0 && reply_.code != code) return fail(fmt::format("a reply starts with {} and goes on with {}", reply_.code, code));
  reply_.code = code;
  std::string_view text = std::string_view(line).substr(std::min<std::size_t>(4, line.size()));
  if (const std::string_view enhanced = enhanced_status(text, code); !enhanced.empty()) {
    reply_.enhanced = enhanced;
    text = trim(text.substr(enhanced.size()));
  }
  reply_size_ += line.size();
  if (reply_.lines.size() == kMostLines || reply_size_ > kLongestReply) return fail("the peer sent a reply without an end");
  reply_.lines.emplace_back(text);
  if (line.size() > 3 && line[3] == '-') return;
  complete_.push_back(std::move(reply_));
  reply_ = {};
  reply_size_ = 0;
}

void SmtpReplyParser::fail(std::string what) {
  error_ = Error(Errc::protocol, std::move(what));
  line_.clear();
  reply_ = {};
}

Result<std::optional<SmtpReply>> SmtpReplyParser::next() {
  if (next_ < complete_.size()) {
    SmtpReply reply = std::move(complete_[next_++]);
    if (next_ == complete_.size()) {
      complete_.clear();
      next_ = 0;
    }
    return std::optional<SmtpReply>(std::move(reply));
  }
  if (error_) return *error_;
  return std::optional<SmtpReply>();
}

}  // namespace longline::mail
