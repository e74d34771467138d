// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.hpp"
#include "x400/acse.hpp"
#include "x400/mts_bind.hpp"
#include "x400/presentation.hpp"
#include "x400/rts_names.hpp"
#include "x400/rts_opening.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

/// The session is refused without user data.
constexpr int kNoRefusalReason = 0;

/// What the peer asks for, as far as it could be read.
struct Request {
  Contexts contexts{};
  std::vector<ContextResult> results;
  TransferOpen open{};
};

Refusal malformed(Error error) {
  error.code = Errc::protocol;
  return Refusal{std::move(error).context("the peer's bind").in_stage(Stage::connect), false, kNoRefusalReason, {}};
}

/// A refusal by association control: `data` is an RTORJ, or nothing.
Refusal reject(const Request& request, Error error, std::int64_t result, std::int64_t diagnostic, std::string data = {}) {
  AssociateResponse response{std::string(kMtsTransferContext), result, false, diagnostic, {}};
  if (!data.empty()) response.data = AssociationData{request.contexts.rtse, std::move(data)};
  RefusePpdu refuse;
  refuse.results = request.results;
  refuse.user_data = {{request.contexts.acse, encode_acse(response)}};
  return Refusal{std::move(error).in_stage(Stage::connect), false, 2, encode_refuse(refuse)};
}

Refusal reject_opening(const Request& request, Error error, RefuseReason reason) {
  const TransferRefuse refuse{static_cast<std::int64_t>(reason), {}};
  return reject(request, std::move(error), reason == RefuseReason::busy ? 2 : 1, 1, encode_open_refuse(refuse));
}

Refusal reject_bind(const Request& request, Error error) {
  const BindError which = error.code == Errc::auth_refused || error.code == Errc::caller_refused ? BindError::authentication_error : BindError::busy;
  return reject(request, std::move(error), which == BindError::busy ? 2 : 1, 1, encode_open_refuse({{}, encode_bind_error(which)}));
}

Refusal refuse_x410() {
  RefusePpdu refuse;
  refuse.normal_mode = false;
  refuse.x410_reason = static_cast<std::int64_t>(RefuseReason::validation_failure);
  Error error(Errc::protocol, "the peer asks for X.410 mode (1984); only normal mode (1988) is spoken here", Stage::connect);
  return Refusal{std::move(error).with_hint("set the peer's connector to 1988 normal mode"), false, 2, encode_refuse(refuse)};
}

/// Which contexts are taken: the first of each abstract syntax that offers BER. The name of one that is missing, or "".
std::string_view choose_contexts(const ConnectPpdu& connect, Request& request) {
  constexpr std::array<std::string_view, 3> kWanted = {kAcseSyntax, kRtseSyntax, kMtseSyntax};
  std::array<std::optional<std::int64_t>, 3> chosen{};
  for (const PresentationContext& one : connect.contexts) {
    const auto wanted = std::find(kWanted.begin(), kWanted.end(), one.abstract_syntax);
    ContextResult result{2, "", 1};
    if (wanted != kWanted.end()) {
      auto& slot = chosen[static_cast<std::size_t>(wanted - kWanted.begin())];
      const bool ber = std::find(one.transfer_syntaxes.begin(), one.transfer_syntaxes.end(), kBerSyntax) != one.transfer_syntaxes.end();
      result.reason = ber ? 3 : 2;
      if (ber && !slot) {
        slot = one.id;
        result = ContextResult{0, std::string(kBerSyntax), {}};
      }
    }
    request.results.push_back(std::move(result));
  }
  for (std::size_t i = 0; i < kWanted.size(); ++i) {
    if (!chosen[i]) return kContextNames[i];
  }
  request.contexts = Contexts{*chosen[0], *chosen[1]};
  return {};
}

/// From the session's user data to RTORQ.
std::optional<Refusal> read_request(std::string_view user_data, Request& request) {
  const auto connect = decode_connect(user_data);
  if (!connect) return malformed(connect.error());
  if (!connect->normal_mode) return refuse_x410();
  if (const auto missing = choose_contexts(*connect, request); !missing.empty()) {
    RefusePpdu refuse;
    refuse.results = request.results;
    Error error(Errc::protocol, "the peer's presentation contexts lack " + std::string(missing) + " in BER", Stage::connect);
    return Refusal{std::move(error), false, 2, encode_refuse(refuse)};
  }
  const auto value = std::find_if(connect->user_data.begin(), connect->user_data.end(), [&](const Pdv& one) { return one.context == request.contexts.acse; });
  if (value == connect->user_data.end()) return malformed(Error(Errc::protocol, "it holds no association control"));
  const auto apdu = decode_acse(value->value);
  if (!apdu) return malformed(apdu.error());
  const auto* association = std::get_if<AssociateRequest>(&*apdu);
  if (!association) return malformed(Error(Errc::protocol, "it asks for no association"));
  if (association->context_name != kMtsTransferContext) {
    return reject(request, Error(Errc::protocol, wrong_application(association->context_name)), 1, 2);
  }
  if (!association->data) return malformed(Error(Errc::protocol, "it asks for no reliable transfer"));
  auto open = decode_open(association->data->value);
  if (!open) return malformed(open.error());
  request.open = std::move(*open);
  if (request.open.dialogue_mode != 0 && request.open.dialogue_mode != 1) {
    return reject_opening(request, Error(Errc::protocol, "the peer asks for dialogue mode " + std::to_string(request.open.dialogue_mode) + ", which is none"),
                          RefuseReason::unacceptable_dialogue_mode);
  }
  return std::nullopt;
}

Acceptance accept(const Request& request, const RtsPeer& peer, ConnectionData connection) {
  Acceptance out;
  Bound& bound = out.agreement.bound;
  bound.checkpoint_size = std::min(request.open.checkpoint_size, peer.checkpoint_size);
  bound.window = std::clamp(std::min(request.open.window, peer.window), 1u, 64u);
  bound.two_way = request.open.dialogue_mode == 1;
  bound.recovered = connection.recover.has_value();
  out.agreement.contexts = request.contexts;
  AcceptPpdu ppdu;
  ppdu.results = request.results;
  const TransferAccept transfer{bound.checkpoint_size, bound.window, std::move(connection)};
  ppdu.user_data = {{request.contexts.acse, encode_acse(AssociateResponse{std::string(kMtsTransferContext), 0, false, 0,
                                                                         AssociationData{request.contexts.rtse, encode_open_accept(transfer)}})}};
  out.user_data = encode_accept(ppdu);
  return out;
}

std::variant<Acceptance, Refusal> judge_recovery(RtsHost& host, const Request& request) {
  const SessionId& id = *request.open.connection.recover;
  auto known = host.find_session(session_id(id.calling, id.common, id.additional));
  if (!known) {
    return reject_opening(request, Error(Errc::protocol, "the peer wants to recover a session that is not known here"), RefuseReason::cannot_recover);
  }
  if (known->checkpoint_size != request.open.checkpoint_size) {
    return reject_opening(request, other_checkpoint(known->checkpoint_size, request.open.checkpoint_size).error, RefuseReason::cannot_recover);
  }
  known->peer.checkpoint_size = known->checkpoint_size;
  Acceptance out = accept(request, known->peer, ConnectionData{{}, id});
  out.agreement.bound.peer_name = escape_at_most(known->peer_name, 64);
  return out;
}

std::variant<Acceptance, Refusal> judge_bind(RtsHost& host, const Request& request) {
  const auto bind = decode_bind(request.open.connection.open);
  if (!bind) return bind.error().code == Errc::auth_refused ? reject_bind(request, bind.error()) : malformed(bind.error());
  const std::string name = *bind ? (*bind)->name : std::string();
  const auto peer = host.find_peer(name);
  if (!peer) return reject_bind(request, peer.error());
  if (auto wrong = judge_names(*peer, *bind)) return reject_bind(request, std::move(*wrong));
  Acceptance out = accept(request, *peer, ConnectionData{encode_bind_result(our_names(*peer)), {}});
  out.agreement.bound.peer_name = escape_at_most(name, 64);
  out.secret = !peer->our_password.empty();
  return out;
}

}  // namespace

std::variant<Acceptance, Refusal> judge_request(RtsHost& host, const SessionConnected& connected) {
  Request request;
  if (auto refusal = read_request(connected.user_data, request)) return std::move(*refusal);
  auto judged = request.open.connection.recover ? judge_recovery(host, request) : judge_bind(host, request);
  if (auto* refusal = std::get_if<Refusal>(&judged)) {
    refusal->recovery_refused = request.open.connection.recover.has_value();
    return judged;
  }
  std::get<Acceptance>(judged).agreement.bound.session = session_id(connected.references.user, connected.references.common, connected.references.additional);
  return judged;
}

}  // namespace longline::x400
