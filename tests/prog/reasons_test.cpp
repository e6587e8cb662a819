// SPDX-License-Identifier: Apache-2.0
// Every reason of the list is one that some packet gets: a reason that nothing
// produces is either dead or a hole that nobody looked into.
#include "kernel/bans.h"
#include "support/bench.h"
#include "support/fragment_table.h"
#include "support/icmp_message.h"
#include "support/machine.h"
#include "support/peer_table.h"
#include "support/sockets.h"

#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>
#include <string>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kPolicy = allow_in("ssh", "any", "tcp", "22") +
                            deny_in("no telnet", "any", "tcp", "23") +
                            allow_out("web", "any", "tcp", "443") + essentials("arp = false");

void note(std::set<sp_reason>& seen, const Seen& result) {
    CHECK_FALSE(result.passed);
    CHECK(result.disagreements.empty());
    seen.insert(result.reason);
}

void headers(std::set<sp_reason>& seen) {
    Bench bench{kPolicy};
    note(seen, bench.xdp(eth{} / ipv4{.total_length = 1000} / tcp{}));
    note(seen, bench.xdp(eth{} / ipv4{.ihl = std::uint8_t{2}} / tcp{}));
    note(seen, bench.xdp(eth{.type = std::uint16_t{0x88cc}} / filler(46)));
    note(seen, bench.xdp(eth{} / vlan{} / vlan{} / vlan{} / ipv4{} / tcp{}));
    note(seen, bench.xdp(eth{.dst = kOtherMac} / ipv4{} / tcp{}));
    note(seen, bench.xdp(eth{} / arp{}));
    note(seen, bench.xdp(eth{} / ipv4{.options = {7, 4, 0, 0}} / tcp{}));
    note(seen, bench.xdp(eth{} / ipv6{} / hop_by_hop{} / hop_by_hop{} / tcp{}));
    note(seen, bench.xdp(eth{} / ipv4{.mf = true} / udp{}));
    note(seen, bench.xdp(eth{} / ipv4{.src = "127.0.0.1"} / tcp{}));
    note(seen, bench.xdp(eth{.dst = kBroadcastMac} / ipv4{} / udp{}));
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{.flags = SYN | FIN}));
    note(seen, bench.xdp(eth{} / ipv6{.hop_limit = 64} / neighbour_advertisement()));
    note(seen, bench.xdp(eth{} / ipv4{} / redirect4()));
    note(seen, bench.xdp(eth{} / ipv4{.options = {131, 3, 4, 0}} / tcp{}));
    note(seen, bench.xdp(eth{} / ipv4{} / icmp{.type = 4}));
}

void policy(std::set<sp_reason>& seen) {
    Bench bench{kPolicy};
    note(seen, bench.xdp(eth{} / ipv4{} / unreachable(Family::v4, udp{})));
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{.flags = ACK}));
    note(seen, bench.xdp(eth{} / ipv4{} / udp{}));
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{.dport = 23}));
    note(seen, bench.tc(eth{} / ipv4{.src = kHost4, .dst = "169.254.169.254"} / tcp{.dport = 80}));
    CHECK(bench.tc(from_host(Family::v4) / tcp{.dport = 443}) == passes());
    bench.reload("");
    note(seen,
         bench.xdp(to_host(Family::v4) / tcp{.sport = 443, .dport = kClientPort, .flags = ACK}));
    bench.set_control(0);
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{}));
}

void fragments(std::set<sp_reason>& seen) {
    Bench bench{allow_in("dns", "any", "udp", "53-54") + essentials("fragments = \"track\"")};
    const Datagram one = datagram(Family::v4, udp{.dport = 53}, 80);
    const Datagram other = datagram(Family::v4, udp{.dport = 54}, 80);
    note(seen, bench.xdp(one.piece(16, 16, true)));
    note(seen, bench.xdp(one.piece(0, 0, true)));
    CHECK(bench.xdp(one.piece(0, 16, true)) == passes());
    note(seen, bench.xdp(one.piece(0, 16, true)));
    note(seen, bench.xdp(other.piece(0, 16, true)));
    fill_fragments(bench.instance());
    note(seen, bench.xdp(one.piece(0, 16, true)));
}

void limits(std::set<sp_reason>& seen) {
    Bench bench{allow_in("api", "any", "tcp", "80") + "limit = \"1/hour\"\n"};
    CHECK(bench.xdp(eth{} / ipv4{} / tcp{.dport = 80}) == passes());
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{.dport = 80}));
}

void connections(std::set<sp_reason>& seen) {
    Bench bench{allow_in("api", "any", "tcp", "7102") + "max-connections = 1\n"};
    both_ends_here();
    forget_peers(bench.instance());
    note(seen, bench.xdp(to_host(Family::v4) / tcp{.dport = 7102})); // nobody listens
    const Socket service = listener(kHost4, 7102);
    fill_peers(bench.instance());
    note(seen, bench.xdp(to_host(Family::v4) / tcp{.dport = 7102}));
    forget_peers(bench.instance());
}

void cookies(std::set<sp_reason>& seen) {
    both_ends_here();
    const Socket service = listener(kHost4, 7101);
    std::ofstream("/proc/sys/net/ipv4/tcp_syncookies") << 2;
    Bench bench{allow_in("api", "any", "tcp", "7101") +
                "limit = \"9/hour\"\nlimit-total = \"1/hour\"\n"};
    CHECK(bench.xdp(to_host(Family::v4) / tcp{.dport = 7101}) == passes());
    const Packet second = to_host(Family::v4) / tcp{.dport = 7101};
    CHECK(
        run_xdp(bench.programs().fd(sallyport::Program::xdp), second.bytes(), ifindex_of("eth0")));
    note(seen, bench.xdp(to_host(Family::v4) / tcp{.dport = 7101, .flags = ACK}));
    std::ofstream("/proc/sys/net/ipv4/tcp_syncookies") << 1;
}

void tables(std::set<sp_reason>& seen) {
    Bench full{kPolicy, BenchOptions{.flow_sets = 0, .flow_max = 0}};
    note(seen, full.tc(from_host(Family::v4) / tcp{.dport = 443}));
    Bench broken{kPolicy};
    const std::uint32_t slot = broken.slot();
    REQUIRE(bpf_map_delete_elem(broken.maps().cells, &slot) == 0);
    note(seen, broken.xdp(eth{} / ipv4{} / tcp{}));
}

void bans(std::set<sp_reason>& seen) {
    Bench bench{kPolicy};
    BanTable table;
    BanBits bits;
    table.ban(Prefix{.base = parse_address("198.51.100.7").value_or(Address{}), .length = 128},
              kForEver);
    REQUIRE(write_bans(bench.maps(), table.take_changes(), bits, 1));
    note(seen, bench.xdp(eth{} / ipv4{} / tcp{}));
    table = BanTable();
    REQUIRE(take_over_bans(bench.maps(), table.take_changes(), bits, 1));
}

// A process is refused these, no packet; tests/vm/packet-sockets shows them where the kernel
// takes BPF LSM programs, which cannot be test-run. Nor is there a device to arrive on when a
// netfilter program is: tests/e2e topology, Held.
const std::set<sp_reason> kOfNoPacket = {SP_REASON_PACKET_SOCKET, SP_REASON_NOT_GUARDED};

} // namespace

TEST_CASE("every reason of the list is produced by some packet") {
    std::set<sp_reason> seen;
    headers(seen);
    policy(seen);
    tables(seen);
    fragments(seen);
    limits(seen);
    connections(seen);
    cookies(seen);
    bans(seen);
    for (unsigned reason = 1; reason < SP_REASON_END; ++reason) {
        INFO(slug_of(static_cast<sp_reason>(reason)));
        CHECK(seen.contains(static_cast<sp_reason>(reason)) !=
              kOfNoPacket.contains(static_cast<sp_reason>(reason)));
    }
    CHECK_FALSE(seen.contains(SP_REASON_NONE));
}
