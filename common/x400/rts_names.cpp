// SPDX-License-Identifier: MIT
#include "x400/rts_names.hpp"

#include "base/text.hpp"
#include "x400/acse.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

std::string_view dialogue(bool two_way) { return two_way ? "two-way alternate" : "monologue"; }

Refusal make(Errc code, std::string what, Stage stage = Stage::connect, bool recovery_refused = false) {
  return Refusal{Error(code, std::move(what), stage), recovery_refused};
}

std::string shown(std::string_view name) { return '"' + escape_at_most(name, 64) + '"'; }

}  // namespace

MtsBind our_names(const RtsPeer& peer) {
  if (peer.our_name.empty() && peer.our_password.empty()) return {};
  return MtsNames{peer.our_name, peer.our_password};
}

std::optional<Error> judge_names(const RtsPeer& peer, const MtsBind& bind) {
  if (!bind) {
    if (peer.peer_name.empty() && peer.peer_password.empty()) return std::nullopt;
    return Error(Errc::auth_refused, "the peer gives no name in its bind; expected " + shown(peer.peer_name), Stage::auth);
  }
  if (!peer.peer_name.empty() && !iequals(bind->name, peer.peer_name)) {
    return Error(Errc::auth_refused, "the peer calls itself " + shown(bind->name) + "; expected " + shown(peer.peer_name), Stage::auth)
        .with_hint("peer-mta-name must be the name that the peer's MTA has");
  }
  if (!same_secret(bind->password.reveal(), peer.peer_password.reveal())) {
    const std::string_view which = bind->password.empty() ? "no password; one was expected"
                                   : peer.peer_password.empty() ? "a password; none was expected" : "a wrong password";
    return Error(Errc::auth_refused, "the peer " + shown(bind->name) + " gives " + std::string(which), Stage::auth)
        .with_hint("peer-password-file must hold the password that the peer sends");
  }
  return std::nullopt;
}

std::string wrong_application(std::string_view context_name) {
  std::string which = "the application context is " + escape_at_most(context_name, 64);
  if (context_name == kMtsTransferProtocol) which += " (1988 in X.410 mode)";
  if (context_name == kMtsTransferProtocol1984) which += " (1984)";
  return which + "; expected " + std::string(kMtsTransferContext) + " (1988 message transfer)";
}

Refusal refused_bind(const RtsPeer& peer, std::int64_t error, bool two_way) {
  switch (error) {
    case 0: return make(Errc::busy, "the peer is busy: it takes no further association now");
    case 2: {
      Refusal refusal = make(Errc::auth_refused, "the peer does not know our name " + shown(peer.our_name) + ", or not with this password", Stage::auth);
      refusal.error.hint = "mta-name and mta-password-file must be what the peer expects";
      return refusal;
    }
    case 3: return make(Errc::protocol, "the peer does not take the dialogue mode " + std::string(dialogue(two_way)));
    case 4: return make(Errc::auth_refused, "the peer wants another security context", Stage::auth);
    default: return make(Errc::protocol, "the peer refused the bind with error " + std::to_string(error));
  }
}

Refusal refused_opening(std::optional<std::int64_t> reason, bool two_way, bool recovering) {
  if (reason == std::int64_t(RefuseReason::busy)) return make(Errc::busy, "the peer is busy: it takes no further association now");
  if (recovering) return make(Errc::protocol, "the peer can no longer recover the session that was cut", Stage::connect, true);
  if (!reason) return make(Errc::protocol, "the peer refused reliable transfer and gave no reason");
  switch (static_cast<RefuseReason>(*reason)) {
    case RefuseReason::cannot_recover: return make(Errc::protocol, "the peer speaks of a recovery that was not asked for");
    case RefuseReason::validation_failure: return make(Errc::auth_refused, "the peer refused our bind: validation failed", Stage::auth);
    case RefuseReason::unacceptable_dialogue_mode:
      return make(Errc::protocol, "the peer does not take the dialogue mode " + std::string(dialogue(two_way)));
    default: return make(Errc::protocol, "the peer refused reliable transfer with reason " + std::to_string(*reason));
  }
}

Refusal other_checkpoint(std::uint32_t expected, std::uint32_t got) {
  return make(Errc::protocol, "a session with a checkpoint size of " + std::to_string(expected) + " K cannot be recovered with " + std::to_string(got) + " K",
              Stage::connect, true);
}

}  // namespace longline::x400
