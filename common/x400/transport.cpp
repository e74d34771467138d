// SPDX-License-Identifier: MIT
#include "x400/transport.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/overloaded.hpp"
#include "base/text.hpp"

namespace longline::x400 {
namespace {

constexpr std::uint16_t kReference = 1;            // of ours: a connection of class 0 has a line of its own
constexpr std::size_t kLargestWrite = 64 * 1024;
constexpr std::size_t kMostWords = 100;
constexpr int kCongested = 1;                      // reasons of DR
constexpr int kNoSuchSelector = 3;
constexpr int kCongestedToo = 129;
constexpr int kClassesDoNotFit = 130;

Errc code_of_disconnect(int reason) { return reason == kCongested || reason == kCongestedToo ? Errc::busy : Errc::next_hop_unreachable; }

}  // namespace

Transport::Transport(TransportOptions options) : options_(std::move(options)) {
  assert(options_.calling_selector.size() <= kLongestSelector && options_.called_selector.size() <= kLongestSelector);
  assert(options_.tpdu_size >= 128);
}

void Transport::start(TimePoint now) {
  started_ = now;
  phase_ = Phase::opening;
  if (!options_.initiator) return;
  CotpConnect request;
  request.source = kReference;
  if (options_.tpdu_size != kLongestTpdu) request.tpdu_size = options_.tpdu_size;
  if (!options_.calling_selector.empty()) request.calling_selector = options_.calling_selector;
  if (!options_.called_selector.empty()) request.called_selector = options_.called_selector;
  actions_.push_back(Write{tpkt(encode(request))});
}

void Transport::on_bytes(std::string_view in, TimePoint) {
  if (phase_ == Phase::finished || closed_) return;
  input_.erase(0, std::exchange(used_, 0));
  input_ += in;
}

void Transport::on_closed(TimePoint) { closed_ = true; }

void Transport::on_time(TimePoint now) {
  if (const auto due = deadline(); !due || now < *due) return;
  const std::string_view what = options_.initiator ? "answer the connection request" : "say what it wants";
  fail(Error(Errc::deadline, fmt::format("the peer did not {} within {}", what, format_duration(options_.opening)), Stage::connect));
}

std::optional<TimePoint> Transport::deadline() const {
  if (phase_ != Phase::opening) return std::nullopt;
  return started_ + options_.opening;
}

std::optional<TransportAction> Transport::next_action() {
  while (actions_.empty() && phase_ != Phase::finished && phase_ != Phase::idle) {
    std::string_view rest = std::string_view(input_).substr(used_);
    auto tpdu = reader_.next(rest);
    used_ = input_.size() - rest.size();
    if (!tpdu) {
      fail(std::move(tpdu).error().in_stage(Stage::connect));
    } else if (*tpdu) {
      take(**tpdu);
    } else if (closed_) {
      if (phase_ == Phase::opening) {
        const std::string_view what = options_.initiator ? "the peer closed the line before it answered" : "the caller closed the line before it said anything";
        fail(Error(Errc::line_dropped, std::string(what), Stage::connect));
      } else {
        pending() == 0 ? finish({}) : fail(Error(Errc::line_dropped, "the line ended within a unit of data", Stage::transfer));
      }
    } else {
      break;
    }
  }
  return take_first(actions_);
}

void Transport::take(std::string_view tpdu) {
  auto decoded = decode_cotp(tpdu);
  if (!decoded) return fail(std::move(decoded).error().in_stage(Stage::connect));
  const bool opening = phase_ == Phase::opening;
  std::visit(Overloaded{
                 [&](const CotpConnect& t) {
                   if (!opening || t.confirms != options_.initiator) {
                     const std::string_view what = t.confirms ? "the peer confirms a connection that nobody asked for" : "the peer asks for a connection twice";
                     return fail(Error(Errc::protocol, std::string(what), Stage::connect));
                   }
                   t.confirms ? take_confirm(t) : take_request(t);
                 },
                 [&](const CotpDisconnect& t) {
                   std::string what = fmt::format("the peer refuses the transport connection: {} (reason {})", disconnect_reason(t.reason), t.reason);
                   fail(Error(opening ? code_of_disconnect(t.reason) : Errc::protocol, std::move(what), Stage::connect));
                 },
                 [&](const CotpError& t) {
                   fail(Error(Errc::protocol, fmt::format("the peer did not understand a TPDU of ours (cause {})", t.cause), Stage::connect));
                 },
                 [&](CotpData& t) {
                   if (opening) return fail(Error(Errc::protocol, "the peer sends data before there is a connection", Stage::connect));
                   take_data(std::move(t));
                 },
             },
             *decoded);
}

void Transport::take_request(const CotpConnect& request) {
  const auto refuse = [&](int reason, Errc code, std::string what) {
    actions_.push_back(Write{tpkt(encode(CotpDisconnect{request.source, 0, reason}))});
    fail(Error(code, std::move(what), Stage::connect));
  };
  if (request.protocol_class != 0) {
    // Class 0 may be an alternative, but RFC 1006 has no other to begin with.
    return refuse(kClassesDoNotFit, Errc::protocol, fmt::format("the caller asks for transport class {}; over TCP it is 0", request.protocol_class));
  }
  if (!options_.called_selector.empty() && request.called_selector.value_or("") != options_.called_selector) {
    return refuse(kNoSuchSelector, Errc::caller_refused,
                  fmt::format("the caller asks for transport selector '{}', expected '{}'", escape_at_most(request.called_selector.value_or(""), kMostWords),
                              escape_at_most(options_.called_selector, kMostWords)));
  }
  CotpConnect confirm;
  confirm.confirms = true;
  confirm.destination = request.source;
  confirm.source = kReference;
  const std::size_t asked = request.tpdu_size.value_or(kLongestTpdu);
  tpdu_size_ = std::min(asked, options_.tpdu_size);
  if (tpdu_size_ != kLongestTpdu) confirm.tpdu_size = tpdu_size_;
  confirm.calling_selector = request.calling_selector;
  confirm.called_selector = request.called_selector;
  phase_ = Phase::open;
  actions_.push_back(Write{tpkt(encode(confirm))});
  actions_.push_back(TransportOpened{tpdu_size_, request.calling_selector.value_or(""), request.called_selector.value_or("")});
}

void Transport::take_confirm(const CotpConnect& confirm) {
  if (confirm.protocol_class != 0) {
    return fail(Error(Errc::protocol, fmt::format("the peer answers with transport class {}", confirm.protocol_class), Stage::connect));
  }
  // Without the parameter what was proposed stands.
  tpdu_size_ = std::min(confirm.tpdu_size.value_or(options_.tpdu_size), options_.tpdu_size);
  phase_ = Phase::open;
  actions_.push_back(TransportOpened{tpdu_size_, confirm.calling_selector.value_or(""), confirm.called_selector.value_or("")});
}

void Transport::take_data(CotpData data) {
  if (tsdu_.size() + data.bytes.size() > options_.longest_tsdu) {
    return fail(Error(Errc::protocol, fmt::format("the peer sends a unit of more than {} octets", options_.longest_tsdu), Stage::transfer));
  }
  tsdu_ += data.bytes;
  if (!data.last) return;
  actions_.push_back(TsduArrived{std::exchange(tsdu_, {})});
}

void Transport::send(std::string_view tsdu, bool secret) {
  if (phase_ != Phase::open) return;
  const std::size_t piece = tpdu_size_ - kCotpDataHeader;
  std::string out;
  do {
    const std::string_view part = tsdu.substr(0, piece);
    tsdu.remove_prefix(part.size());
    if (!out.empty() && out.size() + part.size() + kCotpDataHeader + kTpktHeader > kLargestWrite) actions_.push_back(Write{std::exchange(out, {}), secret});
    out += tpkt(encode(CotpData{std::string(part), tsdu.empty()}));
  } while (!tsdu.empty());
  actions_.push_back(Write{std::move(out), secret});
}

void Transport::close() {
  phase_ = Phase::finished;
  input_.clear();
  used_ = 0;
  tsdu_.clear();
}

void Transport::fail(Error error) { finish(TransportClosed{std::move(error)}); }

void Transport::finish(TransportClosed how) {
  close();
  actions_.push_back(std::move(how));
}

}  // namespace longline::x400
