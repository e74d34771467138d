// SPDX-License-Identifier: MIT
#include "script/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "script/prompt_text.hpp"
#include "script/prompts.hpp"
#include "script/scp/escapes.hpp"
#include "script/transcript.hpp"
#include "script/typed_lines.hpp"

namespace longline::script {
namespace {

constexpr std::size_t kMostRecorded = 4 * 1024 * 1024;
/// Seconds that all waits may take together, so that the default deadline is enough.
constexpr std::int64_t kAllWaits = 280;
constexpr std::int64_t kShortestWait = 15;
constexpr std::int64_t kLongestRecordedWait = 90;
/// On a host that echoes nothing a longer answer may be a password, whatever the prompt says.
constexpr std::size_t kLongestChoice = 2;

std::string literal(std::string_view bytes) { return '"' + to_escapes(bytes) + '"'; }

std::int64_t whole_seconds(Duration d) { return (d.count() + 999) / 1000; }

}  // namespace

Recorder::Recorder(std::optional<std::string> user, std::optional<Secret> password, TimePoint start)
    : user_(std::move(user)), password_(std::move(password)), start_(start) {}

void Recorder::received(std::string_view bytes, TimePoint now) { add(Event::Kind::received, bytes, now); }
void Recorder::typed(std::string_view bytes, TimePoint now) { add(Event::Kind::typed, bytes, now); }
void Recorder::carrier_lost(TimePoint now) { add(Event::Kind::carrier_lost, "", now); }

void Recorder::add(Event::Kind kind, std::string_view bytes, TimePoint now) {
  cut_ = cut_ || size_ + bytes.size() > kMostRecorded;
  if (cut_ && kind != Event::Kind::carrier_lost) return;
  size_ += bytes.size();
  if (!events_.empty() && kind != Event::Kind::carrier_lost && events_.back().kind == kind && events_.back().at == now) {
    events_.back().bytes += bytes;
  } else {
    events_.push_back({kind, std::string(bytes), now});
    size_ += sizeof(Event);
  }
}

class RecordingWriter {
 public:
  explicit RecordingWriter(const Recorder& recorder) : recorder_(recorder) {
    for (const Recorder::Event& event : recorder.events_) {
      if (event.kind == Recorder::Event::Kind::typed) typed_.typed(event.bytes, event.at);
      if (event.kind == Recorder::Event::Kind::received) {
        typed_.received(event.bytes);
        heard_ += event.bytes;
      }
    }
    judge();
  }

  std::size_t answers() const { return answers_.size(); }

  std::string transcript(TimePoint now) const {
    TranscriptWriter writer(secrets_, recorder_.start_);
    std::string out;
    std::size_t next = 0;
    std::size_t heard = 0;
    for (const Recorder::Event& event : recorder_.events_) {
      switch (event.kind) {
        case Recorder::Event::Kind::received:
          out += writer.received(without_echoes(heard, event.bytes.size()), event.at);
          heard += event.bytes.size();
          break;
        case Recorder::Event::Kind::carrier_lost: out += writer.carrier_lost(event.at); break;
        case Recorder::Event::Kind::typed:
          // A line stands where its first key was pressed.
          for (; next < typed_.lines().size() && typed_.lines()[next].began <= event.at; ++next) out += sent(writer, next, event.at);
          break;
      }
    }
    if (recorder_.cut_) out += writer.comment("the session went on", now);
    return out + writer.finish(now);
  }

  std::string script() const {
    std::string body;
    TimePoint before = recorder_.start_;
    std::size_t from = 0;   // in what was heard: behind the last wait's match
    bool waits = false;
    for (std::size_t i = 0; i < typed_.lines().size(); ++i) {
      const TypedLines::Line& line = typed_.lines()[i];
      const Duration waited = line.began - before;
      if (const std::string prompt = prompt_of(line, from); !prompt.empty()) {
        body += fmt::format("   waitfor {} until {}\n   if $FAILURE then\n      goto Failed\n   endif\n", literal(prompt), patience(waited));
        waits = true;
      } else if (waited >= Duration(1000)) {
        body += fmt::format("   delay {}\n", whole_seconds(waited));
      }
      body += transmits(i);
      before = line.ended;
    }
    return "; Recorded by chatrun. Read it before you trust it: a prompt may hold what changes from call to call.\nproc main\n" + body +
           (waits ? "Failed:\n" : "") + "endproc\n";
  }

 private:
  enum class Answer { literal, user, password };

  void judge() {
    if (recorder_.password_) secrets_.push_back(*recorder_.password_);
    const auto& lines = typed_.lines();
    const bool host_echoes = std::any_of(lines.begin(), lines.end(), [](const TypedLines::Line& line) {
      return line.is_echoed() && !trim(edited(line.bytes)).empty();
    });
    std::set<std::string> passwords;
    for (const TypedLines::Line& line : lines) {
      const std::string text = edited(line.bytes);
      const bool is_given = recorder_.password_ && !text.empty() && text == recorder_.password_->reveal();
      Answer answer = Answer::literal;
      if (recorder_.user_ && text == *recorder_.user_ && !is_given) answer = Answer::user;
      else if (is_given || is_hidden(line, text, host_echoes)) answer = Answer::password;
      answers_.push_back(answer);
      if (answer == Answer::password) {
        passwords.insert(text);
        secrets_.emplace_back(text);
        secrets_.emplace_back(std::string(trim(line.bytes)));
      }
      waits_ += line.output.empty() ? 0 : 1;
    }
    // Who types a password again where it is shown has not made it public.
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string text = edited(lines[i].bytes);
      if (answers_[i] == Answer::literal && text.size() > 1 && passwords.count(text) != 0) answers_[i] = Answer::password;
    }
  }

  /// Echo tells a password only on a host that echoes anything.
  static bool is_hidden(const TypedLines::Line& line, const std::string& text, bool host_echoes) {
    if (trim(text).empty()) return false;
    const std::string_view said = trim(line.output);
    const std::string_view prompt = said.substr(said.find_last_of("\r\n") + 1);   // npos + 1 is 0
    if (asks_for_password(prompt)) return true;
    if (line.is_echoed()) return false;
    const bool is_key = text.size() < 2 && line.bytes == text;   // a menu's
    if (host_echoes) return !is_key;
    return text.size() > kLongestChoice && !asks_for_name(prompt);
  }

  /// What came, with the echo of a password, corrections and stars included, masked.
  std::string without_echoes(std::size_t begin, std::size_t size) const {
    std::string out;
    bool masked = false;
    for (std::size_t at = begin; at < begin + size; ++at) {
      const char c = heard_[at];
      const bool is_secret = c != '\r' && c != '\n' && is_echo_of_password(at);
      if (!is_secret) out += c;
      else if (!masked) out += SecretMasker::kMask;
      masked = is_secret;
    }
    return out;
  }

  bool is_echo_of_password(std::size_t at) const {
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      const TypedLines::Line& line = typed_.lines()[i];
      if (answers_[i] == Answer::password && line.echo_begin <= at && at < line.echo_end) return true;
    }
    return false;
  }

  /// A name stands as it is without its corrections: so the script sends it.
  std::string sent(TranscriptWriter& writer, std::size_t i, TimePoint at) const {
    const std::string& bytes = typed_.lines()[i].bytes;
    if (answers_[i] == Answer::literal) return writer.sent({bytes, false}, at);
    const std::string end(return_of(bytes));
    std::string out = writer.sent({edited(bytes), answers_[i] == Answer::password}, at);
    if (!end.empty()) out += writer.sent({end, false}, at);
    return out;
  }

  std::string transmits(std::size_t i) const {
    const std::string& bytes = typed_.lines()[i].bytes;
    if (answers_[i] == Answer::literal) return fmt::format("   transmit {}\n", literal(bytes));
    std::string out = answers_[i] == Answer::user ? "   transmit $USERID, raw\n" : "   transmit $PASSWORD, raw\n";
    if (const std::string_view end = return_of(bytes); !end.empty()) out += fmt::format("   transmit {}\n", literal(end));
    return out;
  }

  /// Thrice what it took, within reason and within what all may take together.
  std::int64_t patience(Duration waited) const {
    const std::int64_t wanted = std::clamp((3 * whole_seconds(waited) + 4) / 5 * 5, kShortestWait, kLongestRecordedWait);
    return std::max<std::int64_t>(1, std::min(wanted, kAllWaits / std::max<std::int64_t>(1, waits_)));
  }

  /// `from` moves behind what matches it.
  std::string prompt_of(const TypedLines::Line& line, std::size_t& from) const {
    const std::string_view heard = std::string_view(heard_).substr(from, line.heard_before - from);
    const std::string prompt = prompt_text(line.output, heard, secrets_);
    if (!prompt.empty()) from += to_lower(heard).find(to_lower(prompt)) + prompt.size();
    return prompt;
  }

  const Recorder& recorder_;
  TypedLines typed_;
  std::string heard_;
  std::vector<Answer> answers_;   ///< a line each
  std::vector<Secret> secrets_;
  std::int64_t waits_ = 0;
};

Recorder::Recording Recorder::finish(TimePoint now) const {
  const RecordingWriter writer(*this);
  Recording out;
  out.transcript = writer.transcript(now);
  out.script = writer.script();
  out.cut = cut_;
  out.answers = writer.answers();
  return out;
}

}  // namespace longline::script
