// SPDX-License-Identifier: MIT
// Bytes sent and received, by day, connector and sender: what a line's bill is divided by.
#include "sys/spool/spool.hpp"

#include "sys/spool/stored_time.hpp"

namespace longline::sys {
namespace {

constexpr std::int64_t kDaysKept = 400;
// Anybody may send to us under as many names as he likes.
constexpr std::int64_t kSendersADay = 1000;
constexpr std::string_view kOthers = "*";

std::int64_t day_of(WallTime t) { return t.time_since_epoch().count() / kDay; }

}  // namespace

Result<void> Spool::add_traffic(const Traffic& traffic, WallTime now) {
  const std::int64_t day = day_of(now);
  std::string sender = traffic.sender ? "<" + *traffic.sender : "";   // "" is the line itself, "<" the null sender
  LONGLINE_TRY(SqliteStatement* add, statement("UPDATE traffic SET messages_out=messages_out+?4, bytes_out=bytes_out+?5, messages_in=messages_in+?6, "
                                               "bytes_in=bytes_in+?7 WHERE day=?1 AND connector=?2 AND sender=?3"));
  const auto run = [&](SqliteStatement& s) -> Result<void> {
    s.bind(1, day).bind(2, traffic.connector).bind(3, sender).bind(4, traffic.messages_out).bind(5, traffic.bytes_out);
    return s.bind(6, traffic.messages_in).bind(7, traffic.bytes_in).run();
  };
  LONGLINE_CHECK(run(*add));
  if (db_->changes() > 0) return {};
  LONGLINE_TRY(SqliteStatement* count, statement("SELECT count(*) FROM traffic WHERE day=? AND sender<>''"));
  LONGLINE_TRY(const bool row, count->bind(1, day).step());
  const bool is_full = row && count->integer(0) >= kSendersADay;
  count->reset();
  if (is_full && traffic.sender) {
    sender = "<" + std::string(kOthers);
    LONGLINE_CHECK(run(*add));
    if (db_->changes() > 0) return {};
  }
  LONGLINE_TRY(SqliteStatement* insert, statement("INSERT INTO traffic VALUES(?1,?2,?3,?4,?5,?6,?7)"));
  LONGLINE_CHECK(run(*insert));
  LONGLINE_TRY(SqliteStatement* bound, statement("DELETE FROM traffic WHERE day<?"));
  return bound->bind(1, day - kDaysKept).run();
}

Result<void> Spool::count_line(const std::string& connector, std::uint64_t bytes_out, std::uint64_t bytes_in, WallTime now) {
  Traffic traffic;
  traffic.connector = connector;
  traffic.bytes_out = static_cast<std::int64_t>(bytes_out);
  traffic.bytes_in = static_cast<std::int64_t>(bytes_in);
  return change([&] { return add_traffic(traffic, now); });
}

Result<std::vector<Traffic>> Spool::traffic_since(WallTime since) {
  std::vector<Traffic> out;
  if (!db_) return out;
  LONGLINE_TRY(const std::int64_t known, db_->integer("SELECT count(*) FROM sqlite_schema WHERE name='traffic'"));
  if (known == 0) return out;
  LONGLINE_TRY(SqliteStatement rows,
               db_->prepare("SELECT connector, sender, sum(messages_out), sum(bytes_out), sum(messages_in), sum(bytes_in) FROM traffic WHERE day>=? "
                            "GROUP BY connector, sender ORDER BY connector, sender='' DESC, sum(bytes_out)+sum(bytes_in) DESC, sender"));
  rows.bind(1, day_of(since));
  while (true) {
    LONGLINE_TRY(const bool row, rows.step());
    if (!row) return out;
    const std::string sender = rows.text(1);
    out.push_back({rows.text(0), sender.empty() ? std::nullopt : std::optional(sender.substr(1)), rows.integer(2), rows.integer(3), rows.integer(4),
                   rows.integer(5)});
  }
}

}  // namespace longline::sys
