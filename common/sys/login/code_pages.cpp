// SPDX-License-Identifier: MIT
#include "sys/login/code_pages.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace longline::sys {

void give_back_code_pages() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, until = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &until, rights) != 3) continue;
    // Only what is executable and never written: data that was relocated would be lost.
    if (std::string(rights) != "r-xp" || line.find('/') == std::string::npos) continue;
    ::madvise(reinterpret_cast<void*>(static_cast<std::uintptr_t>(from)), until - from, MADV_DONTNEED);
  }
}

}  // namespace longline::sys
