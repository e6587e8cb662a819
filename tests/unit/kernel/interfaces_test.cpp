// SPDX-License-Identifier: Apache-2.0
#include "kernel/interfaces.h"
#include "unit/kernel/own_namespace.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <linux/if_arp.h>
#include <sys/socket.h>

using namespace sallyport;
using test::in_own_namespace;
using test::run_command;

namespace {

Address address(const char* text) {
    return parse_address(text).value();
}

Interface named(const std::string& name) {
    const Result<std::vector<Interface>> all = list_interfaces();
    REQUIRE(all);
    const auto found = std::ranges::find(*all, name, &Interface::name);
    REQUIRE(found != all->end());
    return *found;
}

unsigned count(const Interface& interface, const char* text, std::uint32_t kind) {
    return static_cast<unsigned>(
        std::ranges::count(interface.addresses, InterfaceAddress{address(text), kind}));
}

} // namespace

TEST_CASE("a device's type says what its packets begin with") {
    CHECK(link_type_of(ARPHRD_ETHER) == SP_LINK_ETHERNET);
    for (const int bare : {ARPHRD_NONE, ARPHRD_RAWIP, ARPHRD_PPP, ARPHRD_TUNNEL, ARPHRD_TUNNEL6,
                           ARPHRD_SIT, ARPHRD_IPGRE, ARPHRD_IP6GRE}) {
        INFO(bare);
        CHECK(link_type_of(static_cast<unsigned>(bare)) == SP_LINK_IP);
    }
    for (const int other : {ARPHRD_LOOPBACK, ARPHRD_INFINIBAND, ARPHRD_IEEE80211, ARPHRD_VOID}) {
        INFO(other);
        CHECK(link_type_of(static_cast<unsigned>(other)) == SP_LINK_NONE);
    }
}

TEST_CASE("a fresh namespace has loopback alone, without addresses") {
    in_own_namespace([] {
        const Result<std::vector<Interface>> all = list_interfaces();
        REQUIRE(all);
        // Modules for tunnels put a device of their own into every namespace.
        const auto loopback = std::ranges::find(*all, "lo", &Interface::name);
        REQUIRE(loopback != all->end());
        CHECK(loopback->is_loopback);
        CHECK(loopback->index == 1);
        CHECK(loopback->mtu == 65536);
        CHECK(loopback->link == SP_LINK_NONE);
        CHECK(loopback->addresses.empty());
    });
}

TEST_CASE("interfaces come with index, MTU, MAC and the addresses of both families") {
    in_own_namespace([] {
        run_command("ip link add sp0 mtu 1400 address 02:00:00:00:00:07 type veth peer name sp1");
        run_command("ip addr add 10.9.0.5/24 brd 10.9.0.255 dev sp0");
        run_command("ip addr add fd09::5/64 dev sp0 nodad");
        run_command("ip link set lo up");
        const Interface interface = named("sp0");
        CHECK(interface.index > 1);
        CHECK(interface.mtu == 1400);
        CHECK(interface.mac == std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 7});
        CHECK(interface.link == SP_LINK_ETHERNET);
        CHECK_FALSE(interface.is_loopback);
        CHECK(interface.addresses.size() == 3);
        CHECK(count(interface, "10.9.0.5", SP_LOCAL_HOST) == 1);
        CHECK(count(interface, "10.9.0.255", SP_LOCAL_BROADCAST) == 1);
        CHECK(count(interface, "fd09::5", SP_LOCAL_HOST) == 1);
        CHECK(named("sp1").addresses.empty());
        CHECK(count(named("lo"), "127.0.0.1", SP_LOCAL_HOST) == 1);
        CHECK(count(named("lo"), "::1", SP_LOCAL_HOST) == 1);
    });
}

TEST_CASE("a subnet's highest address is a broadcast one without being named") {
    in_own_namespace([] {
        run_command("ip link add sp0 type veth peer name sp1");
        run_command("ip addr add 10.9.4.5/22 dev sp0");
        run_command("ip addr add 10.8.0.0/31 dev sp0");
        run_command("ip addr add 10.7.0.1/32 dev sp0");
        run_command("ip addr add 10.6.0.1/30 brd 10.6.0.2 dev sp0"); // odd, but said
        const Interface interface = named("sp0");
        CHECK(count(interface, "10.9.7.255", SP_LOCAL_BROADCAST) == 1);
        CHECK(count(interface, "10.9.4.0", SP_LOCAL_BROADCAST) == 0);
        CHECK(count(interface, "10.8.0.1", SP_LOCAL_BROADCAST) == 0); // the other end of a /31
        CHECK(count(interface, "10.7.0.1", SP_LOCAL_BROADCAST) == 0);
        CHECK(count(interface, "10.6.0.2", SP_LOCAL_BROADCAST) == 1);
        CHECK(count(interface, "10.6.0.3", SP_LOCAL_BROADCAST) == 1);
    });
}

TEST_CASE("the far end of a point-to-point link is no address of ours") {
    in_own_namespace([] {
        run_command("ip link add sp0 type veth peer name sp1");
        run_command("ip addr add 10.9.0.1 peer 10.9.0.2 dev sp0");
        run_command("ip addr add fd09::1 peer fd09::2 dev sp0 nodad");
        const Interface interface = named("sp0");
        CHECK(count(interface, "10.9.0.1", SP_LOCAL_HOST) == 1);
        CHECK(count(interface, "10.9.0.2", SP_LOCAL_HOST) == 0);
        CHECK(count(interface, "fd09::1", SP_LOCAL_HOST) == 1);
        CHECK(count(interface, "fd09::2", SP_LOCAL_HOST) == 0);
    });
}

TEST_CASE("the watch tells of a change once, and of nothing when nothing changed") {
    in_own_namespace([] {
        Result<InterfaceWatch> watch = InterfaceWatch::open();
        REQUIRE(watch);
        CHECK(watch->drain().value() == false);
        for (const char* change :
             {"ip addr add 10.9.0.1/32 dev lo", "ip -6 addr add fd09::1/128 dev lo",
              "ip link set lo mtu 60000", "ip addr del 10.9.0.1/32 dev lo"}) {
            run_command(change);
            INFO(change);
            CHECK(watch->drain().value() == true);
            CHECK(watch->drain().value() == false);
        }
    });
}

TEST_CASE("a change that the kernel had no room to tell is a change") {
    in_own_namespace([] {
        Result<InterfaceWatch> watch = InterfaceWatch::open();
        REQUIRE(watch);
        const int least = 1;
        REQUIRE(setsockopt(watch->fd(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least) == 0);
        run_command(
            "for n in $(seq 100); do echo addr add 10.9.0.$n/32 dev lo; done | ip -batch -");
        CHECK(watch->drain().value() == true);
        CHECK(watch->drain().value() == false);
        run_command("ip addr del 10.9.0.1/32 dev lo"); // it goes on telling
        CHECK(watch->drain().value() == true);
    });
}

TEST_CASE("a change in another namespace is none in ours") {
    in_own_namespace([] {
        Result<InterfaceWatch> watch = InterfaceWatch::open();
        REQUIRE(watch);
        in_own_namespace([] { run_command("ip addr add 10.9.0.1/32 dev lo"); });
        CHECK(watch->drain().value() == false);
    });
}
