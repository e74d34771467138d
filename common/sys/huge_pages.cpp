// SPDX-License-Identifier: MIT
#include "sys/huge_pages.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace longline::sys {
namespace {

constexpr std::size_t kMostHugeBytes = 256 << 20;
constexpr std::uintptr_t kPage = 2 << 20;   // a smaller one than the machine's only wishes for less

std::uintptr_t heap_end() { return reinterpret_cast<std::uintptr_t>(::sbrk(0)); }

}  // namespace

void expect_memory(std::size_t bytes) {
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);   // the most that glibc takes
  ::mallopt(M_TOP_PAD, static_cast<int>(std::min(bytes, kMostHugeBytes)));
  const std::uintptr_t begin = (heap_end() + kPage - 1) / kPage * kPage;
  void* volatile growth = std::malloc(1 << 20);   // what makes the heap grow; volatile, or the compiler leaves it out
  std::free(growth);
  const std::uintptr_t end = heap_end() / kPage * kPage;
  ::mallopt(M_TOP_PAD, 1 << 20);
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace longline::sys
