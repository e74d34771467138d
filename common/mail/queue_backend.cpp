// SPDX-License-Identifier: MIT
#include "mail/queue_backend.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"hold", "release", "remove", "bounce", "requeue"};
constexpr std::array<std::string_view, 5> kDoneNames = {"held", "released", "removed", "bounced", "requeued"};

}  // namespace

std::string_view to_string(QueueChange change) { return kNames[static_cast<std::size_t>(change)]; }
std::string_view done_name(QueueChange change) { return kDoneNames[static_cast<std::size_t>(change)]; }

void keep_waiting(std::vector<std::string>& recipients, const QueuedMessage& message) {
  std::erase_if(recipients, [&](const std::string& address) {
    return std::none_of(message.recipients.begin(), message.recipients.end(), [&](const Recipient& r) { return r.address == address && !r.finished(); });
  });
}

Result<std::vector<Result<void>>> QueueBackend::remove_recipients(const std::vector<MessagePart>&) {
  return Error(Errc::usage, "queue " + std::string(name()) + " cannot take recipients out of a message", Stage::queue);
}

Error changed_meanwhile(const std::string& id) {
  return Error(Errc::not_found, "message " + escape_at_most(id, 40) + ": changed meanwhile: another message has this id now", Stage::queue);
}

Error not_in_queue(const std::string& id) {
  return Error(Errc::not_found, "message " + escape_at_most(id, 40) + ": not in the queue", Stage::queue);
}

bool is_same_message(const SeenMessage& seen, const QueuedMessage& now) {
  return seen.id == now.id && seen.arrived == now.arrived && seen.sender == now.sender;
}

}  // namespace longline::mail
