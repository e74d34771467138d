// SPDX-License-Identifier: MIT
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.hpp"

namespace longline {

/// A value, or the Error that explains why there is none. The whole project's error model: nothing throws across a
/// function boundary, constructors do not fail, a static open() or create() returns a Result.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
  Result(tl::expected<T, Error> other) : tl::expected<T, Error>(std::move(other)) {}
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
  Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
  Result(tl::expected<void, Error> other) : tl::expected<void, Error>(std::move(other)) {}
};

}  // namespace longline

#define LONGLINE_JOIN_(a, b) a##b
#define LONGLINE_JOIN(a, b) LONGLINE_JOIN_(a, b)

/// LONGLINE_TRY(auto file, open(path)); — declares, or returns the error to the caller.
#define LONGLINE_TRY(declaration, expression) LONGLINE_TRY_(declaration, expression, LONGLINE_JOIN(try_, __LINE__))
#define LONGLINE_TRY_(declaration, expression, temporary)         \
  auto temporary = (expression);                                  \
  if (!temporary) return std::move(temporary).error();            \
  declaration = std::move(*temporary)

/// LONGLINE_CHECK(close(file)); — for a Result<void>, or a value that nobody wants.
#define LONGLINE_CHECK(expression)                                                 \
  if (auto LONGLINE_JOIN(check_, __LINE__) = (expression); !LONGLINE_JOIN(check_, __LINE__)) \
  return std::move(LONGLINE_JOIN(check_, __LINE__)).error()
