// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("any is everything of both families") {
    const PeerSet any = any_peer();
    REQUIRE(any.parts.size() == 1);
    CHECK(any.parts[0].except.empty());
    CHECK(any.parts[0].interfaces.empty());
    REQUIRE(any.parts[0].networks != nullptr);
    const std::vector<Prefix>& networks = *any.parts[0].networks;
    REQUIRE(networks.size() == 2);
    CHECK(to_string(networks[0]) == "0.0.0.0/0");
    CHECK(to_string(networks[1]) == "::/0");
}

TEST_CASE("globs match names as a shell would, without special characters of paths") {
    CHECK(glob_matches("eth0", "eth0"));
    CHECK_FALSE(glob_matches("eth0", "eth00"));
    CHECK(glob_matches("en*", "en"));
    CHECK(glob_matches("en*", "enp3s0"));
    CHECK_FALSE(glob_matches("en*", "wlan0"));
    CHECK(glob_matches("eth?", "eth7"));
    CHECK_FALSE(glob_matches("eth?", "eth"));
    CHECK(glob_matches("eth[0-3]", "eth3"));
    CHECK_FALSE(glob_matches("eth[0-3]", "eth4"));
    CHECK(glob_matches("eth[!0]", "eth1"));
    CHECK(glob_matches("*", ".hidden"));
    CHECK(glob_matches("*", "eth0.100"));
    CHECK_FALSE(glob_matches("", "eth0"));
}

TEST_CASE("directions have their names") {
    CHECK(std::string(to_string(Direction::ingress)) == "ingress");
    CHECK(std::string(to_string(Direction::egress)) == "egress");
    CHECK(std::string(to_string(Direction::forward)) == "forward");
}
