// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {
namespace {

Error refusal(const sys::RefusedStep& refused, const route::ParsedRoutes& parsed, const route::Interfaces& interfaces) {
  const std::string reason = std::strerror(refused.error);
  if (refused.error == EPERM || refused.error == EACCES) {
    return Error(Errc::permission, "changing routes: " + reason, Stage::route)
        .with_hint("it needs root, or the capability CAP_NET_ADMIN");
  }
  const route::Target* target = refused.step->cause->then;
  const std::string text = refused.step->add && target != nullptr && !target->stand_in
                               ? escape(to_string(target->wanted->route))
                               : to_string(*refused.step->route, interfaces);
  const bool ours = refused.error == ENOMEM || refused.error == ENOBUFS;
  Error error(ours ? Errc::os : Errc::route_refused,
              fmt::format("the kernel refuses {}'{}': {}", refused.step->add ? "" : "to remove ", text, kernel_words(refused.error, refused.text)),
              Stage::route);
  if (target != nullptr) error.where = place(*target->wanted, parsed);
  error.hint = refused.not_restored.empty() ? "all routes are as they were before"
                                            : "not all routes could be put back: " + refused.not_restored;
  return error;
}

}  // namespace

std::optional<Where> place(const route::Wanted& wanted, const route::ParsedRoutes& parsed) {
  Where where = parsed.where(wanted);
  if (where.file == kArgumentsName) return std::nullopt;
  return where;
}

std::string kernel_words(int error, std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return (text.empty() ? "" : text + ": ") + std::strerror(error);
}

Result<void> commit_changes(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed,
                            const route::Interfaces& interfaces) {
  const std::vector<route::Step> steps = route::steps(changes);
  if (steps.empty()) return {};
  LONGLINE_TRY(const std::optional<sys::RefusedStep> refused, sys::commit(steps));
  if (refused) return refusal(*refused, parsed, interfaces);
  return {};
}

Result<void> refuse_conflicts(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed,
                              const route::Interfaces& interfaces) {
  const route::Change* first = nullptr;
  std::size_t count = 0;
  for (const route::Change& change : changes) {
    if (change.kind != route::ChangeKind::conflict) continue;
    if (first == nullptr) first = &change;
    ++count;
  }
  if (first == nullptr) return {};
  Error error(Errc::route_refused,
              fmt::format("'{}' is in conflict with a route that is not ours: '{}'{}", to_string(first->then->route, interfaces),
                          to_string(*first->now, interfaces), count > 1 ? fmt::format(", and {} more", count - 1) : ""),
              Stage::route);
  error.where = place(*first->then->wanted, parsed);
  error.hint = "nothing was changed; give the route another metric, or remove the other one";
  return error;
}

void print_line(const std::string& line) { std::fprintf(stdout, "%s\n", line.c_str()); }

void print_notes(const route::Resolved& resolved, const route::ParsedRoutes& parsed, const Options& options) {
  if (options.common.quiet || options.common.json) return;
  for (const std::string& note : resolved.notes) std::fprintf(stderr, "routeadd: note: %s\n", escape(note).c_str());
  if (options.common.verbose == 0) return;
  for (std::size_t i = 0; i < parsed.routes.size(); ++i) {
    if (resolved.readiness[i] == route::Readiness::ready) continue;
    const Where where = parsed.where(parsed.routes[i]);
    std::fprintf(stderr, "routeadd: note: %s:%d: waits for %s\n", escape(where.file).c_str(), where.line,
                 route::waits_for(parsed.routes[i].route).c_str());
  }
}

void print_changes(const std::vector<route::Change>& changes, const route::Interfaces& interfaces, bool json) {
  for (const route::Change& change : changes) {
    print_line(json ? to_json(change, interfaces).dump() : to_string(change, interfaces));
  }
}

}  // namespace longline::routeadd
