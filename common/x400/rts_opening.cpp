// SPDX-License-Identifier: MIT
#include "x400/rts_opening.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "x400/acse.hpp"
#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"
#include "x400/mts_bind.hpp"
#include "x400/presentation.hpp"
#include "x400/rts_names.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

std::string shortest(std::string_view value) {
  const auto element = BerReader::only(value);
  if (!element) return std::string(value);
  const auto content = element->octets();
  if (!content) return std::string(value);
  BerWriter out;
  out.primitive(element->tag, *content);
  return out.take();
}

/// The value of the ACSE context among a PPDU's user data; the first one where `acse` is nullopt.
Result<AcseApdu> association_control(const std::vector<Pdv>& values, std::int64_t acse) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Pdv& one) { return one.context == acse; });
  if (found == values.end()) return Error(Errc::protocol, "the peer's presentation data hold no association control");
  return decode_acse(found->value);
}

Error in_opening(Error error) {
  if (error.code == Errc::malformed) error.code = Errc::protocol;
  return std::move(error).context("the peer's answer to the bind").in_stage(Stage::connect);
}

Error no_x410() {
  return Error(Errc::protocol, "the peer answers in X.410 mode (1984); normal mode (1988) was asked for", Stage::connect)
      .with_hint("set the peer's connector to 1988 normal mode");
}

Refusal refused(Errc code, std::string what, bool recovery = false) {
  return Refusal{Error(code, std::move(what), code == Errc::auth_refused ? Stage::auth : Stage::connect), recovery};
}

/// Which of our contexts the peer does not take; "" when it takes all.
std::string rejected_context(const std::vector<ContextResult>& results) {
  for (std::size_t i = 0; i < results.size() && i < kContextNames.size(); ++i) {
    if (results[i].result != 0) return "the peer does not take the presentation context of " + std::string(kContextNames[i]);
  }
  return {};
}

/// The answer of an AARE that accepts nothing, or of an RTORJ without one.
Refusal judge_rejection(const RtsOptions& options, const AssociateResponse& response) {
  const bool recovery = options.recover.has_value();
  if (!response.data) {
    const std::string why(diagnostic_text(response.by_provider, response.diagnostic));
    if (response.result == 2 && !recovery) return refused(Errc::busy, "the peer refused the association for now: " + why);
    return refused(Errc::protocol, "the peer refused the association: " + why, recovery);
  }
  const auto reject = decode_open_refuse(response.data->value);
  if (!reject) return {in_opening(reject.error())};
  if (!reject->user_data.empty()) {
    const auto error = decode_bind_error(reject->user_data);
    if (!error) return {in_opening(error.error())};
    return refused_bind(options.peer, *error, options.two_way);
  }
  return refused_opening(reject->reason, options.two_way, recovery);
}

/// Sizes of an accepting answer: no larger than what we asked for.
void agree(Bound& bound, std::uint32_t checkpoint_size, std::uint32_t window, const TransferAccept& accept) {
  bound.checkpoint_size = std::min(checkpoint_size, accept.checkpoint_size);
  bound.window = std::clamp(std::min(window, accept.window), 1u, 64u);
}

std::variant<Agreement, Refusal> judge_transfer_accept(const RtsOptions& options, const TransferAccept& accept) {
  Agreement agreement;
  Bound& bound = agreement.bound;
  bound.two_way = options.two_way;
  bound.recovered = options.recover.has_value();
  if (options.recover) {
    if (accept.connection.recover && session_id(accept.connection.recover->calling, accept.connection.recover->common, accept.connection.recover->additional) !=
                                         session_id(options.recover->id.calling, options.recover->id.common, options.recover->id.additional)) {
      return refused(Errc::protocol, "the peer recovers another session than was asked for", true);
    }
    agree(bound, options.recover->checkpoint_size, options.recover->window, accept);
    if (bound.checkpoint_size != options.recover->checkpoint_size) return other_checkpoint(options.recover->checkpoint_size, accept.checkpoint_size);
    bound.peer_name = escape(options.peer.peer_name);
    return agreement;
  }
  agree(bound, options.peer.checkpoint_size, options.peer.window, accept);
  if (accept.connection.recover) return refused(Errc::protocol, "the peer recovers a session where a new one was asked for");
  const auto bind = decode_bind(accept.connection.open);
  if (!bind) return Refusal{in_opening(bind.error())};
  if (auto wrong = judge_names(options.peer, *bind)) return Refusal{std::move(*wrong)};
  if (*bind) bound.peer_name = escape_at_most((*bind)->name, 64);
  return agreement;
}

}  // namespace

SessionId session_id(std::string_view calling, std::string_view common, std::string_view additional) {
  return SessionId{shortest(calling), shortest(common), additional.empty() ? std::string() : shortest(additional)};
}

ConnectRequest connect_request(const RtsOptions& options) {
  ConnectRequest request;
  BerWriter calling;
  calling.octets(options.reference);
  BerWriter common;
  common.utc_time(options.started);
  request.references.user = calling.take();
  request.references.common = common.take();
  request.turn = !options.recover || options.recover->turn || !options.two_way;

  TransferOpen open;
  open.dialogue_mode = options.two_way ? 1 : 0;
  if (options.recover) {
    open.checkpoint_size = options.recover->checkpoint_size;
    open.window = options.recover->window;
    open.connection.recover = options.recover->id;
  } else {
    open.checkpoint_size = options.peer.checkpoint_size;
    open.window = options.peer.window;
    open.connection.open = encode_bind_argument(our_names(options.peer));
    request.secret = !options.peer.our_password.empty();
  }
  ConnectPpdu connect;
  const std::vector<std::string> ber{std::string(kBerSyntax)};
  connect.contexts = {{1, std::string(kAcseSyntax), ber}, {3, std::string(kRtseSyntax), ber}, {5, std::string(kMtseSyntax), ber}};
  connect.user_data = {{1, encode_acse(AssociateRequest{std::string(kMtsTransferContext), AssociationData{3, encode_open(open)}})}};
  request.user_data = encode_connect(connect);
  return request;
}

std::variant<Agreement, Refusal> judge_accept(const RtsOptions& options, std::string_view user_data) {
  const auto accept = decode_accept(user_data);
  if (!accept) return Refusal{in_opening(accept.error())};
  if (!accept->normal_mode) return Refusal{no_x410()};
  if (const auto rejected = rejected_context(accept->results); !rejected.empty()) return refused(Errc::protocol, rejected);
  const auto apdu = association_control(accept->user_data, Contexts{}.acse);
  if (!apdu) return Refusal{in_opening(apdu.error())};
  const auto* response = std::get_if<AssociateResponse>(&*apdu);
  if (!response) return refused(Errc::protocol, "the peer accepts the session without an association");
  if (response->result != 0) return judge_rejection(options, *response);
  if (response->context_name != kMtsTransferContext) return refused(Errc::protocol, wrong_application(response->context_name));
  if (!response->data) return refused(Errc::protocol, "the peer accepts the association without reliable transfer");
  const auto transfer = decode_open_accept(response->data->value);
  if (!transfer) return Refusal{in_opening(transfer.error())};
  return judge_transfer_accept(options, *transfer);
}

Refusal judge_refusal(const RtsOptions& options, const SessionFinished& end) {
  if (end.user_data.empty()) {
    return Refusal{end.error ? *end.error : Error(Errc::protocol, "the peer refused the session", Stage::connect)};
  }
  const auto refuse = decode_refuse(end.user_data);
  if (!refuse) return Refusal{in_opening(refuse.error())};
  if (!refuse->normal_mode) {
    Refusal refusal = refused_opening(refuse->x410_reason, options.two_way, options.recover.has_value());
    refusal.error.what += " (in X.410 mode; normal mode was asked for)";
    return refusal;
  }
  if (refuse->user_data.empty()) {
    if (const auto rejected = rejected_context(refuse->results); !rejected.empty()) return refused(Errc::protocol, rejected);
    const std::int64_t reason = refuse->provider_reason.value_or(0);
    return refused(reason == 1 || reason == 2 || reason == 7 ? Errc::busy : Errc::protocol,
                   "the peer's presentation refused: " + std::string(provider_reason_text(reason)));
  }
  const auto apdu = association_control(refuse->user_data, Contexts{}.acse);
  if (!apdu) return Refusal{in_opening(apdu.error())};
  const auto* response = std::get_if<AssociateResponse>(&*apdu);
  if (!response) return refused(Errc::protocol, "the peer refused the association");
  return judge_rejection(options, *response);
}

}  // namespace longline::x400
