// SPDX-License-Identifier: MIT
#include "fault_reader.hpp"

namespace modemsim {
namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 40;

void read_count(TableReader& reader, std::string_view key, FaultPlan::Entry& entry,
                std::optional<std::int64_t> Faults::*member, std::int64_t least = 0) {
  std::int64_t count = 0;
  if (!reader.read(key, count, least, most_bytes)) return;
  entry.changes.push_back([=](Faults& faults) { faults.*member = count; });
}

void read_step(TableReader& reader, std::string_view key, FaultPlan::Entry& entry, std::optional<int> Faults::*member) {
  int step = 0;
  if (!reader.read(key, step, 1, 1000)) return;
  entry.changes.push_back([=](Faults& faults) { faults.*member = step; });
}

void read_flag(TableReader& reader, std::string_view key, FaultPlan::Entry& entry, bool Faults::*member) {
  bool yes = false;
  if (!reader.read(key, yes)) return;
  entry.changes.push_back([=](Faults& faults) { faults.*member = yes; });
}

void read_where_bytes_count(TableReader& reader, FaultPlan::Entry& entry) {
  std::string from;
  if (!reader.read("count-from", from)) return;
  if (from != "connect" && from != "far-end") reader.fail("count-from", "\"connect\" or \"far-end\" is wanted");
  entry.changes.push_back([=](Faults& faults) { faults.count_from_far_end = from == "far-end"; });
}

void read_noise(TableReader& reader, FaultPlan::Entry& entry) {
  read_step(reader, "noise-before-step", entry, &Faults::noise_before_step);
  read_count(reader, "noise-every", entry, &Faults::noise_every, 1);
  std::int64_t bytes = 0;
  if (reader.read("noise-bytes", bytes, 1, 1 << 24)) {
    entry.changes.push_back([=](Faults& faults) { faults.noise_bytes = bytes; });
  }
  std::int64_t seed = 0;
  if (reader.read("noise-seed", seed, 0, UINT32_MAX)) {
    entry.changes.push_back([=](Faults& faults) { faults.noise_seed = static_cast<std::uint32_t>(seed); });
  }
  std::string banner;
  if (reader.read("banner-forever", banner)) {
    if (banner.empty()) reader.fail("banner-forever", "is empty");
    entry.changes.push_back([=](Faults& faults) { faults.banner_forever = banner; });
  }
}

}  // namespace

FaultPlan::Entry read_fault(TableReader reader) {
  FaultPlan::Entry entry;
  int number = 0;
  if (reader.read("call", number, 1, INT32_MAX)) entry.call = number;
  if (reader.read("open", number, 1, INT32_MAX)) entry.open = number;

  read_step(reader, "silent-before-step", entry, &Faults::silent_before_step);
  read_step(reader, "silent-after-step", entry, &Faults::silent_after_step);
  read_step(reader, "drop-before-step", entry, &Faults::drop_before_step);
  read_step(reader, "drop-after-step", entry, &Faults::drop_after_step);
  read_noise(reader, entry);

  read_where_bytes_count(reader, entry);
  read_count(reader, "drop-after-up", entry, &Faults::drop_after_up);
  read_count(reader, "drop-after-down", entry, &Faults::drop_after_down);
  read_count(reader, "silent-after-up", entry, &Faults::silent_after_up);
  read_count(reader, "silent-after-down", entry, &Faults::silent_after_down);
  read_count(reader, "vanish-after-up", entry, &Faults::vanish_after_up);
  read_count(reader, "vanish-after-down", entry, &Faults::vanish_after_down);
  Duration after{};
  if (reader.read("drop-after", after)) entry.changes.push_back([=](Faults& faults) { faults.drop_after = after; });

  read_flag(reader, "ignore-escape", entry, &Faults::ignore_escape);
  read_flag(reader, "ignore-dtr", entry, &Faults::ignore_dtr);
  read_flag(reader, "modem-silent", entry, &Faults::silent);
  read_flag(reader, "modem-hung", entry, &Faults::hung);
  read_flag(reader, "modem-babble", entry, &Faults::babble);
  read_flag(reader, "vanish-on-dial", entry, &Faults::vanish_on_dial);
  read_flag(reader, "lose-no-carrier", entry, &Faults::lose_no_carrier);
  reader.finish();
  return entry;
}

}  // namespace modemsim
