// SPDX-License-Identifier: MIT
#include "cellular_reader.hpp"

#include <array>
#include <utility>

namespace modemsim {
namespace {

constexpr std::array<std::pair<std::string_view, Sim>, 5> sim_names{{
    {"ready", Sim::ready}, {"pin", Sim::pin}, {"puk", Sim::puk}, {"missing", Sim::missing}, {"failure", Sim::failure}}};

}  // namespace

CellularScenario read_cellular(TableReader reader) {
  CellularScenario gsm;
  gsm.present = true;
  std::string sim;
  if (reader.read("sim", sim)) {
    bool known = false;
    for (const auto& [name, value] : sim_names) {
      if (sim != name) continue;
      gsm.sim = value;
      known = true;
    }
    if (!known) reader.fail("sim", "\"ready\", \"pin\", \"puk\", \"missing\" or \"failure\" is wanted");
  }
  reader.read("pin", gsm.pin);
  reader.read("pin-tries", gsm.pin_tries, 1, 10);
  reader.read("pin-delay", gsm.pin_delay);
  reader.read("sim-busy", gsm.sim_busy);
  reader.read("registration", gsm.registration, -1, 10);
  std::vector<std::int64_t> sequence;
  if (reader.read("packet-registration", sequence, -1, 10)) gsm.packet_registration = sequence;
  if (reader.read("eps-registration", sequence, -1, 10)) gsm.eps_registration = sequence;
  reader.read("signal", gsm.signal, 0, 99);
  reader.read("cause", gsm.cause);
  reader.read("refuse-apn", gsm.refuse_apn);
  reader.read("restart", gsm.restart);
  reader.finish();
  return gsm;
}

}  // namespace modemsim
