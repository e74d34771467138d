// SPDX-License-Identifier: MIT
#include "script/transcript.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::script {
namespace {

/// A shorter pause is the speed of the line, not an event.
constexpr Duration kPause{100};
constexpr std::size_t kLongestLine = 1024;
constexpr std::size_t kMostSecrets = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Of one transcript line; columns in errors are those of the whole line.
class LineParser {
 public:
  LineParser(std::string_view file, int number, std::string_view line) : file_(file), number_(number), line_(line) {}

  Result<TranscriptEvent> parse() {
    TranscriptEvent event;
    event.line = number_;
    const char kind = line_[at_++];
    if (kind == '+') return passed(event);
    skip_blanks();
    if (kind == '!') {
      event.kind = TranscriptEvent::Kind::carrier_lost;
      if (line_.substr(at_) != "carrier-lost") return wrong("only 'carrier-lost' may stand behind '!'");
      return event;
    }
    if (kind != '<' && kind != '>') {
      at_ = 0;
      return wrong("a line starts with <, >, +, ! or #");
    }
    event.kind = kind == '<' ? TranscriptEvent::Kind::received : TranscriptEvent::Kind::sent;
    LONGLINE_TRY(event.bytes, quoted());
    skip_blanks();
    if (at_ < line_.size()) return wrong("there is something behind the closing quote");
    return event;
  }

 private:
  Error wrong(std::string what) const {
    Error error(Errc::malformed, std::move(what));
    error.where = Where{std::string(file_), number_, static_cast<int>(at_) + 1};
    return error;
  }

  void skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }

  Result<TranscriptEvent> passed(TranscriptEvent event) {
    event.kind = TranscriptEvent::Kind::passed;
    const std::string_view text = line_.substr(at_);
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) {
      const Result<Duration> whole = parse_duration(text);
      if (!whole) return wrong(whole.error().what);
      event.passed = *whole;
      return event;
    }
    // 1.5s: seconds with up to three decimals
    std::string_view decimals = text.substr(dot + 1);
    if (!decimals.empty() && decimals.back() == 's') decimals.remove_suffix(1);
    std::string padded(decimals);
    padded.resize(3, '0');
    const auto whole = parse_integer(text.substr(0, dot));
    const auto fraction = parse_integer(padded);
    if (decimals.empty() || decimals.size() > 3 || !whole || !fraction || *whole < 0 || *fraction < 0 || *whole > 315'000'000) {
      return wrong("a time is written +1.5s");
    }
    event.passed = Duration(*whole * 1000 + *fraction);
    return event;
  }

  Result<std::string> quoted() {
    if (at_ >= line_.size() || line_[at_] != '"') return wrong("bytes stand in double quotes");
    std::string out;
    for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_) {
      if (line_[at_] != '\\') {
        out += line_[at_];
        continue;
      }
      const char c = at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
      const int high = c == 'x' && at_ + 3 < line_.size() ? hex_digit(line_[at_ + 2]) : -1;
      const int low = high >= 0 ? hex_digit(line_[at_ + 3]) : -1;
      switch (c) {
        case 'r': out += '\r'; break;
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case '"': case '\\': out += c; break;
        default:
          if (low < 0) return wrong("the escapes are \\r \\n \\t \\xHH \\\" and \\\\");
          out += static_cast<char>(high * 16 + low);
          at_ += 2;
      }
      ++at_;
    }
    if (at_ >= line_.size()) return wrong("the closing quote is missing");
    ++at_;
    return out;
  }

  std::string_view file_;
  int number_;
  std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<TranscriptEvent>> parse_transcript(std::string_view file, std::string_view text) {
  std::vector<TranscriptEvent> events;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    LONGLINE_TRY(TranscriptEvent event, LineParser(file, number, line).parse());
    events.push_back(std::move(event));
  }
  return events;
}

std::string format_passed(Duration d) {
  std::string out = fmt::format("+{}.{:03}", d.count() / 1000, d.count() % 1000);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out + 's';
}

std::string masked(const Write& write, const std::vector<Secret>& secrets) {
  if (!write.secret) return mask(write.bytes, secrets);
  // What stands beside a secret may be half of it: a PIN, a prefix.
  const std::size_t end = write.bytes.find_last_not_of("\r\n") + 1;
  return (end > 0 ? std::string(SecretMasker::kMask) : "") + write.bytes.substr(end);
}

TranscriptWriter::TranscriptWriter(const std::vector<Secret>& secrets, TimePoint start, std::size_t most)
    : secrets_(secrets), incoming_(secrets), recorded_(start), left_(most) {}

std::string TranscriptWriter::received(std::string_view bytes, TimePoint now) {
  turn(Direction::received, now);
  // A flood is cut where the transcript ends; masking it would be work for nothing.
  if (left_ > 0) add(incoming_.feed(bytes));
  return take();
}

std::string TranscriptWriter::sent(const Write& write, TimePoint now) {
  turn(Direction::sent, now);
  const std::string shown = masked(write, secrets_);
  if (write.secret) add_secret(Secret(std::string(trim(write.bytes))));   // in this form it may be echoed
  add(shown);
  return take();
}

void TranscriptWriter::add_secret(const Secret& secret) {
  const auto same = [&](const Secret& s) { return s.reveal() == secret.reveal(); };
  if (secrets_.size() >= kMostSecrets || std::any_of(secrets_.begin(), secrets_.end(), same)) return;
  secrets_.push_back(secret);
  incoming_.add(secret);
}

std::string TranscriptWriter::carrier_lost(TimePoint now) {
  turn(Direction::none, now);
  out_ += "! carrier-lost\n";
  return take();
}

std::string TranscriptWriter::comment(std::string_view text, TimePoint now) {
  turn(Direction::none, now);
  out_ += fmt::format("# {}\n", text);
  return take();
}

std::string TranscriptWriter::finish(TimePoint now) {
  turn(Direction::none, now);
  return take();
}

void TranscriptWriter::turn(Direction direction, TimePoint now) {
  const bool paused = now - recorded_ >= kPause;
  if (direction == direction_ && !paused) return;
  if (direction_ == Direction::received) line_ += incoming_.flush();
  end_line();
  if (paused) {
    out_ += format_passed(now - recorded_) + '\n';
    recorded_ = now;
  }
  direction_ = direction;
}

void TranscriptWriter::add(std::string_view shown) {
  while (!shown.empty() && out_.size() <= left_) {
    const std::size_t room = kLongestLine - line_.size();
    const std::size_t newline = direction_ == Direction::received ? shown.find('\n') : std::string_view::npos;
    const std::size_t n = std::min({shown.size(), room, newline == std::string_view::npos ? shown.size() : newline + 1});
    line_ += shown.substr(0, n);
    shown.remove_prefix(n);
    if (line_.size() == kLongestLine || line_.back() == '\n') end_line();
  }
}

void TranscriptWriter::end_line() {
  if (line_.empty()) return;
  out_ += fmt::format("{} {}\n", direction_ == Direction::received ? '<' : '>', quote(line_));
  line_.clear();
}

std::string TranscriptWriter::take() {
  if (left_ == 0) out_.clear();
  if (out_.size() >= left_ && left_ > 0) {
    out_ += "# the transcript ends here: it has reached its size\n";
    left_ = 0;
  } else {
    left_ -= out_.size();
  }
  std::string lines;
  lines.swap(out_);
  return lines;
}

}  // namespace longline::script
