// SPDX-License-Identifier: MIT
#include "script/replay.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "chatrun.d/verbs.hpp"
#include "sys/config_file.hpp"

namespace longline::tools::chatrun {
namespace {

constexpr int kDiffers = static_cast<int>(ExitStatus::data);

/// Where a column ends on a terminal, roughly: UTF-8 sequences count once.
std::size_t width(std::string_view text) {
  std::size_t out = 0;
  for (const char c : text) out += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return out;
}

/// What came on the left, what was sent on the right.
void show(const script::ReplayResult& result) {
  constexpr std::size_t kLeft = 48;
  for (const script::ReplayStep& step : result.steps) {
    std::string left = step.received ? "< " + quote(step.bytes) : "";
    const std::string right = step.received ? "" : "> " + quote(step.bytes);
    if (!right.empty()) left.append(kLeft - std::min(kLeft, width(left)), ' ');
    fmt::print("{:>9}  {}{}\n", script::format_passed(step.at), left, right);
  }
  fmt::print("{:>9}  = {}\n", script::format_passed(result.elapsed), script::to_string(result.finished.outcome));
}

void show_json(const script::ReplayResult& result) {
  JsonObject out;
  out.set("outcome", script::to_string(result.finished.outcome));
  out.set("seconds", static_cast<double>(result.elapsed.count()) / 1000).set("address", result.finished.address);
  if (result.difference) {
    JsonObject difference;
    difference.set("line", result.difference->line).set("expected", result.difference->expected).set("sent", result.difference->sent);
    out.set("difference", difference);
  } else {
    out.set_null("difference");
  }
  std::printf("%s\n", out.dump().c_str());
}

Error difference_error(const std::string& transcript, const script::ReplayDifference& difference) {
  const auto bytes = [](const std::string& text) { return text.empty() ? std::string("nothing more") : quote(text); };
  Error error(Errc::malformed, fmt::format("the script sends {} where the transcript has {}", bytes(difference.sent), bytes(difference.expected)),
              Stage::login);
  error.where = Where{transcript, difference.line, 0};
  return error;
}

}  // namespace

int replay(const CommonOptions& common, const ReplayOptions& options) {
  const auto failed = [&](Error error, int status) {
    print_error("chatrun", common, std::move(error).in_stage(Stage::login), status);
    return status;
  };
  if (options.script == "-" && options.transcript == "-") {
    return failed(Error(Errc::usage, "only one of script and transcript can be stdin"), kError);
  }
  Result<script::LoginScript> parsed = read_runnable_script(common, options.script);
  if (!parsed) return failed(std::move(parsed).error(), kError);
  constexpr std::size_t kMost = 256 * 1024 * 1024;
  Result<std::string> text = sys::read_file(options.transcript, kMost);
  if (!text) return failed(std::move(text).error(), kError);
  const std::string name = options.transcript == "-" ? "stdin" : options.transcript;
  const auto events = script::parse_transcript(name, *text);
  if (!events) return failed(events.error(), kDiffers);

  const script::LoginProgram program = script::program_of(*parsed);
  script::ReplayOptions how;
  how.user = options.credentials.user;
  if (!options.credentials.password_file.empty() || options.credentials.password_fd) {
    Result<Secret> secret = read_password(options.credentials, options.deadline);
    if (!secret) return failed(std::move(secret).error(), kError);
    how.password = std::move(*secret);
  }
  how.deadline = options.deadline;
  how.ignore_success = options.ignore_success;
  const script::ReplayResult result = script::replay(program, *events, how);
  if (common.json) show_json(result);
  else if (!common.quiet) show(result);
  if (result.difference) return failed(difference_error(name, *result.difference), kDiffers);

  const int status = script::chat_status(result.finished);
  for (how.variation = 1; how.variation <= options.variations; ++how.variation) {
    const script::ReplayResult varied = script::replay(program, *events, how);
    if (varied.difference || script::chat_status(varied.finished) != status) {
      if (!common.json && !common.quiet) show(varied);
      return failed(Error(Errc::malformed, fmt::format("variation {} of splits and timing ends otherwise: {}", how.variation,
                                                       varied.difference ? "it sends something else" : script::to_string(varied.finished.outcome))),
                    kDiffers);
    }
  }
  if (const auto error = script::to_error(result.finished)) print_error("chatrun", common, *error, status);
  return status;
}

}  // namespace longline::tools::chatrun
