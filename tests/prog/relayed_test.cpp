// SPDX-License-Identifier: Apache-2.0
// A relayed flow and the host's own sockets: before 6.4 no hook stands behind XDP to see
// that conntrack has forgotten the flow, and that its packets end at this host.
#include "base/fd.h"
#include "support/bench.h"
#include "support/flow_table.h"
#include "support/machine.h"

#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kPeers = "198.51.100.0/24 2001:db8:1::/64";

// A datagram socket of this host's at that port, for whoever sends.
Fd bound(Family family, std::uint16_t port) {
    enter_machine();
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    const bool four = family == Family::v4;
    Fd fd(socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto* name =
        four ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
    REQUIRE(bind(fd.get(), name, four ? sizeof(v4) : sizeof(v6)) == 0);
    return fd;
}

// The entry of a datagram from 5000 to the peer's 53, as if it had been relayed.
sp_flow relayed(Family family) {
    Bench bench{allow_out("dns", kPeers, "udp", "53")};
    REQUIRE(bench.tc(from_host(family) / udp{.sport = 5000, .dport = 53}) == passes());
    sp_flow flow = read_flows(bench.instance())[0];
    flow.direction = SP_FORWARD;
    flow.generation = SP_GENERATION_KEPT;
    return flow;
}

} // namespace

TEST_CASE("before 6.4 what belongs to a relayed flow reaches no socket that happens to be there") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const sp_flow flow = relayed(family);
    Packet answer = to_host(family) / udp{.sport = 53, .dport = 5000};
    Bench bench{allow_in("other", kPeers, "udp", "5001"), {.forward_hook = SP_FORWARD_TC_INGRESS}};
    REQUIRE(seed_flow(bench.instance(), flow));
    CHECK(bench.xdp(answer) == passes());
    {
        Fd other = bound(family, 5001);
        CHECK(bench.xdp(answer) == passes());
    }
    {
        Fd socket = bound(family, 5000);
        CHECK(bench.xdp(answer) == dropped(SP_REASON_NO_RULE));
    }
    CHECK(bench.xdp(answer) == passes());
}

TEST_CASE("before 6.4 a rule that lets a peer ask such a socket still does") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const sp_flow flow = relayed(family);
    Bench bench{allow_in("asked", kPeers, "udp", "5000"), {.forward_hook = SP_FORWARD_TC_INGRESS}};
    REQUIRE(seed_flow(bench.instance(), flow));
    Fd socket = bound(family, 5000);
    Seen seen = bench.xdp(to_host(family) / udp{.sport = 53, .dport = 5000});
    CHECK(seen == passes());
    CHECK(seen.rule == "asked");
}
