// SPDX-License-Identifier: MIT
#include "script/chat/to_scp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "script/chat/text.hpp"
#include "script/prompts.hpp"
#include "script/scp/escapes.hpp"
#include "script/source_check.hpp"

namespace longline::script::chat {
namespace {

using Kind = Step::Kind;

constexpr std::string_view kUser = "$USERID";
constexpr std::string_view kPassword = "$PASSWORD";
/// Blocks in blocks that a .scp script may have, less those around ours.
constexpr std::size_t kDeepest = 60;
/// As many as chat(8) takes.
constexpr std::size_t kMostAborts = 50;

class Converter {
 public:
  Converter(const Parsed& script, const ConvertOptions& options) : script_(script), source_(*script.source), options_(options) {
    values_.phone = options.phone;
    values_.phone2 = options.phone2;
    values_.as_they_are = true;
  }

  Converted run() {
    line(fmt::format("; {}, converted from chat(8)'s language", escape(source_.file())));
    out_.text += "proc main\n";
    depth_ = 1;
    for (const Step& step : script_.program->steps) {
      comments_before(step.offset);
      carry(step);
      if (out_.text.size() > kLargestScript) {
        report(Severity::error, step, "file-too-large", "the .scp script would have more than 1 MiB");
        out_.text.clear();
        return std::move(out_);
      }
    }
    comments_before(source_.text().size());
    ends();
    out_.text += "endproc\n";
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_.text += std::string(3 * depth_, ' ') + text + '\n'; }

  void report(Severity severity, const Step& step, std::string code, std::string message, std::string fix = "") {
    out_.report.push_back({severity, std::move(code), source_.where(step.offset), std::max<std::size_t>(step.length, 1), std::move(message), std::move(fix)});
  }
  void lost(const Step& step, std::string message, std::string fix = "") {
    report(Severity::warning, step, "not-carried", std::move(message), std::move(fix));
  }

  /// Lines that begin with #, up to this place.
  void comments_before(std::size_t offset) {
    const std::string_view text = source_.text();
    while (at_ < std::min(offset, text.size())) {
      const std::size_t end = std::min(text.find('\n', at_), text.size());
      if (text[at_] == '#') {
        std::string words(trim(text.substr(at_ + 1, end - at_ - 1)));
        std::replace(words.begin(), words.end(), '\t', ' ');
        line("; " + escape(words));
      }
      at_ = end + 1;
    }
  }

  void carry(const Step& step) {
    switch (step.kind) {
      case Kind::expect: expect(step); break;
      case Kind::send: send(step, step.text); break;
      case Kind::abort: abort(step); break;
      case Kind::clear_abort: std::erase(aborts_, translate_expect(step.text, {})); break;
      case Kind::timeout: timeout(step); break;
      case Kind::say: lost(step, "SAY: a .scp script has nothing to say"); comment("SAY", step); break;
      case Kind::echo: lost(step, "ECHO: see chatrun run --verbose"); break;
      case Kind::report: case Kind::clear_report: lost(step, "REPORT: see chatrun run --transcript"); comment("REPORT", step); break;
      case Kind::hangup: lost(step, "HANGUP: a .scp script ends when the line is lost"); break;
      case Kind::unterminated: break;
    }
  }

  void comment(std::string_view keyword, const Step& step) { line(fmt::format("; {} {}", keyword, quote(step.text))); }

  void abort(const Step& step) {
    const std::string text = translate_expect(step.text, {});
    if (aborts_.size() == kMostAborts) lost(step, fmt::format("more than {} ABORT strings", kMostAborts));
    else if (text.empty()) lost(step, "an empty ABORT string, which ends the run with the first byte that comes");
    else aborts_.push_back(text);
    if (aborts_.size() == 2) report(Severity::note, step, "abort-status", "the first ABORT string ends the run with 4, as before; all others do so, too");
  }

  void timeout(const Step& step) {
    const std::string text = translate_expect(step.text, {});
    const int n = std::atoi(text.c_str());
    seconds_ = n <= 0 ? 45 : n;
    if (std::to_string(seconds_) == text) return;
    report(Severity::note, step, "timeout-unit", fmt::format("TIMEOUT {} is {} s to chat(8)", escape_at_most(text, 40), seconds_));
  }

  // ---- expects

  void expect(const Step& step) {
    asks_password_ = asks_name_ = false;
    const std::size_t depth = depth_;
    bool fails = false;   ///< the last wait of the chain ends the run
    for (const Exchange& exchange : step.exchanges) {
      const std::string text = translate_expect(exchange.expect, {});
      fails = false;
      if (text.empty()) break;
      if (depth_ > kDeepest) {
        lost(step, "a chain of so many expects");
        break;
      }
      asks_password_ = asks_password_ || asks_for_password(text);
      asks_name_ = asks_name_ || asks_for_name(text);
      wait(text);
      line("if $FAILURE then");
      ++depth_;
      fails = !exchange.reply;
      if (exchange.reply) send_text(step, *exchange.reply, false, false);
    }
    if (depth_ == depth) return;
    if (fails) {
      line("goto Failed");
      uses_failed_ = true;
    } else {
      // chat(8) goes on as if the answer had come.
      line("waitfor \"\" until 0");
      report(Severity::note, step, "goes-on", "without an answer chat(8) goes on as if it had come");
    }
    while (depth_ > depth) {
      --depth_;
      line("endif");
    }
  }

  void wait(const std::string& text) {
    const std::string until = fmt::format("until {}", seconds_);
    if (aborts_.empty()) return line(fmt::format("waitfor {}, matchcase {}", literal(text), until));
    line("waitfor");
    ++depth_;
    line(literal(text) + ", matchcase,");
    for (std::size_t i = 0; i < aborts_.size(); ++i) {
      line(fmt::format("{}, matchcase then Aborted{}", literal(aborts_[i]), i + 1 < aborts_.size() ? "," : ""));
    }
    --depth_;
    line(until);
    uses_aborted_ = true;
  }

  static std::string literal(const std::string& bytes) { return '"' + to_escapes(bytes) + '"'; }

  // ---- sends

  void send(const Step& step, const std::string& text) {
    send_text(step, text, asks_password_, asks_name_);
    asks_password_ = asks_name_ = false;
  }

  void send_text(const Step& step, const std::string& text, bool password, bool name) {
    if (text.starts_with('@') && trim(std::string_view(text).substr(1)) != "") return send_file(step, password);
    if ((text.find("\\T") != std::string::npos && !options_.phone) || (text.find("\\U") != std::string::npos && !options_.phone2)) {
      lost(step, "\\T and \\U are numbers that chat(8) is given", "--phone NUMBER, --phone2 NUMBER");
    }
    const Sending sending = text == "EOT"     ? translate_send("^D\\c", values_)
                            : text == "BREAK" ? translate_send("\\K\\c", values_)
                                              : translate_send(text, values_);
    int delay = 0;
    const auto flush = [&] {
      if (delay > 0) line(fmt::format("delay {}", delay));
      delay = 0;
    };
    for (const Piece& piece : sending.pieces) {
      if (const auto* pause = std::get_if<Pause>(&piece)) {
        if (pause->length < Duration(1000)) report(Severity::note, step, "pause", "\\p: a .scp script pauses for whole seconds");
        delay += static_cast<int>(pause->length.count() / 1000);
      } else if (const auto* bytes = std::get_if<std::string>(&piece)) {
        flush();
        transmit(step, *bytes, password, name);
      } else {
        lost(step, "a break: a .scp script cannot send one");
      }
    }
    flush();
  }

  void send_file(const Step& step, bool password) {
    if (!password) return lost(step, "@FILE: a .scp script sends no files");
    line("transmit $PASSWORD, raw");
    line("transmit \"^M\"");
    report(Severity::note, step, "credential", "the content of this file is $PASSWORD now", "--password-file FILE");
  }

  void transmit(const Step& step, const std::string& bytes, bool password, bool name) {
    const std::size_t end = bytes.find_last_not_of('\r') + 1;
    const std::string word = bytes.substr(0, end);
    const std::string_view variable = variable_for(word, password, name);
    if (variable.empty()) {
      if (password && !trim(word).empty() && word.find('$') == std::string::npos) {
        report(Severity::note, step, "literal-password", "this password stands in the script that has been written, too", "--credentials");
        out_.report.back().secret = true;
      }
      const std::size_t dollar = word.find('$');
      if (dollar != std::string::npos && word.find(kUser) != dollar && word.find(kPassword) != dollar) {
        report(Severity::note, step, "variable", "to chat -E this is a variable of the environment; the .scp script sends it as it stands");
      }
      return parts(bytes);
    }
    line(fmt::format("transmit {}, raw", variable));
    if (end < bytes.size()) line(fmt::format("transmit {}", literal(bytes.substr(end))));
    report(Severity::note, step, "credential", fmt::format("what is sent here is {} now", variable));
    out_.report.back().secret = variable == kPassword;
  }

  std::string_view variable_for(const std::string& word, bool password, bool name) const {
    if (word.empty() || word.find('$') != std::string::npos) return {};
    if (options_.password && !options_.password->empty() && word == options_.password->reveal()) return kPassword;
    if (options_.user && word == *options_.user) return kUser;
    if (options_.credentials && password) return kPassword;
    if (options_.credentials && name) return kUser;
    return {};
  }

  /// $USERID and $PASSWORD, which chatrun's own chat scripts may have, go out raw; what is between them as it is.
  void parts(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t at = std::min(bytes.find(kUser), bytes.find(kPassword));
      if (at == 0) {
        const std::string_view variable = bytes.starts_with(kUser) ? kUser : kPassword;
        line(fmt::format("transmit {}, raw", variable));
        bytes.remove_prefix(variable.size());
        continue;
      }
      line(fmt::format("transmit {}", literal(std::string(bytes.substr(0, at)))));
      bytes.remove_prefix(std::min(at, bytes.size()));
    }
  }

  // ---- ends

  /// A timed-out wait has left $SUCCESS FALSE: status 3. Any other way ends with status 0, `halt` with 4.
  void ends() {
    if (uses_aborted_ || uses_failed_) line("goto Done");
    depth_ = 0;
    if (uses_aborted_) {
      line("Aborted:");
      line("   halt");
    }
    if (uses_failed_) line("Failed:");
    if (uses_aborted_ || uses_failed_) line("Done:");
  }

  const Parsed& script_;
  const SourceText& source_;
  const ConvertOptions& options_;
  Values values_;
  Converted out_;
  std::size_t depth_ = 0;
  std::size_t at_ = 0;              ///< comments before it are written
  int seconds_ = 45;
  std::vector<std::string> aborts_;
  bool asks_password_ = false;
  bool asks_name_ = false;
  bool uses_failed_ = false;
  bool uses_aborted_ = false;
};

}  // namespace

Converted to_scp(const Parsed& script, const ConvertOptions& options) { return Converter(script, options).run(); }

}  // namespace longline::script::chat
