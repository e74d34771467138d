// SPDX-License-Identifier: MIT
#include "cellular.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace modemsim {
namespace {

constexpr int not_allowed = 3, no_sim = 10, pin_wanted = 11, puk_wanted = 12, sim_failure = 13, sim_busy = 14, wrong_password = 16,
              unknown_error = 100;

constexpr std::array<std::pair<int, std::string_view>, 8> error_texts{{
    {not_allowed, "operation not allowed"},
    {no_sim, "SIM not inserted"},
    {pin_wanted, "SIM PIN required"},
    {puk_wanted, "SIM PUK required"},
    {sim_failure, "SIM failure"},
    {sim_busy, "SIM busy"},
    {wrong_password, "incorrect password"},
    {unknown_error, "unknown"},
}};

}  // namespace

Cellular::Answer Cellular::error(int number) const {
  if (error_form_ == 0) return {{}, false};
  if (error_form_ == 1) return {{"+CME ERROR: " + std::to_string(number)}, false};
  for (const auto& [known, text] : error_texts) {
    if (known == number) return {{"+CME ERROR: " + std::string(text)}, false};
  }
  return {{"+CME ERROR: unknown"}, false};
}

void Cellular::restart(Instant now) {
  sim_ = blocked_ ? Sim::puk : scenario_.sim;
  busy_until_ = now + scenario_.sim_busy;
  error_form_ = 0;
}

bool Cellular::may_call() const {
  if (sim_ != Sim::ready) return false;
  // Who never asked is not kept from calling.
  return registered_.empty() || std::any_of(registered_.begin(), registered_.end(), [](const auto& r) { return r.second == 1 || r.second == 5; });
}

std::optional<Cellular::Answer> Cellular::on_command(std::string_view command, Instant now) {
  if (!scenario_.present) return std::nullopt;
  if (command == "+CMEE=0" || command == "+CMEE=1" || command == "+CMEE=2") {
    error_form_ = command.back() - '0';
    return Answer{};
  }
  if (command == "+CPIN?") return sim_state(now);
  if (command.starts_with("+CPIN=")) return enter_pin(command.substr(6), now);
  if (command == "+CREG?") return registration("+CREG", scenario_.registration);
  if (command == "+CGREG?") return registration("+CGREG", scenario_.packet_registration.value_or(scenario_.registration));
  if (command == "+CEREG?") return registration("+CEREG", scenario_.eps_registration.value_or(scenario_.registration));
  if (command == "+CSQ") {
    std::size_t& at = asked_["+CSQ"];
    const std::int64_t level = scenario_.signal[std::min(at++, scenario_.signal.size() - 1)];
    return Answer{{"+CSQ: " + std::to_string(level) + ",99"}};
  }
  if (command == "+CEER") return Answer{{"+CEER: " + scenario_.cause}};
  if (command.starts_with("+CGDCONT=")) {
    log_.write(now, "context", {{"value", command.substr(9)}});
    return scenario_.refuse_apn ? error(unknown_error) : Answer{};
  }
  if (command == "+CFUN=1,1") {
    log_.write(now, "restart");
    Answer answer;
    answer.restarts = true;
    return answer;
  }
  if (command.starts_with("+CFUN=") || command.starts_with("+CGATT=") || command.starts_with("+COPS=")) return Answer{};
  return std::nullopt;
}

Cellular::Answer Cellular::sim_state(Instant now) {
  if (now < busy_until_) return error(sim_busy);
  switch (sim_) {
    case Sim::ready: return {{"+CPIN: READY"}};
    case Sim::pin: return {{"+CPIN: SIM PIN"}};
    case Sim::puk: return {{"+CPIN: SIM PUK"}};
    case Sim::missing: return error(no_sim);
    case Sim::failure: return error(sim_failure);
  }
  return error(unknown_error);
}

Cellular::Answer Cellular::enter_pin(std::string_view command, Instant now) {
  if (now < busy_until_) return error(sim_busy);
  if (sim_ != Sim::pin) return error(sim_ == Sim::puk ? puk_wanted : not_allowed);
  const bool right = command == "\"" + scenario_.pin + "\"" || command == scenario_.pin;
  log_.write(now, "pin", {{"right", right}});
  if (right) {
    sim_ = Sim::ready;
    wrong_ = 0;
    busy_until_ = now + scenario_.pin_delay;
    return {};
  }
  blocked_ = ++wrong_ >= scenario_.pin_tries;
  if (!blocked_) return error(wrong_password);
  sim_ = Sim::puk;
  return error(puk_wanted);
}

Cellular::Answer Cellular::registration(std::string_view name, const std::vector<std::int64_t>& sequence) {
  const std::string key(name);
  std::size_t& at = asked_[key];
  const std::int64_t status = sequence[std::min(at++, sequence.size() - 1)];
  if (status < 0) return {{}, false};
  registered_[key] = status;
  return {{key + ": 0," + std::to_string(status)}};
}

}  // namespace modemsim
