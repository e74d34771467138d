// SPDX-License-Identifier: MIT
#include "script/chat/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/text.hpp"
#include "script/chat/abort_watch.hpp"
#include "script/chat/text.hpp"
#include "script/prompts.hpp"
#include "script/scp/limits.hpp"

namespace longline::script::chat {
namespace {

using Kind = Step::Kind;

constexpr int kDefaultTimeout = 45;
/// S7, the modem's own wait for carrier, is 50 s by V.250; makers ship 50 to 60.
constexpr int kUsualS7 = 60;
constexpr std::size_t kAbortsOfOtherChats = 64;   // chat(8) takes 50

/// One letter more, less, other, or two changed places; or only the case is another.
bool within_one_edit(std::string_view a, std::string_view b) {
  if (iequals(a, b)) return true;
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const std::size_t at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
  if (a.size() < b.size()) return a.substr(at) == b.substr(at + 1);
  if (a.substr(at + 1) == b.substr(at + 1)) return true;
  return at + 1 < a.size() && a[at] == b[at + 1] && a[at + 1] == b[at] && a.substr(at + 2) == b.substr(at + 2);
}

bool is_word(std::string_view text) {
  return text.size() >= 3 && std::all_of(text.begin(), text.end(), [](char c) { return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

bool is_upper(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::optional<std::string_view> meant_keyword(std::string_view word) {
  if (!is_word(word) || keyword(word)) return std::nullopt;
  for (const std::string_view name : keywords()) {
    const bool is_short = name.size() <= 4;   // "Say", but not "day"
    if (within_one_edit(word, name) && (!is_short || iequals(word, name) || is_upper(word))) return name;
  }
  return std::nullopt;
}

/// "ATDT…", "ATX3DP…", "ATD*99#".
bool is_dial(std::string_view send) {
  const std::string text = to_lower(send);
  if (!text.starts_with("at")) return false;
  for (std::size_t at = text.find('d', 2); at != std::string::npos; at = text.find('d', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at - 1] == '&' || text[at - 1] == '\\') continue;   // &D2; \d is a pause
    if (next == 't' || next == 'p' || next == 'l' || next == '*' || next == '#' || next == '\\' || (next >= '0' && next <= '9')) return true;
  }
  return false;
}

std::optional<int> s7_in(std::string_view send) {
  const std::string text = to_lower(send);
  const std::size_t at = text.find("s7=");
  if (!text.starts_with("at") || at == std::string::npos) return std::nullopt;
  return std::atoi(text.c_str() + at + 3);
}

bool is_modem_result(std::string_view text) {
  const std::string upper = to_lower(text);
  for (const std::string_view word : {"busy", "no carrier", "no dial", "no answer", "voice", "delayed", "blacklisted", "no line", "error"}) {
    if (upper.starts_with(word)) return true;
  }
  return false;
}

class Linter {
 public:
  Linter(const Parsed& script, const LintOptions& options) : script_(script), source_(*script.source), deadline_(options.deadline.count() / 1000) {}

  std::vector<Diagnostic> run() {
    words();
    for (const Step& step : script_.program->steps) {
      if (out_.size() >= scp::kMostFindings) break;
      look(step);
    }
    return std::move(out_);
  }

 private:
  void add(Severity severity, std::size_t offset, std::size_t length, std::string code, std::string message, std::string fix = "") {
    out_.push_back({severity, std::move(code), source_.where(offset), std::max<std::size_t>(length, 1), std::move(message), std::move(fix)});
  }
  void warn(const Step& step, std::string code, std::string message, std::string fix = "") {
    add(Severity::warning, step.offset, step.length, std::move(code), std::move(message), std::move(fix));
  }

  // ---- over the words

  void words() {
    bool sends = false;
    for (std::size_t i = 0; i < script_.tokens.size() && out_.size() < scp::kMostFindings; ++i, sends = !sends) {
      const Token& token = script_.tokens[i];
      if (token.text.ends_with('\r') && !token.quoted) {
        add(Severity::warning, token.offset, token.length, "dos-line-end", "the word ends in a carriage return (a line end of DOS), which belongs to it",
            "save the file with Unix line ends");
        return;   // so do all others
      }
      if (token.quoted) continue;
      if (sends) {
        if (keyword(token.text)) {
          add(Severity::warning, token.offset, token.length, "keyword-sent",
              fmt::format("'{}' stands where something is sent, and is sent: keywords stand where something is expected", token.text));
        }
      } else if (const auto meant = meant_keyword(token.text)) {
        add(Severity::warning, token.offset, token.length, "misspelt-keyword",
            fmt::format("'{}' is waited for; did you mean the keyword {}?", token.text, *meant), std::string(*meant));
      } else if (keyword(token.text) && i + 1 == script_.tokens.size()) {
        add(Severity::warning, token.offset, token.length, "missing-argument", fmt::format("{} has no argument", token.text));
      }
    }
  }

  // ---- over the steps

  void look(const Step& step) {
    switch (step.kind) {
      case Kind::expect: look_at_expect(step); break;
      case Kind::send: look_at_send(step, step.text, asked_); break;
      case Kind::abort: look_at_abort(step); break;
      case Kind::clear_abort: look_at_clear(step); break;
      case Kind::timeout: look_at_timeout(step); break;
      case Kind::hangup: called_back_ = true; break;
      default: break;
    }
  }

  void look_at_expect(const Step& step) {
    asked_ = false;
    for (const Exchange& exchange : step.exchanges) {
      const std::string expect = translate_expect(exchange.expect, {});
      if (expect.empty()) continue;
      if (std::any_of(expect.begin(), expect.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        add(Severity::note, step.offset, step.length, "eight-bits", "chat(8) compares seven bits and never finds this; chatrun does");
      }
      asked_ = asked_ || asks_for_password(expect);
      waited(step, timeout_);
      if (dialled_ == Dialled::now) {
        look_at_s7(step);
        dialled_ = Dialled::before;
      }
      if (exchange.reply) look_at_send(step, *exchange.reply, false);
    }
  }

  void look_at_s7(const Step& step) {
    if (s7_ ? timeout_ > *s7_ : timeout_ >= kUsualS7) return;
    const std::string modem = s7_ ? fmt::format("the modem itself waits {} s", *s7_) : "a modem waits 50 to 60 s";
    warn(step, "timeout-below-s7",
         fmt::format("TIMEOUT is {} s here, and {} for carrier (S7): the script gives up first and leaves it dialling", timeout_, modem),
         fmt::format("TIMEOUT {}", std::max(kUsualS7, s7_.value_or(0) + 10)));
  }

  void look_at_send(const Step& step, const std::string& text, bool answers_password) {
    if (is_dial(text)) dialled_ = Dialled::now;
    if (const auto s7 = s7_in(text)) s7_ = s7;
    const Sending sending = translate_send(text, {});
    std::string bytes;
    Duration pauses{};
    for (const Piece& piece : sending.pieces) {
      if (const auto* part = std::get_if<std::string>(&piece)) bytes += *part;
      if (const auto* pause = std::get_if<Pause>(&piece)) pauses += pause->length;
    }
    waited(step, static_cast<int>(pauses.count() / 1000));
    echoes(bytes);
    if (answers_password) look_at_password(step, text, sending, bytes);
    asked_ = false;
  }

  void look_at_password(const Step& step, const std::string& text, const Sending& sending, const std::string& bytes) {
    if (text.starts_with('@') || trim(bytes).empty()) return;
    if (!sending.quiet) {
      warn(step, "missing-q", "without \\q chat -v writes this password to the log", "\\q" + (text.find('$') == std::string::npos ? "…" : text));
    }
    if (text.find('$') == std::string::npos && text.find("\\T") == std::string::npos && text.find("\\U") == std::string::npos) {
      warn(step, "literal-password", "a password that stands in the script is read by everybody who reads the script", "@FILE, or \\q$PASSWORD");
      out_.back().secret = true;
    }
  }

  void look_at_abort(const Step& step) {
    const std::string text = translate_expect(step.text, {});
    if (text.empty()) {
      warn(step, "empty-abort", "an empty ABORT string ends the run with the first byte that comes");
      return;
    }
    if (dialled_ != Dialled::no && !called_back_ && (dialled_ == Dialled::now || is_modem_result(text)) && declared_.count(text) == 0) {
      warn(step, "late-abort", fmt::format("{} is declared when the number has been dialled; what the modem says before that is missed", quote(text)),
           "declare it before the dialling");
    }
    declared_.insert(text);
    const bool known = std::any_of(aborts_.begin(), aborts_.end(), [&](const Abort& a) { return a.text == text; });
    if (known || aborts_.size() == kAbortsOfOtherChats) return;
    aborts_.push_back({text, &step});
    watch_is_old_ = true;
  }

  /// The modem echoes commands, the host echoes answers; chat(8) finds ABORT strings in both.
  void echoes(const std::string& bytes) {
    if (aborts_.empty()) return;
    if (watch_is_old_) {
      std::vector<std::string> texts;
      for (const Abort& abort : aborts_) texts.push_back(abort.text);
      watch_.set(texts);
      watch_is_old_ = false;
    }
    watch_.restart();
    const auto match = watch_.feed(bytes);
    if (!match) return;
    const Abort found = aborts_[match->abort];
    warn(*found.step, "abort-in-echo", fmt::format("{} is part of what the script itself sends later; its echo would end the run", quote(found.text)));
    aborts_.erase(aborts_.begin() + static_cast<std::ptrdiff_t>(match->abort));   // once is enough
    watch_is_old_ = true;
  }

  void look_at_clear(const Step& step) {
    const std::string gone = translate_expect(step.text, {});
    watch_is_old_ = std::erase_if(aborts_, [&](const Abort& a) { return a.text == gone; }) > 0 || watch_is_old_;
  }

  void look_at_timeout(const Step& step) {
    const std::string text = translate_expect(step.text, {});
    const int n = std::atoi(text.c_str());
    timeout_ = n <= 0 ? kDefaultTimeout : n;
    const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) {
      const Result<Duration> meant = parse_duration(text);
      warn(step, "timeout-unit", fmt::format("TIMEOUT takes whole seconds: chat(8) reads '{}' as {} s", escape_at_most(text, 40), timeout_),
           meant ? fmt::format("TIMEOUT {}", (meant->count() + 999) / 1000) : "");
      if (meant) timeout_ = static_cast<int>((meant->count() + 999) / 1000);
    } else if (n == 0) {
      warn(step, "timeout-unit", fmt::format("TIMEOUT {} means {} s", escape_at_most(text, 40), kDefaultTimeout));
    }
  }

  void waited(const Step& step, int seconds) {
    if (waited_ <= deadline_ && waited_ + seconds > deadline_) {
      warn(step, "beyond-deadline", fmt::format("the waits up to here add up to {}; the deadline of the run is {}",
                                                format_duration(std::chrono::seconds(waited_ + seconds)), format_duration(std::chrono::seconds(deadline_))));
    }
    waited_ += seconds;
  }

  enum class Dialled { no, now, before };
  struct Abort {
    std::string text;
    const Step* step;
  };

  const Parsed& script_;
  const SourceText& source_;
  std::int64_t deadline_;   ///< seconds
  std::int64_t waited_ = 0;
  int timeout_ = kDefaultTimeout;
  std::optional<int> s7_;
  Dialled dialled_ = Dialled::no;
  bool asked_ = false;
  bool called_back_ = false;
  std::vector<Abort> aborts_;
  std::set<std::string> declared_;
  AbortWatch watch_;
  bool watch_is_old_ = true;
  std::vector<Diagnostic> out_;
};

}  // namespace

std::vector<Diagnostic> lint(const Parsed& script, const LintOptions& options) {
  if (has_errors(script.diagnostics)) return {};
  return Linter(script, options).run();
}

}  // namespace longline::script::chat
