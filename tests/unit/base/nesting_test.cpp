// SPDX-License-Identifier: Apache-2.0
#include "base/nesting.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace sallyport;

TEST_CASE("brackets that are open at once are counted, those in strings are not") {
    CHECK_FALSE(nests_beyond("", 0));
    CHECK_FALSE(nests_beyond("{\"a\":[1]}", 2));
    CHECK(nests_beyond("{\"a\":[1]}", 1));
    CHECK_FALSE(nests_beyond("[][][]{}", 1));
    CHECK_FALSE(nests_beyond(R"(["[[[[","\"[[["])", 1));
    CHECK(nests_beyond(std::string(65, '['), 64));
    CHECK_FALSE(nests_beyond("]]]]}}}}", 0));
    CHECK_FALSE(nests_beyond("\"\\", 0));
}
