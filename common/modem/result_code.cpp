// SPDX-License-Identifier: MIT
#include "modem/result_code.hpp"

#include <array>

#include "base/text.hpp"

namespace longline::modem {
namespace {

struct Word {
  std::string_view text;
  ResultCode code;
  bool prefix;  // the line may go on behind it
};

constexpr std::array kResultWords = {
    Word{"OK", ResultCode::ok, false},
    Word{"CONNECT", ResultCode::connect, true},
    Word{"RINGING", ResultCode::progress, false},
    Word{"RING", ResultCode::ring, false},
    Word{"NO CARRIER", ResultCode::no_carrier, true},
    Word{"NO DIALTONE", ResultCode::no_dial_tone, false},
    Word{"NO DIAL TONE", ResultCode::no_dial_tone, false},
    Word{"NO ANSWER", ResultCode::no_answer, false},
    Word{"BUSY", ResultCode::busy, false},
    Word{"VOICE", ResultCode::voice, false},
    Word{"FAX", ResultCode::voice, false},
    Word{"DELAYED", ResultCode::delayed, true},
    Word{"BLACKLISTED", ResultCode::blacklisted, true},
    Word{"BLACKLIST FULL", ResultCode::blacklisted, false},
    Word{"DIAL LOCKED", ResultCode::dial_locked, false},
    Word{"LINE IN USE", ResultCode::line_in_use, false},
    Word{"ERROR", ResultCode::error, false},
    Word{"+CME ERROR", ResultCode::error, true},
    Word{"+CMS ERROR", ResultCode::error, true},
    Word{"CARRIER", ResultCode::progress, true},
    Word{"PROTOCOL:", ResultCode::progress, true},
    Word{"COMPRESSION:", ResultCode::progress, true},
    Word{"+MCR:", ResultCode::progress, true},
    Word{"+MRR:", ResultCode::progress, true},
    Word{"+ER:", ResultCode::progress, true},
    Word{"+DR:", ResultCode::progress, true},
};

/// V0. Digits above 8 differ from maker to maker, but all of them are rates of a connection.
std::optional<ResultCode> numeric(std::int64_t n) {
  switch (n) {
    case 0: return ResultCode::ok;
    case 1: return ResultCode::connect;
    case 2: return ResultCode::ring;
    case 3: return ResultCode::no_carrier;
    case 4: return ResultCode::error;
    case 5: return ResultCode::connect;
    case 6: return ResultCode::no_dial_tone;
    case 7: return ResultCode::busy;
    case 8: return ResultCode::no_answer;
    default: return n >= 10 && n <= 99 ? std::optional(ResultCode::connect) : std::nullopt;
  }
}

}  // namespace

std::optional<ResultCode> parse_result_code(std::string_view line) {
  line = trim(line);
  if (!line.empty() && line.size() <= 2 && line.find_first_not_of("0123456789") == std::string_view::npos) {
    return numeric(*parse_integer(line));
  }
  for (const Word& word : kResultWords) {
    if (!iequals(line.substr(0, word.text.size()), word.text)) continue;
    const std::string_view rest = line.substr(word.text.size());
    const char last = word.text.back();
    if (rest.empty()) return word.code;
    if (word.prefix && (last == ':' || rest.front() == ' ' || rest.front() == ':' || rest.front() == '/')) return word.code;
  }
  return std::nullopt;
}

std::optional<Errc> call_failure(ResultCode code) {
  switch (code) {
    case ResultCode::no_carrier: return Errc::no_carrier;
    case ResultCode::error: return Errc::modem_error;
    case ResultCode::no_dial_tone: return Errc::no_dial_tone;
    case ResultCode::busy: return Errc::line_busy;
    case ResultCode::no_answer: return Errc::no_answer;
    case ResultCode::voice: return Errc::voice_answer;
    case ResultCode::delayed:
    case ResultCode::blacklisted:
    case ResultCode::dial_locked: return Errc::call_refused;
    case ResultCode::line_in_use: return Errc::line_busy;
    case ResultCode::ok:
    case ResultCode::connect:
    case ResultCode::ring:
    case ResultCode::progress: return std::nullopt;
  }
  return std::nullopt;
}

AfterFailure after_failure(Errc code) {
  switch (code) {
    case Errc::line_busy:
    case Errc::no_answer:
    case Errc::no_carrier:
    case Errc::dial_timeout: return AfterFailure::redial;
    case Errc::voice_answer: return AfterFailure::other_number;
    default: return AfterFailure::stop;
  }
}

}  // namespace longline::modem
