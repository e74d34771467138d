// SPDX-License-Identifier: MIT
#include "script/chat/narrator.hpp"

#include <utility>

#include "script/chat/abort_watch.hpp"

namespace longline::script::chat {
namespace {

constexpr std::size_t kMostHidden = 64;
constexpr std::size_t kLongestReport = 4096;

bool is_control_under_parity(char c) { return (c & 0x7F) < 0x20 || (c & 0x7F) == 0x7F; }

}  // namespace

void Narrator::add_secret(const std::string& bytes) {
  if (bytes.size() < 2 || secrets_.size() >= kMostHidden) return;
  secrets_.emplace_back(bytes);
  masker_.add(secrets_.back());
}

void Narrator::add_report(std::string text) {
  reports_.push_back(std::move(text));
}

void Narrator::set_reports(std::vector<std::string> reports) {
  reports_ = std::move(reports);
}

void Narrator::watch_reports() {
  std::vector<Matcher::Pattern> patterns;
  for (const std::string& text : reports_) patterns.push_back(pattern(text));
  report_matcher_.reset();
  if (!patterns.empty()) report_matcher_.emplace(patterns);
}

void Narrator::begin_expect(std::size_t length) {
  received_log_.begin(length);
  watch_reports();
}

void Narrator::received(char byte, TimePoint now) {
  const char plain = static_cast<char>(byte & 0x7F);   // a secret is one with parity, too
  for (const char c : masker_.feed(std::string_view(&plain, 1))) show(c, now);
  if (reporting_) {
    if (report_goes_on(byte)) end_report();
    return;
  }
  const auto match = report_matcher_ ? report_matcher_->feed(std::string_view(&byte, 1)) : std::nullopt;
  if (!match) return;
  report_ = reports_[match->pattern];
  reports_.erase(reports_.begin() + static_cast<std::ptrdiff_t>(match->pattern));   // each comes once
  report_began_ = now;
  reporting_ = true;
}

bool Narrator::report_goes_on(char byte) {
  if (is_control_under_parity(byte)) return true;
  if (report_.size() < kLongestReport) report_ += static_cast<char>(byte & 0x7F);
  return false;
}

void Narrator::end_report() {
  reporting_ = false;
  watch_reports();
  out_.emplace_back(Notice{Notice::Kind::report, mask(std::exchange(report_, {}), secrets_), report_began_});
}

void Narrator::show(char c, TimePoint now) {
  if (echoes_) tell(Notice::Kind::echo, c, now);
  if (logs_) {
    for (std::string& line : received_log_.feed(c)) out_.emplace_back(Notice{Notice::Kind::log, std::move(line), now});
  }
  if (shows_) tell(Notice::Kind::show, c, now);
}

void Narrator::tell(Notice::Kind kind, char c, TimePoint now) {
  auto* last = out_.empty() ? nullptr : std::get_if<Notice>(&out_.back());
  if (last != nullptr && last->kind == kind) last->text += c;
  else out_.emplace_back(Notice{kind, std::string(1, c), now});
}

void Narrator::pause(TimePoint now) {
  for (const char c : masker_.flush()) show(c, now);
}

void Narrator::end_expect(TimePoint now) {
  pause(now);
  if (const std::string rest = received_log_.rest(); !rest.empty()) log(rest, now);
}

void Narrator::log(const std::string& line, TimePoint now) {
  if (logs_) out_.emplace_back(Notice{Notice::Kind::log, mask(line, secrets_), now});
}

void Narrator::failure(const std::string& line, TimePoint now) { out_.emplace_back(Notice{Notice::Kind::failure, mask(line, secrets_), now}); }

void Narrator::say(std::string text, TimePoint now) { out_.emplace_back(Notice{Notice::Kind::say, mask(text, secrets_), now}); }

}  // namespace longline::script::chat
