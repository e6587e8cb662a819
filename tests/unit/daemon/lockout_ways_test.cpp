// SPDX-License-Identifier: Apache-2.0
// Which guarded NICs a session comes by, over tables of interfaces.
#include "daemon/lockout_ways.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport;

namespace {

using Names = std::vector<std::string>;

Interface nic(const std::string& name, unsigned index, unsigned master = 0, unsigned lower = 0) {
    Interface made;
    made.name = name;
    made.index = index;
    made.master = master;
    made.lower = lower;
    made.is_loopback = name == "lo";
    return made;
}

std::vector<Interface> table() {
    return {nic("lo", 1),
            nic("eth0", 2, 10),
            nic("eth1", 3, 10),
            nic("eth2", 4),
            nic("br0", 10),
            nic("br0.7", 11, 0, 10),
            nic("eth2.7", 12, 0, 4),
            nic("eth2.7.8", 13, 0, 12),
            nic("bond0", 20, 10),
            nic("eth3", 21, 20),
            nic("dummy0", 30),
            nic("eth9", 40)};
}

std::vector<Interface> with_address(const std::string& owner, const std::string& address) {
    std::vector<Interface> all = table();
    const auto at = std::ranges::find(all, owner, &Interface::name);
    REQUIRE(at != all.end());
    at->addresses.push_back({parse_address(address).value(), SP_LOCAL_HOST});
    return all;
}

Policy guarding(const Names& globs) {
    Policy policy;
    policy.host.interfaces = globs;
    return policy;
}

// "eth2.7+eth2 | eth0", the ways of the one entry that there is; "" when there is none.
std::string ways(const Names& globs, const std::string& owner,
                 std::optional<unsigned> route = std::nullopt) {
    std::string told;
    for (const std::string address : {"192.0.2.1", "2001:db8::1"}) {
        const std::vector<Interface> all = with_address(owner, address);
        const std::vector<WaysIn> entries = ways_in(guarding(globs), parse_address(address).value(),
                                                    all, [route] { return route; });
        CHECK(entries.size() <= 1);
        std::string text;
        for (const WaysIn& entry : entries)
            for (const WayIn& way : entry) {
                if (!text.empty()) text += " | ";
                for (const Interface* one : way) text += (one == way[0] ? "" : "+") + one->name;
            }
        CHECK((told.empty() || told == text));
        told = text;
    }
    return told;
}

std::vector<WaysIn> bridge(const std::vector<Interface>& all) {
    return ways_in(guarding({"eth0", "eth1"}), parse_address("192.0.2.1").value(), all,
                   [] { return std::nullopt; });
}

Result<Shut> shut_by(const std::vector<WaysIn>& entries, const Names& refusing) {
    return find_shut(entries, [&](const Interface& one) -> Result<std::optional<std::string>> {
        if (std::ranges::find(refusing, one.name) == refusing.end())
            return std::optional<std::string>{};
        return std::optional<std::string>(one.name);
    });
}

} // namespace

TEST_CASE("who comes to a guarded NIC's own address comes by it alone") {
    CHECK(ways({"eth2"}, "eth2") == "eth2");
    CHECK(ways({"eth*"}, "eth2") == "eth2");
}

TEST_CASE("who comes to a VLAN comes by the NIC below, and by both when both are guarded") {
    CHECK(ways({"eth2"}, "eth2.7") == "eth2");
    CHECK(ways({"eth2"}, "eth2.7.8") == "eth2");
    CHECK(ways({"eth2*"}, "eth2.7") == "eth2.7+eth2");
    CHECK(ways({"eth2.7"}, "eth2.7") == "eth2.7");
    CHECK(ways({"eth0"}, "eth2.7", 12).empty());
}

TEST_CASE("who comes to a bridge comes by one of its guarded ports, a bond's among them") {
    CHECK(ways({"eth0"}, "br0") == "eth0");
    CHECK(ways({"eth0", "eth1"}, "br0") == "eth0 | eth1");
    CHECK(ways({"eth3"}, "br0") == "eth3");
    CHECK(ways({"eth3"}, "bond0") == "eth3");
    CHECK(ways({"eth0"}, "br0.7") == "eth0");
    CHECK(ways({"eth2"}, "br0", 10).empty());
}

TEST_CASE("a bridge that is guarded judges for its ports") {
    CHECK(ways({"br0", "eth*"}, "br0") == "br0");
    CHECK(ways({"br0", "eth*"}, "br0.7") == "br0");
}

TEST_CASE("who comes to an address of lo or of a dummy comes by the route to him") {
    const std::string owner = GENERATE("lo", "dummy0");
    CHECK(ways({"eth0", "eth2"}, owner, 4) == "eth2");
    CHECK(ways({"eth0", "eth2"}, owner, 12) == "eth2");
    CHECK(ways({"eth0", "eth2"}, owner, 10) == "eth0");
    CHECK(ways({"eth0", "eth2"}, owner, 40).empty());      // by one that is not guarded
    CHECK(ways({"eth0", "eth2"}, owner) == "eth0 | eth2"); // nobody knows
    CHECK(ways({"eth0", "eth2"}, owner, 99) == "eth0 | eth2");
    CHECK(ways({"lo", "dummy1"}, owner).empty());
}

TEST_CASE("who comes by a NIC that is left unguarded is judged by none") {
    CHECK(ways({"eth2"}, "eth9", 40).empty());
    CHECK(ways({"eth2"}, "eth9", 4) == "eth2"); // for its address, but not by it
}

TEST_CASE("links that lie on each other in a ring are not followed for ever") {
    std::vector<Interface> ring{nic("a0", 1, 0, 2), nic("a1", 2, 0, 1), nic("b0", 3, 3)};
    for (Interface& one : ring)
        one.addresses.push_back({parse_address("192.0.2.1").value(), SP_LOCAL_HOST});
    CHECK(ways_in(guarding({"eth0"}), parse_address("192.0.2.1").value(), ring, [] {
              return std::nullopt;
          }).empty());
}

TEST_CASE("a VLAN is shut by either of the NICs on its way") {
    const std::vector<Interface> all = with_address("eth2.7", "192.0.2.1");
    const std::vector<WaysIn> entries = ways_in(
        guarding({"eth2*"}), parse_address("192.0.2.1").value(), all, [] { return std::nullopt; });
    for (const std::string name : {"eth2", "eth2.7"}) {
        const Result<Shut> shut = shut_by(entries, {name});
        REQUIRE(shut);
        CHECK(shut->every == Names{name});
        CHECK(shut->some.empty());
    }
    CHECK(shut_by(entries, {"eth0"})->every.empty());
}

TEST_CASE("a bridge is shut by all of its guarded ports, and warned of by some") {
    const std::vector<Interface> all = with_address("br0", "192.0.2.1");
    const Result<Shut> one = shut_by(bridge(all), {"eth1"});
    REQUIRE(one);
    CHECK(one->every.empty());
    CHECK(one->some == Names{"eth1"});
    const Result<Shut> both = shut_by(bridge(all), {"eth0", "eth1"});
    REQUIRE(both);
    CHECK(both->every == Names{"eth0", "eth1"});
    CHECK(both->some.empty());
    const Result<Shut> none = shut_by(bridge(all), {});
    REQUIRE(none);
    CHECK((none->every.empty() && none->some.empty()));
}

TEST_CASE("a question that fails is told, not taken for an answer") {
    const std::vector<Interface> all = with_address("br0", "192.0.2.1");
    CHECK_FALSE(find_shut(bridge(all), [](const Interface&) -> Result<std::optional<std::string>> {
        return fail(ErrorKind::kernel, "no");
    }));
}
