// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "link/explanation.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr std::size_t kWidth = 80;

/// Words behind an indent, broken at blanks.
std::string wrapped(std::string_view text, std::string_view first, std::string_view indent) {
  std::string out(first), line;
  const auto put = [&] { out += line + '\n' + std::string(indent), line.clear(); };
  for (const std::string_view word : split(text, ' ')) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > kWidth) put();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return out + line + '\n';
}

std::string as_text(const link::Explanation& e) {
  std::string head = e.code;
  if (!e.name.empty()) head += fmt::format(" ({})", e.name);
  if (e.kind == link::Explanation::Kind::status) head = "status " + head;
  if (e.kind == link::Explanation::Kind::event_id) head = "event " + head;
  if (e.kind == link::Explanation::Kind::ras) head = "RAS " + head;
  std::string out = head + '\n' + wrapped(e.meaning, "  ", "  ");
  for (const std::string& sentence : e.look_at) out += wrapped(sentence, "  look at: ", "           ");
  if (e.kind == link::Explanation::Kind::code) {
    out += fmt::format("  exit status {}", *e.status) + (e.ras ? fmt::format(", RAS {}", *e.ras) : "") + '\n';
  } else if (e.kind == link::Explanation::Kind::ras && e.status) {
    out += fmt::format("  exit status {}\n", *e.status);
  } else if (e.kind == link::Explanation::Kind::status && !e.codes.empty()) {
    std::string all;
    for (const std::string& code : e.codes) all += (all.empty() ? "" : ", ") + code;
    out += wrapped(all, "  codes: ", "         ");
  }
  return out;
}

/// "status 75" as two words of the command line is one question.
std::vector<std::string> questions(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string kind = to_lower(words[i]);
    const bool opens = kind == "status" || kind == "exit" || kind == "ras" || kind == "event" || kind == "id" || kind == "error" || kind == "code";
    if (opens && i + 1 < words.size()) out.push_back(words[i] + ' ' + words[i + 1]), ++i;
    else out.push_back(words[i]);
  }
  return out;
}

Error unknown(const std::string& question) {
  constexpr std::size_t kMost = 64;
  const std::optional<std::string> near = nearest(question.substr(0, kMost), link::explained_names());
  return Error(Errc::not_found, fmt::format("nothing is known of '{}'{}", escape_at_most(question, kMost),
                                            near ? fmt::format("; did you mean '{}'?", *near) : ""))
      .with_hint("RAS numbers (600 to 870), codes (line-busy), exit statuses (75), events (link.up) and event numbers (4106) are");
}

}  // namespace

Result<ExitStatus> explain(const Options& options) {
  std::optional<Error> failure;
  bool first = true;
  for (const std::string& question : questions(options.codes)) {
    const std::optional<link::Explanation> explanation = link::explain(question);
    if (!explanation) {
      // The others are answered all the same.
      if (failure) print_error("dialctl", options.common, *failure);
      failure = unknown(question);
      continue;
    }
    const std::string text = options.common.json ? link::to_json(*explanation).dump() + '\n' : (first ? "" : "\n") + as_text(*explanation);
    std::fwrite(text.data(), 1, text.size(), stdout);
    first = false;
  }
  if (failure) return std::move(*failure);
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
