// SPDX-License-Identifier: Apache-2.0
// Whom an automatic ban leaves alone.
#include "daemon/auto_bans.h"
#include "daemon/spared.h"
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;

namespace {

Address address(const char* text) {
    return parse_address(text).value();
}

Prefix network(const char* text) {
    return parse_prefix(text).value();
}

SparedWorld machine() {
    return {.gateways = [] { return std::vector{address("10.1.0.254"), address("fd00:1::fe")}; },
            .resolvers = [] { return std::vector{address("10.1.0.53"), address("fd00:1::53")}; },
            .sessions = [] { return std::vector{address("10.7.0.1"), address("fd00:7::1")}; }};
}

SparedWorld nothing() {
    const auto none = [] { return std::vector<Address>(); };
    return {.gateways = none, .resolvers = none, .sessions = none};
}

std::string why(const Spared& spared, const char* text) {
    return spared.why(network(text)).value_or("");
}

const std::string kEgress = "[zones]\n"
                            "data = [\"10.0.2.0/24\", \"fd00:2::/64\"]\n"
                            "some = { zones = [\"data\"], except = [\"10.0.2.128/25\"] }\n"
                            "[[egress]]\nname = \"data\"\nto = \"some\"\nproto = \"tcp\"\n";

} // namespace

TEST_CASE("gateways, resolvers and who is logged in are spared, and networks around them") {
    const std::vector<Rule> rules;
    const Spared spared(rules, machine());
    CHECK(why(spared, "10.1.0.254") == "10.1.0.254, a gateway of this host");
    CHECK(why(spared, "fd00:1::fe") == "fd00:1::fe, a gateway of this host");
    CHECK(why(spared, "10.1.0.53") == "10.1.0.53, a resolver of this host");
    CHECK(why(spared, "fd00:7::/64") == "fd00:7::1, where root is logged in from");
    CHECK(why(spared, "10.1.0.252/30") == "10.1.0.254, a gateway of this host");
    CHECK(why(spared, "10.1.0.253").empty());
    CHECK(why(spared, "fd00:8::/64").empty());
}

TEST_CASE("what an egress rule names is spared, of both families") {
    const Policy policy = good(kEgress);
    const Spared spared(policy.rules, nothing());
    CHECK(why(spared, "10.0.2.5") == "10.0.2.0/24, which egress rule \"data\" names");
    CHECK(why(spared, "fd00:2::/64") == "fd00:2::/64, which egress rule \"data\" names");
    CHECK(why(spared, "fd00:2::5") == "fd00:2::/64, which egress rule \"data\" names");
    CHECK(why(spared, "10.0.2.128").empty());
    CHECK(why(spared, "10.0.3.5").empty());
    CHECK(why(spared, "fd00:3::/64").empty());
}

TEST_CASE("an egress rule to any spares nobody, nor does a deny rule or one of another direction") {
    for (const char* to : {"\"any\"", "[\"0.0.0.0/0\", \"::/0\"]"}) {
        const Policy policy =
            good(std::string("[[egress]]\nname = \"all\"\nto = ") + to + "\nproto = \"tcp\"\n");
        const Spared spared(policy.rules, nothing());
        CHECK(why(spared, "10.0.2.5").empty());
        CHECK(why(spared, "fd00:2::/64").empty());
    }
    const Policy policy = good("[[deny]]\nname = \"no\"\ndirection = \"egress\"\n"
                               "to = [\"10.0.2.0/24\"]\n"
                               "[[ingress]]\nname = \"in\"\nfrom = [\"10.0.3.0/24\"]\n"
                               "proto = \"tcp\"\n");
    const Spared spared(policy.rules, nothing());
    CHECK(why(spared, "10.0.2.5").empty());
    CHECK(why(spared, "10.0.3.5").empty());
}

TEST_CASE("a source is an IPv4 address, a /64, or an address behind NAT64 or of a link") {
    CHECK(to_string(source_of(address("10.0.0.1"))) == "10.0.0.1");
    CHECK(to_string(source_of(address("fd00:1:2:3:4:5:6:7"))) == "fd00:1:2:3::/64");
    CHECK(to_string(source_of(address("64:ff9b::a00:1"))) == "64:ff9b::a00:1");
    CHECK(to_string(source_of(address("fe80::1:2"))) == "fe80::1:2");
}
