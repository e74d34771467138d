// SPDX-License-Identifier: MIT
#include "sys/x400/association.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "sys/x400/transfer_names.hpp"

namespace longline::sys {
namespace {

// Small: what waits here is sent again after a cut.
constexpr std::size_t kAssociationBuffer = 8192;
// A release, or a refusal, must leave, but nobody pays for a line that does not take it.
constexpr Duration kLastWordsPatience(5'000);

}  // namespace

AgreedSession Association::agreed(const x400::Bound& bound, const std::string& connector) {
  AgreedSession out;
  out.session = stored_session(bound.session);
  out.peer = connector;
  out.mta = bound.peer_name;
  out.checkpoint_size = bound.checkpoint_size;
  out.window = bound.window;
  return out;
}

Association::Association(Loop& loop, std::unique_ptr<ByteStream> line, x400::RtsOptions options, Handlers handlers)
    : loop_(loop), machine_(std::move(options), *this), handlers_(std::move(handlers)),
      pump_(loop, std::move(line),
            {[this](std::string_view bytes) {
               machine_.on_bytes(bytes, loop_.now());
               drain();
             },
             [this](const Error&) {
               machine_.on_closed(loop_.now());
               drain();
             },
             [this] {
               progress_ = true;
               drain();
             }}) {}

void Association::start() {
  machine_.start(loop_.now());
  drain();
}

void Association::use(OutgoingTransfers* outgoing, IncomingTransfers* incoming) {
  outgoing_ = outgoing;
  incoming_ = incoming;
}

void Association::wake() {
  machine_.wake(loop_.now());
  drain();
}

void Association::stop() {
  machine_.stop(loop_.now());
  drain();
}

void Association::abort(Error why) {
  machine_.fail(std::move(why), loop_.now());
  drain();
}

void Association::fail(Error why) {
  if (!failure_) failure_ = why;
  machine_.fail(std::move(why), loop_.now());
}

// ---- the machine asks

std::optional<x400::OutgoingTransfer> Association::next_transfer() {
  if (outgoing_ == nullptr) return std::nullopt;
  std::optional<x400::OutgoingTransfer> next = outgoing_->next();
  if (const auto failure = outgoing_->failure(); failure && !host_failure_) host_failure_ = failure;
  return next;
}

Result<std::string> Association::read(const std::string& id, std::uint64_t offset, std::size_t most) {
  if (outgoing_ == nullptr) return Error(Errc::software, "nothing is sent here", Stage::transfer);
  return outgoing_->read(id, offset, most);
}

std::optional<x400::IncomingState> Association::find_incoming(const x400::TransferKey& key) {
  if (incoming_ == nullptr) return std::nullopt;
  Result<std::optional<x400::IncomingState>> found = incoming_->find(key);
  if (found) return *found;
  if (!host_failure_) host_failure_ = found.error();
  return std::nullopt;
}

Result<x400::RtsPeer> Association::find_peer(std::string_view name) {
  if (!handlers_.find_peer) return Error(Errc::software, "nobody is called here", Stage::auth);
  return handlers_.find_peer(name);
}

std::optional<x400::RtsHost::Recovery> Association::find_session(const x400::SessionId& id) {
  return handlers_.find_session ? handlers_.find_session(id) : std::nullopt;
}

// ---- its actions

void Association::drain() {
  // A write may call back here when bytes leave; the outer loop goes on then.
  if (draining_ || delivering_) return;
  draining_ = true;
  while (!delivering_ && !over_) {
    if (std::exchange(progress_, false)) machine_.on_writable(kAssociationBuffer - std::min(kAssociationBuffer, pump_.pending()), loop_.now());
    auto action = machine_.next_action();
    if (host_failure_) {
      fail(*std::exchange(host_failure_, std::nullopt));
      continue;
    }
    if (!action) break;
    Result<void> done = std::visit([this](auto& a) { return act(a); }, *action);
    if (!done) fail(std::move(done).error());
  }
  draining_ = false;
  if (over_) return;
  // What is said while a message is taken in leaves with the answer to it.
  if (!delivering_ && pump_.pending() == 0) pump_.set_corked(false);
  pump_.set_reading(!delivering_ && !finished_);
  set_timers();
  end_when_written();
}

Result<void> Association::act(Write& write) {
  // What it acknowledges has to be on the disk.
  if (incoming_ != nullptr && !failure_) LONGLINE_CHECK(incoming_->settle());
  pump_.set_corked(true);
  pump_.write(write.bytes, write.secret);
  if (write.secret) std::fill(write.bytes.begin(), write.bytes.end(), '\0');
  return {};
}

Result<void> Association::act(x400::Bound& bound) { return handlers_.on_bound ? handlers_.on_bound(bound) : Result<void>(); }

Result<void> Association::act(x400::TransferStarted& started) { return outgoing_->carry_out(started); }
Result<void> Association::act(x400::TransferConfirmed& confirmed) { return outgoing_->carry_out(confirmed); }
Result<void> Association::act(x400::TransferSent& sent) { return outgoing_->carry_out(sent); }
Result<void> Association::act(x400::TransferFailed& failed) { return outgoing_->carry_out(failed); }

Result<IncomingTransfers*> Association::incoming() const {
  if (incoming_ == nullptr) return Error(Errc::protocol, "the peer sends mail, which was not asked for", Stage::transfer);
  return incoming_;
}

Result<void> Association::act(x400::StoreSegment& segment) {
  LONGLINE_TRY(IncomingTransfers* const to, incoming());
  return to->carry_out(std::move(segment));
}

Result<void> Association::act(x400::ResumeIncoming& resumed) {
  LONGLINE_TRY(IncomingTransfers* const to, incoming());
  return to->carry_out(resumed);
}

Result<void> Association::act(x400::DiscardIncoming& discarded) {
  LONGLINE_TRY(IncomingTransfers* const to, incoming());
  return to->carry_out(discarded);
}

Result<void> Association::act(x400::TransferComplete& complete) {
  LONGLINE_TRY(IncomingTransfers* const to, incoming());
  delivering_ = true;
  to->complete(complete, [this, still = std::weak_ptr<char>(alive_)](Result<void> done) {
    if (still.expired()) return;
    delivering_ = false;
    if (!done) fail(std::move(done).error());
    if (outgoing_ != nullptr && incoming_->take_answered()) {
      outgoing_->look_again();
      machine_.wake(loop_.now());
    }
    drain();
  });
  return {};
}

Result<void> Association::act(x400::RtsFinished& finished) {
  finished_ = std::move(finished);
  return {};
}

// ---- time, and the end

void Association::set_timers() {
  timer_.reset();
  if (over_ || finished_ || delivering_) return;
  if (const auto deadline = machine_.deadline()) {
    timer_ = loop_.at(*deadline, [this] {
      machine_.on_time(loop_.now());
      drain();
    });
  }
}

void Association::end_when_written() {
  if (!finished_ || over_) return;
  if (pump_.closed() || pump_.idle()) end();
  else if (!last_write_) last_write_ = loop_.at(loop_.now() + kLastWordsPatience, [this] { end(); });
}

void Association::end() {
  if (std::exchange(over_, true)) return;
  timer_.reset();
  last_write_.reset();
  if (!finished_) finished_.emplace(x400::RtsFinished{Error(Errc::line_dropped, "the line was cut", Stage::transfer)});
  if (failure_ && !finished_->error) finished_->error = failure_;
  if (handlers_.on_ended) handlers_.on_ended(*finished_);
}

}  // namespace longline::sys
