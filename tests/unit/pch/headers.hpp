// SPDX-License-Identifier: MIT

// As common/base/pch/headers.hpp, for the tests.
#include <doctest/doctest.h>

#include "../../../common/base/pch/headers.hpp"
