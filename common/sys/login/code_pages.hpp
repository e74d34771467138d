// SPDX-License-Identifier: MIT
#pragma once

namespace longline::sys {

/// Unmaps the pages of program and library code that this process has touched; those that it goes on to use come back from the page
/// cache, one soft fault each. A supervisor that waits for hours keeps what waiting needs, not what dialling needed.
void give_back_code_pages();

}  // namespace longline::sys
