// SPDX-License-Identifier: Apache-2.0
#include "kernel/interfaces.h"
#include "kernel/offload.h"
#include "unit/kernel/own_namespace.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using test::in_own_namespace;
using test::run_command;

TEST_CASE("who takes a frame's VLAN tag off is known, or said to be out of reach") {
    in_own_namespace([] {
        run_command("ip link add v0 type veth peer name v1");
        CHECK(vlan_tags_of("v0").value() == VlanTags::hidden);
        CHECK(vlan_tags_of("lo").value() == VlanTags::seen);
        const Result<VlanTags> missing = vlan_tags_of("v9");
        REQUIRE_FALSE(missing);
        CHECK(missing.error().kind == ErrorKind::not_found);
    });
}

TEST_CASE("an offload that cannot be switched is refused by name") {
    in_own_namespace([] {
        const Status refused = set_vlan_tags("lo", VlanTags::stripped);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::not_supported);
        CHECK(refused.error().text().find("lo") != std::string::npos);
    });
}

TEST_CASE("a port of a bridge names its master, others have none") {
    in_own_namespace([] {
        run_command("ip link add br0 type bridge");
        run_command("ip link add v0 type veth peer name v1");
        run_command("ip link set v0 master br0");
        const Result<std::vector<Interface>> all = list_interfaces();
        REQUIRE(all);
        const auto named = [&](const char* name) {
            return *std::ranges::find(*all, name, &Interface::name);
        };
        CHECK(named("v0").master == named("br0").index);
        CHECK(named("v1").master == 0);
        CHECK(named("v0").lower == 0); // its peer is no lower device
    });
}
