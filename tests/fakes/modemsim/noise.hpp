// SPDX-License-Identifier: MIT
// Random bytes that are the same for the same seed on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace modemsim {

class Noise {
 public:
  explicit Noise(std::uint32_t seed) : generator_(seed) {}
  char byte() { return static_cast<char>(generator_() >> 24); }
  std::string bytes(std::int64_t count) {
    std::string all;
    for (std::int64_t i = 0; i < count; ++i) all += byte();
    return all;
  }

 private:
  std::mt19937 generator_;
};

}  // namespace modemsim
