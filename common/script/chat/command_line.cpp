// SPDX-License-Identifier: MIT
#include "script/chat/command_line.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace longline::script::chat {
namespace {

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<CommandLine> run() {
    while (at_ < arguments_.size()) {
      const std::string& word = arguments_[at_];
      if (word.size() < 2 || word[0] != '-') break;
      ++at_;
      if (word == "--") break;
      LONGLINE_CHECK(word[1] == '-' ? long_option(word) : cluster(word));
    }
    out_.script.assign(arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
    if (out_.file && !out_.script.empty()) return Error(Errc::usage, "the script is a file or the arguments, not both");
    return std::move(out_);
  }

 private:
  std::optional<std::string> next() { return at_ < arguments_.size() ? std::optional(arguments_[at_++]) : std::nullopt; }

  Result<void> cluster(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      switch (word[i]) {
        case 'e': out_.echo = true; continue;
        case 'E': out_.variables = true; continue;
        case 'v': out_.verbose = true; continue;
        case 'V': out_.show = true; continue;
        case 's': out_.to_stderr = true; continue;
        case 'S': out_.to_syslog = false; continue;
        default: break;
      }
      const std::optional<std::string> value = i + 1 < word.size() ? word.substr(i + 1) : next();
      return option(word[i], value);
    }
    return {};
  }

  Result<void> option(char letter, const std::optional<std::string>& value) {
    if (letter == 'r') {   // chat(8) does not mind when its file is missing
      if (value) out_.report_files.push_back({*value, out_.verbose});
      return {};
    }
    if (std::string_view("ftTU").find(letter) == std::string_view::npos) {
      return Error(Errc::usage, "unknown option -" + escape(std::string_view(&letter, 1)));
    }
    if (!value) return Error(Errc::usage, std::string("-") + letter + " needs a value");
    if (letter == 'f') out_.file = value;
    else if (letter == 'T') out_.phone = value;
    else if (letter == 'U') out_.phone2 = value;
    else out_.timeout = Duration(std::clamp(std::strtol(value->c_str(), nullptr, 10), 0L, 315'000'000L) * 1000);
    return {};
  }

  Result<void> long_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);
    if (name == "--safe" && !value) {
      out_.safe = true;
    } else if (name == "--help" && !value) {
      out_.help = true;
    } else if (name == "--deadline") {
      if (!value) value = next();
      if (!value) return Error(Errc::usage, "--deadline needs a time");
      LONGLINE_TRY(const Duration limit, parse_duration(*value));
      if (limit.count() <= 0) return Error(Errc::usage, "a deadline of nothing");
      out_.deadline = limit;
    } else {
      return Error(Errc::usage, "unknown option " + escape_at_most(word, 60));
    }
    return {};
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  CommandLine out_;
};

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) { return Parser(arguments).run(); }

}  // namespace longline::script::chat
