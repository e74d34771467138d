// SPDX-License-Identifier: MIT
#include "sys/local_clock.hpp"

#include <ctime>

#include "sys/process.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {

LocalClock local_clock() {
  ::tzset();
  return [](WallTime at) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return LocalTime{};
    return LocalTime{local.tm_year + 1900, static_cast<unsigned>(local.tm_mon) + 1, static_cast<unsigned>(local.tm_mday),
                           static_cast<unsigned>(local.tm_wday), local.tm_hour * 60 + local.tm_min};
  };
}

link::Moment moment_now() { return {wall_now(), since_boot(), boot_id()}; }

}  // namespace longline::sys
