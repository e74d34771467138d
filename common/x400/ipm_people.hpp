// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "x400/ipm.hpp"

namespace longline::x400 {

/// The mailboxes of an address field of a message, with their display names decoded; at most 1000. Those whose address cannot go over X.400 are left out,
/// and all of a field that cannot be read.
std::vector<OrDescriptor> people_of(std::string_view stored, std::string_view field, const AddressMapping& mapping);

}  // namespace longline::x400
