// SPDX-License-Identifier: MIT
#pragma once

namespace longline {

/// A visitor of a variant, of one lambda an alternative.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace longline
