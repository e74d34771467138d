// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sys/spool/spool_transfers.hpp"
#include "x400/rts_types.hpp"

namespace longline::sys {

/// The spool's names of sessions and transfers, and the machine's. What is read back from one is the other again.
std::string stored_session(const x400::SessionId& id);
x400::SessionId session_id(const std::string& stored);
TransferName stored_name(const x400::TransferKey& key);
x400::TransferKey transfer_key(const TransferName& name);

}  // namespace longline::sys
