// SPDX-License-Identifier: Apache-2.0
#include "base/json_words.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("the tag of a JSON exception is for programmers") {
    CHECK(json_words("[json.exception.type_error.302] type must be string") ==
          "type must be string");
    CHECK(json_words("[json.exception without an end") == "[json.exception without an end");
    CHECK(json_words("[x] other") == "[x] other");
    CHECK(json_words("").empty());
}
