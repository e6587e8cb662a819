// SPDX-License-Identifier: Apache-2.0
// When a private zone is warned about: it must be private, allowed, everywhere,
// and a guarded NIC public.
#include "daemon/forged_sources.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>

namespace sallyport {
namespace {

Prefix prefix(const char* text) {
    const Result<Prefix> parsed = parse_prefix(text);
    REQUIRE(parsed);
    return *parsed;
}

Policy policy_from(const char* network) {
    PeerPart part;
    part.networks =
        std::make_shared<const std::vector<Prefix>>(std::vector<Prefix>{prefix(network)});
    Rule rule;
    rule.name = "ssh";
    rule.from.parts.push_back(part);
    rule.line = 7;
    Policy policy;
    policy.host.interfaces = {"eth*"};
    policy.rules.push_back(rule);
    return policy;
}

std::vector<Interface> one_nic(const char* name, const char* address) {
    Interface nic;
    nic.name = name;
    nic.addresses.push_back({.address = prefix(address).base, .kind = SP_LOCAL_HOST});
    return {nic};
}

std::size_t warnings(const Policy& policy, const std::vector<Interface>& nics) {
    return advise_forged_sources(policy, "policy.toml", nics).size();
}

} // namespace

TEST_CASE("a private zone on a host with a public NIC is warned about, at its rule") {
    for (const char* network : {"10.0.0.0/24", "fd00::/8", "192.168.1.7", "100.64.0.0/10"}) {
        const auto found = advise_forged_sources(policy_from(network), "policy.toml",
                                                 one_nic("eth0", "203.0.113.5"));
        REQUIRE(found.size() == 1);
        CHECK(found[0].line == 7);
        CHECK(found[0].message.find("eth0") != std::string::npos);
    }
    CHECK(warnings(policy_from("10.0.0.0/24"), one_nic("eth0", "2001:db8::1")) == 1);
}

TEST_CASE("no public address on a guarded NIC, no warning") {
    CHECK(warnings(policy_from("10.0.0.0/24"), one_nic("eth0", "10.0.0.1")) == 0);
    CHECK(warnings(policy_from("10.0.0.0/24"), one_nic("eth0", "fe80::1")) == 0);
    CHECK(warnings(policy_from("10.0.0.0/24"), one_nic("wan0", "203.0.113.5")) == 0);
    CHECK(warnings(policy_from("10.0.0.0/24"), {}) == 0);
}

TEST_CASE(
    "a public or mixed zone, a deny rule and one bound to an interface are not warned about") {
    const auto nics = one_nic("eth0", "203.0.113.5");
    CHECK(warnings(policy_from("198.51.100.0/24"), nics) == 0);
    CHECK(warnings(policy_from("10.0.0.0/7"), nics) == 0); // one bit wider than what is private
    Policy bound = policy_from("10.0.0.0/24");
    bound.rules[0].interfaces = {"eth1"};
    CHECK(warnings(bound, nics) == 0);
    Policy zone = policy_from("10.0.0.0/24");
    zone.rules[0].from.parts[0].interfaces = {"eth1"};
    CHECK(warnings(zone, nics) == 0);
    Policy deny = policy_from("10.0.0.0/24");
    deny.rules[0].deny = true;
    CHECK(warnings(deny, nics) == 0);
}

} // namespace sallyport
