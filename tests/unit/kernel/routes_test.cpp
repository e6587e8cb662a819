// SPDX-License-Identifier: Apache-2.0
#include "kernel/routes.h"
#include "unit/kernel/own_namespace.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using test::in_own_namespace;
using test::run_command;

namespace {

std::string gateways() {
    const Result<std::vector<Address>> found = default_gateways();
    REQUIRE(found);
    std::string text;
    for (const Address& address : *found) text += (text.empty() ? "" : " ") + to_string(address);
    return text;
}

void link_up() {
    run_command(
        "ip link add d0 type veth peer name d1 && ip link set d1 up && ip link set d0 up && "
        "ip addr add 10.1.0.1/24 dev d0 && ip addr add fd00:1::1/64 dev d0 nodad");
}

} // namespace

TEST_CASE("a host without routes has no gateway, nor one whose routes lead elsewhere") {
    in_own_namespace([] {
        CHECK(gateways().empty());
        link_up();
        run_command("ip route add 10.9.0.0/16 via 10.1.0.9 && ip route add default dev d0");
        CHECK(gateways().empty());
    });
}

TEST_CASE("gateways are the next hops of the default routes of both families") {
    in_own_namespace([] {
        link_up();
        run_command("ip route add default via 10.1.0.254 && "
                    "ip route add default via 10.1.0.253 metric 9 table 77 && "
                    "ip -6 route add default via fd00:1::fe");
        CHECK(gateways() == "10.1.0.253 10.1.0.254 fd00:1::fe");
        run_command("ip route change default via 10.1.0.252");
        CHECK(gateways() == "10.1.0.252 10.1.0.253 fd00:1::fe");
    });
}

TEST_CASE("every path of a route of several counts, the other family's too, and both halves") {
    in_own_namespace([] {
        link_up();
        run_command("ip route add default nexthop via 10.1.0.7 nexthop via inet6 fd00:1::7 && "
                    "ip route add 128.0.0.0/1 via 10.1.0.8 && "
                    "ip -6 route add default nexthop via fd00:1::8 nexthop via fd00:1::9");
        CHECK(gateways() == "10.1.0.7 10.1.0.8 fd00:1::7 fd00:1::8 fd00:1::9");
    });
}
