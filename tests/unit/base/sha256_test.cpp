// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <catch2/catch_test_macros.hpp>

using sallyport::sha256_hex;

// FIPS 180-2, appendix B, and the empty message.
TEST_CASE("known messages have their known digests") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex(std::string(1000000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("one bit changes the digest, and a zero byte counts") {
    CHECK(sha256_hex("abc") != sha256_hex("abb"));
    CHECK(sha256_hex("abc") != sha256_hex(std::string_view("abc\0", 4)));
}
