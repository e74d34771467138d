// SPDX-License-Identifier: MIT
#include "script/recording.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "script/chat/parser.hpp"
#include "script/scp/escapes.hpp"
#include "script/transcript.hpp"
#include "script/typed_lines.hpp"

namespace longline::script {
namespace {

constexpr std::size_t kMost = 4 * 1024 * 1024;
constexpr std::size_t kShortestPrompt = 3;
constexpr std::size_t kUsualPrompt = 24;
constexpr std::size_t kLongestPrompt = 200;
/// Seconds that all waits may take together, so that the default deadline is enough.
constexpr std::int64_t kAllWaits = 280;
constexpr std::int64_t kShortestWait = 15;
constexpr std::int64_t kLongestWait = 90;

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'; }

std::string literal(std::string_view bytes) { return '"' + to_escapes(bytes) + '"'; }

std::int64_t seconds(Duration d) { return (d.count() + 999) / 1000; }

}  // namespace

Recorder::Recorder(std::optional<std::string> user, std::optional<Secret> password, TimePoint start)
    : user_(std::move(user)), password_(std::move(password)), start_(start) {}

void Recorder::received(std::string_view bytes, TimePoint now) { add(Event::Kind::received, bytes, now); }
void Recorder::typed(std::string_view bytes, TimePoint now) { add(Event::Kind::typed, bytes, now); }
void Recorder::carrier_lost(TimePoint now) { add(Event::Kind::carrier_lost, "", now); }

void Recorder::add(Event::Kind kind, std::string_view bytes, TimePoint now) {
  cut_ = cut_ || size_ + bytes.size() > kMost;
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
      if (event.kind == Recorder::Event::Kind::typed) lines_.typed(event.bytes, event.at);
      if (event.kind == Recorder::Event::Kind::received) {
        lines_.received(event.bytes);
        heard_ += event.bytes;
      }
    }
    judge();
  }

  std::string transcript(TimePoint now) const {
    TranscriptWriter writer(secrets_, recorder_.start_);
    std::string out;
    std::size_t next = 0;
    for (const Recorder::Event& event : recorder_.events_) {
      switch (event.kind) {
        case Recorder::Event::Kind::received: out += writer.received(event.bytes, event.at); break;
        case Recorder::Event::Kind::carrier_lost: out += writer.carrier_lost(event.at); break;
        case Recorder::Event::Kind::typed:
          // A line stands where its first key was pressed.
          for (; next < lines_.lines().size() && lines_.lines()[next].began <= event.at; ++next) {
            out += writer.sent({lines_.lines()[next].bytes, answers_[next] == Answer::password}, event.at);
          }
          break;
      }
    }
    if (recorder_.cut_) out += writer.comment("the session went on", now);
    return out + writer.finish(now);
  }

  std::size_t answers() const { return answers_.size(); }

  std::string script() const {
    std::string body;
    TimePoint before = recorder_.start_;
    std::size_t from = 0;   // in what was heard: behind the last wait's match
    bool waits = false;
    for (std::size_t i = 0; i < lines_.lines().size(); ++i) {
      const TypedLines::Line& line = lines_.lines()[i];
      const Duration waited = line.began - before;
      if (const std::string prompt = prompt_of(line, from); !prompt.empty()) {
        body += fmt::format("   waitfor {} until {}\n   if $FAILURE then\n      goto Failed\n   endif\n", literal(prompt), patience(waited));
        waits = true;
      } else if (waited >= Duration(1000)) {
        body += fmt::format("   delay {}\n", seconds(waited));
      }
      body += transmits(i);
      before = line.ended;
    }
    return "; Recorded by chatrun. Read it before you trust it: a prompt may hold what changes from call to call.\nproc main\n" + body +
           (waits ? "Failed:\n" : "") + "endproc\n";
  }

 private:
  enum class Answer { literal, user, password };

  /// Echo tells a password only on a host that echoes anything.
  void judge() {
    if (recorder_.password_) secrets_.push_back(*recorder_.password_);
    const auto& lines = lines_.lines();
    const bool host_echoes = std::any_of(lines.begin(), lines.end(), [](const TypedLines::Line& line) {
      return line.is_echoed() && !trim(edited(line.bytes)).empty();
    });
    for (const TypedLines::Line& line : lines) {
      const std::string text = edited(line.bytes);
      const bool is_password = recorder_.password_ && !text.empty() && text == recorder_.password_->reveal();
      // A single key is a menu's, not a password.
      const bool is_key = text.size() < 2 && line.bytes == text;
      const bool hidden = !trim(text).empty() && !is_key && !line.is_echoed() && (host_echoes || chat::asks_for_password(line.output));
      if (is_password || hidden) {
        answers_.push_back(Answer::password);
        secrets_.emplace_back(text);
        secrets_.emplace_back(std::string(trim(line.bytes)));
      } else {
        // With editing keys in it the name must go out as it was typed, or the transcript would differ.
        const bool is_user = recorder_.user_ && text == *recorder_.user_ && line.bytes.starts_with(text);
        answers_.push_back(is_user ? Answer::user : Answer::literal);
      }
      waits_ += line.output.empty() ? 0 : 1;
    }
  }

  std::string transmits(std::size_t i) const {
    const std::string& bytes = lines_.lines()[i].bytes;
    if (answers_[i] == Answer::literal) return fmt::format("   transmit {}\n", literal(bytes));
    const std::size_t text = bytes.find_last_not_of("\r\n") + 1;
    std::string out = answers_[i] == Answer::user ? "   transmit $USERID, raw\n" : "   transmit $PASSWORD, raw\n";
    if (text < bytes.size()) out += fmt::format("   transmit {}\n", literal(bytes.substr(text)));
    return out;
  }

  /// Thrice what it took, within reason and within what all may take together.
  std::int64_t patience(Duration waited) const {
    const std::int64_t wanted = std::clamp((3 * seconds(waited) + 4) / 5 * 5, kShortestWait, kLongestWait);
    return std::max<std::int64_t>(1, std::min(wanted, kAllWaits / std::max<std::int64_t>(1, waits_)));
  }

  /// The end of what the host said, long enough not to match before; `from` moves behind it.
  std::string prompt_of(const TypedLines::Line& line, std::size_t& from) const {
    std::string_view said = line.output;
    while (!said.empty() && (!is_plain(said.back()) || said.back() == ' ')) said.remove_suffix(1);
    std::size_t begin = said.size();
    while (begin > 0 && is_plain(said[begin - 1]) && said.size() - begin < kLongestPrompt) --begin;
    std::string_view text = said.substr(begin);
    // A secret in it, echoed late, is none of the prompt.
    for (const Secret& secret : secrets_) {
      const std::size_t at = secret.reveal().size() < 2 ? std::string_view::npos : text.rfind(secret.reveal());
      if (at != std::string_view::npos) text.remove_prefix(at + secret.reveal().size());
    }
    if (trim(text).empty()) return "";
    const std::string heard = to_lower(std::string_view(heard_).substr(from, line.heard_before - from));
    std::size_t length = shortest(text);
    const auto is_ambiguous = [&] {
      const std::string tail = to_lower(text.substr(text.size() - length));
      return heard.find(tail) != heard.rfind(tail);
    };
    while (length < text.size() && is_ambiguous()) ++length;
    const std::string prompt(text.substr(text.size() - length));
    const std::size_t at = heard.find(to_lower(prompt));
    if (at == std::string::npos) return "";   // an echo in its midst: the host never said it in one piece
    from += at + prompt.size();
    return prompt;
  }

  /// Whole words, as few as make a usual prompt.
  static std::size_t shortest(std::string_view text) {
    if (text.size() <= kUsualPrompt) return text.size();
    const std::size_t space = text.find(' ', text.size() - kUsualPrompt);
    const std::size_t length = space == std::string_view::npos ? kUsualPrompt : text.size() - space - 1;
    return std::max(length, kShortestPrompt);
  }

  const Recorder& recorder_;
  TypedLines lines_;
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
