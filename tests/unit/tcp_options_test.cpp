// SPDX-License-Identifier: Apache-2.0
// What a SYN's options say, right or wrong (bpf/lib/tcp_options.h).
#include "support/cookie_host.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

namespace sallyport::test {
namespace {

bool says_nothing(const std::vector<std::uint8_t>& options) {
    TcpOptions found = read_tcp_options(options);
    found.end = 0;
    return found == TcpOptions{};
}

} // namespace

TEST_CASE("the options of a client are read in any order") {
    const std::vector<std::uint8_t> all[] = {
        {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7},
        {1, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 3, 3, 7, 1, 4, 2, 2, 4, 5, 0xb4, 0, 9},
    };
    for (const std::vector<std::uint8_t>& options : all) {
        const TcpOptions found = read_tcp_options(options);
        CHECK(found.mss == 1460);
        CHECK(found.scale == 8);
        CHECK(found.sack);
        CHECK(found.stamped);
        CHECK(found.stamp == 0x01020304);
    }
    CHECK(read_tcp_options({3, 3, 200, 0}).scale == 15); // RFC 7323: no more than 14
    CHECK(read_tcp_options({3, 3, 0, 0}).scale == 1);
}

TEST_CASE("what is not whole, or behind the end of the list, is no option") {
    CHECK(says_nothing({}));
    CHECK(says_nothing({0, 2, 4, 5, 0xb4, 0, 0, 0}));         // behind the end
    CHECK(says_nothing({2, 3, 5, 0xb4}));                     // a wrong length
    CHECK(says_nothing({4, 1, 4, 2}));                        // shorter than itself
    CHECK(says_nothing({8, 0, 4, 2}));                        // that would never end
    CHECK(says_nothing({1, 1, 1, 2}));                        // without its length
    CHECK(says_nothing({1, 1, 8, 10}));                       // without its value
    CHECK(says_nothing({254, 255, 4, 2}));                    // longer than there is
    CHECK(read_tcp_options({254, 4, 0, 0, 4, 2, 0, 0}).sack); // unknown, and passed over
}

TEST_CASE("no bytes lead the walk out of the header") {
    std::mt19937 random(4711); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    std::uint32_t furthest = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::vector<std::uint8_t> options(4 * (random() % 11));
        for (std::uint8_t& byte : options)
            byte = static_cast<std::uint8_t>(random() % 4 ? random() % 12 : random());
        const TcpOptions found = read_tcp_options(options);
        furthest = std::max(furthest, found.end);
        if (found.end > 20 + options.size() || found.scale > 15) FAIL("it left the header");
    }
    CHECK(furthest == 60);
}

} // namespace sallyport::test
