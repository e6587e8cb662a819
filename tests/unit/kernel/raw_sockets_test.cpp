// SPDX-License-Identifier: Apache-2.0
#include "kernel/raw_sockets.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("raw sockets are read from what /proc/net/raw prints, and what is no such line is not") {
    // As x86-64 prints it: words in this machine's order.
    const auto found = parse_raw_table(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout "
        "inode ref pointer drops\n"
        " 192: 0100007F:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        "
        "0 "
        "19754440 2 000000007fc2dfaa 0\n"
        "  58: 000080FE000000000000000001000000:003A 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000 0\n"
        "   1: 00000000:0001 0100007F:0000 01 00000000:00000000 00:00000000 00000000     0        "
        "0 "
        "78 2 0000000000000000 0\n"
        "  99: XYZ:0001 00000000:0000 07 0:0 00:0 0 0 0 79\n  99: 00000000:0001\n\n");
    REQUIRE(found.size() == 2);
    CHECK(to_string(found[0].local) == "127.0.0.1");
    CHECK(found[0].local_port == 1);
    CHECK(found[0].uid == 1000);
    CHECK(found[0].inode == 19754440);
    CHECK(to_string(found[1].local) == "fe80::1");
    CHECK(found[1].local_port == 58);
    CHECK(found[1].is_ipv6_only);
    CHECK(parse_raw_table("").empty());
}
