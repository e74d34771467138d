// SPDX-License-Identifier: MIT
#include "sys/port/sim_pin.hpp"

#include <crypt.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/json.hpp"
#include "sys/config_file.hpp"
#include "sys/durable_file.hpp"
#include "sys/random_name.hpp"
#include "sys/secret_file.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr const char* kRefused = "refused";
constexpr const char* kTried = "tried";
constexpr std::int64_t kMostUnanswered = 2;

/// "" when the system cannot.
std::string hash_of(const Secret& pin, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();
  const char* hash = ::crypt_r(pin.reveal().c_str(), setting.c_str(), data.get());
  return hash == nullptr || hash[0] == '*' ? "" : hash;
}

/// Ten thousand PINs of four digits take a quarter of an hour of one processor.
std::string new_hash_of(const Secret& pin) { return hash_of(pin, "$6$rounds=150000$" + random_name().substr(0, 16) + "$"); }

struct Memory {
  std::string path;
  Secret pin;

  Result<void> before() const {
    std::int64_t unanswered = 0;
    const Result<std::string> text = read_file(path, 4096);
    if (!text && text.error().code != Errc::not_found) return unreadable(text.error());
    if (text) {
      const Result<JsonObject> record = parse_json_object(*text);
      const std::string hash = record ? record->string("pin").value_or("") : "";
      if (hash.empty()) return unreadable(Error(Errc::malformed, path + " is damaged"));
      if (hash_of(pin, hash) == hash) {
        unanswered = record->integer("unanswered").value_or(0);
        if (record->string("state") != kTried || unanswered >= kMostUnanswered) return refused(*record);
      }
    }
    return write(kTried, unanswered + 1);
  }

  void after(bool taken) const {
    if (taken) ::unlink(path.c_str());
    // Where it cannot be written the record of the try stands.
    else static_cast<void>(write(kRefused, 0).has_value());
  }

  Result<void> write(const char* state, std::int64_t unanswered) const {
    const std::string hash = new_hash_of(pin);
    if (hash.empty()) return Error(Errc::os, "crypt(3) has no SHA-512: the PIN is not entered, as a refusal could not be remembered", Stage::modem);
    LONGLINE_CHECK(ensure_folder(std::filesystem::path(path).parent_path()));
    JsonObject record;
    record.set("state", state).set("unanswered", unanswered).set("time", format_iso8601(wall_now())).set("pin", hash);
    Result<void> written = replace_file(path, record.dump() + "\n");
    if (!written) return std::move(written).error().context("the PIN is not entered, as a refusal could not be remembered").in_stage(Stage::modem);
    return {};
  }

  static Error refused(const JsonObject& record) {
    const std::string when = record.string("time").value_or("");
    const bool known = record.string("state") == kRefused;
    return Error(Errc::sim_pin_refused,
                 known ? fmt::format("the SIM has refused this PIN ({}); it is not tried again", when)
                       : fmt::format("this PIN was tried twice, last {}, and the SIM never answered; it is not tried again", when),
                 Stage::modem)
        .with_hint("correct the PIN; --now tries this one once more, and the third wrong one blocks the SIM");
  }

  static Error unreadable(const Error& why) {
    return Error(Errc::sim_pin_refused, fmt::format("it is not known whether the SIM has refused this PIN: {}", why.message()), Stage::modem)
        .with_hint("--now tries it");
  }
};

bool is_pin(const std::string& text) {
  return text.size() >= 4 && text.size() <= 8 && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

Result<modem::SimPin> sim_pin(const config::Link& link, const StatePaths& paths) {
  if (link.modem != config::ModemKind::gsm || link.pin.empty()) return modem::SimPin{};
  LONGLINE_TRY(Secret pin, read_secret(link.pin));
  if (!is_pin(pin.reveal())) {
    Error error(Errc::config, "a SIM's PIN has 4 to 8 digits", Stage::modem);
    error.where = link.pin.where;
    return error;
  }
  const Memory memory{paths.sim_pin(link.name), pin};
  return modem::SimPin{std::move(pin), [memory] { return memory.before(); }, [memory](bool taken) { memory.after(taken); }};
}

void forget_sim_pin(const config::Link& link, const StatePaths& paths) {
  if (link.modem == config::ModemKind::gsm) ::unlink(paths.sim_pin(link.name).c_str());
}

}  // namespace longline::sys
