// SPDX-License-Identifier: Apache-2.0
// Bans, hook by hook: both ways, both families, where in the order, and their end.
#include "bans/ban_bits.h"
#include "bans/ban_table.h"
#include "kernel/bans.h"
#include "support/bench.h"
#include "support/fragment_table.h"
#include "support/icmp_message.h"
#include "support/machine.h"

#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <ctime>
#include <iostream>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kOpen = allow_in("web", "any", "tcp", "80") +
                          allow_in("dns", "any", "udp", "53") +
                          allow_out("out", "any", "tcp", "443") +
                          allow_out("ask", "any", "udp", "53") + allow_out("ping", "any", "icmp");

const std::string kRoute =
    "[[forward]]\nname = \"all\"\nfrom = \"any\"\nto = \"any\"\nproto = \"tcp\"\nports = [80]\n";

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000000u +
           static_cast<std::uint64_t>(now.tv_nsec);
}

Prefix net(const std::string& text) {
    Result<Prefix> parsed = parse_prefix(text);
    if (!parsed) FAIL(parsed.error().text());
    return *parsed;
}

// The bans of a bench: of its programs, and gone with this.
class Banned {
  public:
    explicit Banned(const Bench& bench) : maps_(bench.maps()) { take_over(); }
    Banned(const Banned&) = delete;
    Banned& operator=(const Banned&) = delete;
    ~Banned() {
        table_ = BanTable();
        bits_ = BanBits();
        take_over();
    }
    void ban(const std::string& network, std::uint64_t until_ns = kForEver) {
        table_.ban(net(network), until_ns);
        write();
    }
    void lift(const std::string& network) {
        CHECK(table_.lift(net(network)));
        write();
    }
    void never(const std::string& network) {
        table_.set_never({net(network)});
        write();
    }

  private:
    void write() {
        const Status written = write_bans(maps_, table_.take_changes(), bits_, 1);
        if (!written) FAIL(written.error().text());
    }
    void take_over() { SP_CHECK(take_over_bans(maps_, table_.take_changes(), bits_, 1)); }
    Maps maps_;
    BanTable table_;
    BanBits bits_;
};

std::string around(Family family) {
    return family == Family::v4 ? "198.51.100.0/24" : "2001:db8:1::/48";
}

} // namespace

TEST_CASE("what a banned source sends is dropped by that name, and nothing of the one beside it") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    Banned banned{bench};
    const Packet syn = to_host(family) / tcp{.dport = 80};
    CHECK(bench.xdp(syn) == passes());
    banned.ban(peer_of(family));
    CHECK(bench.xdp(syn) == dropped(SP_REASON_BANNED));
    CHECK(bench.xdp(to_host(family) / udp{.dport = 53}) == dropped(SP_REASON_BANNED));
    CHECK(bench.xdp(to_host(family) / echo_request(family)) == dropped(SP_REASON_BANNED));
    // Before deny and before what no rule allows: one name for all that he sends.
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 81}) == dropped(SP_REASON_BANNED));
    const std::string beside = family == Family::v4 ? "198.51.100.8" : "2001:db8:1::8";
    CHECK(beside != peer_of(family));
    CHECK(bench.xdp(eth{} / ip(family, beside, host_of(family)) / tcp{.dport = 80}) == passes());
    banned.lift(peer_of(family));
    CHECK(bench.xdp(syn) == passes());
}

TEST_CASE("nothing goes out to who is banned: no opening, no answer, no RST, no packet socket's") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    Banned banned{bench};
    const Packet syn = from_host(family) / tcp{.dport = 443};
    CHECK(bench.cgroup(syn) == passes());
    CHECK(bench.tc(syn) == passes());
    banned.ban(around(family));
    CHECK(bench.cgroup(syn) == dropped(SP_REASON_BANNED));
    CHECK(bench.tc(syn) == dropped(SP_REASON_BANNED));
    CHECK(bench.tc(from_host(family) / tcp{.sport = 80, .dport = 4000, .flags = RST}) ==
          dropped(SP_REASON_BANNED));
    CHECK(bench.tc(from_host(family) / echo_reply(family, 7)) == dropped(SP_REASON_BANNED));
    banned.lift(around(family));
    CHECK(bench.tc(syn) == passes());
}

TEST_CASE("a ban cuts a flow that is known, and the flow goes on when it is lifted") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    Banned banned{bench};
    CHECK(bench.tc(from_host(family) / udp{.sport = 5000, .dport = 53}) == passes());
    const Packet answer = to_host(family) / udp{.sport = 53, .dport = 5000};
    CHECK(bench.xdp(answer) == passes());
    banned.ban(peer_of(family));
    CHECK(bench.xdp(answer) == dropped(SP_REASON_BANNED));
    bench.reload(kOpen); // bans live outside of generations
    CHECK(bench.xdp(answer) == dropped(SP_REASON_BANNED));
    banned.lift(peer_of(family));
    CHECK(bench.xdp(answer) == passes());
}

TEST_CASE("the kernel itself ends a ban when its time is over") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    Banned banned{bench};
    const Packet syn = to_host(family) / tcp{.dport = 80};
    const std::uint64_t until = now_ns() + 300'000'000;
    banned.ban(peer_of(family), until);
    CHECK(bench.xdp(syn) == dropped(SP_REASON_BANNED));
    // A shorter prefix that stands is not hidden by what is over.
    while (now_ns() <= until) {
    }
    CHECK(bench.xdp(syn) == passes());
    banned.ban(around(family), now_ns() + 3'600'000'000'000);
    CHECK(bench.xdp(syn) == dropped(SP_REASON_BANNED));
    banned.never(peer_of(family));
    CHECK(bench.xdp(syn) == passes());
}

TEST_CASE("a host keeps what its link lives by, whoever of it is banned") {
    Bench bench{kOpen};
    Banned banned{bench};
    banned.ban(around(Family::v4));
    banned.ban("fe80::/10");
    banned.ban(around(Family::v6));
    const Packet advert = eth{} / ipv6{.src = "fe80::7", .dst = kHostLink6, .hop_limit = 255} /
                          icmp6{.type = 136} / filler(20);
    CHECK(bench.xdp(advert) == passes());
    const Packet asks = eth{} / ipv6{.src = kHostLink6, .dst = "fe80::7", .hop_limit = 255} /
                        icmp6{.type = 135} / filler(20);
    CHECK(bench.tc(asks) == passes());
    const Packet lease = eth{} / ipv4{.src = "198.51.100.7", .dst = kHost4} /
                         udp{.sport = 67, .dport = 68} / filler(240);
    CHECK(bench.xdp(lease) == passes());
    const Packet renew = eth{} / ipv4{.src = kHost4, .dst = "198.51.100.7"} /
                         udp{.sport = 68, .dport = 67} / filler(240);
    CHECK(bench.tc(renew).passed == bench.cgroup(renew).passed);
    // Malformed is malformed, banned or not.
    CHECK(bench.xdp(eth{} / ipv4{.src = "127.0.0.1", .dst = kHost4} / tcp{.dport = 80}) ==
          dropped(SP_REASON_BOGON));
}

TEST_CASE("nothing of a banned network is routed, in either direction") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const std::string inside = family == Family::v4 ? "10.0.5.5" : "fd00:5::5";
    Bench bench{kRoute};
    Banned banned{bench};
    const Packet in = eth{} / ip(family, peer_of(family), inside) / tcp{.dport = 80};
    const Packet out = eth{} / ip(family, inside, peer_of(family)) / tcp{.dport = 80};
    CHECK(bench.xdp(in) == passes());
    CHECK(bench.xdp(out) == passes());
    banned.ban(around(family));
    for (const Packet& packet : {in, out}) {
        const Seen seen = bench.xdp(packet);
        CHECK(seen == dropped(SP_REASON_BANNED));
        REQUIRE(seen.events.size() == 1);
        CHECK(seen.events[0].direction == SP_FORWARD);
    }
    for (const sp_forward_hook hook : {SP_FORWARD_TC_INGRESS, SP_FORWARD_NETFILTER}) {
        if (hook == SP_FORWARD_NETFILTER && !has_netfilter_programs()) continue;
        Bench routed{kRoute, BenchOptions{.forward_hook = hook}};
        Banned also{routed};
        CHECK(routed.forward(in) == passes());
        CHECK(routed.forward(out) == passes());
        also.ban(around(family));
        CHECK(routed.forward(in) == dropped(SP_REASON_BANNED));
        CHECK(routed.forward(out) == dropped(SP_REASON_BANNED));
    }
}

TEST_CASE("neither a VLAN tag nor a fragment hides who is banned") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen + essentials("fragments = \"track\"")};
    Banned banned{bench};
    const Packet tagged =
        eth{} / vlan{} / ip(family, peer_of(family), host_of(family)) / tcp{.dport = 80};
    const Datagram whole = datagram(family, udp{.dport = 53}, 80);
    CHECK(bench.xdp(tagged) == passes());
    CHECK(bench.xdp(whole.piece(0, 16, true)) == passes());
    banned.ban(peer_of(family));
    CHECK(bench.xdp(tagged) == dropped(SP_REASON_BANNED));
    // The later pieces of a first that was let in before.
    CHECK(bench.xdp(whole.piece(16, 16, true)) == dropped(SP_REASON_BANNED));
    CHECK(bench.xdp(datagram(family, udp{.dport = 53}, 80).piece(0, 16, true)) ==
          dropped(SP_REASON_BANNED));
    banned.lift(peer_of(family));
    CHECK(bench.xdp(whole.piece(16, 16, true)) == passes());
}

TEST_CASE("the cost of asking, for a packet", "[.measure]") {
    Bench bench{kOpen};
    const Bytes syn = (to_host(Family::v4) / tcp{.dport = 80}).bytes();
    const auto cost = [&] {
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = syn.data();
        options.data_size_in = static_cast<std::uint32_t>(syn.size());
        xdp_md context{};
        context.data_end = options.data_size_in;
        context.ingress_ifindex = ifindex_of("eth0");
        options.ctx_in = &context;
        options.ctx_size_in = sizeof context;
        options.repeat = 1'000'000;
        SP_CHECK(bpf_prog_test_run_opts(bench.programs().fd(Program::xdp), &options) == 0);
        return options.duration;
    };
    Banned banned{bench};
    cost();
    std::cout << "nobody banned: " << cost() << " ns";
    banned.ban("2001:db8::1");
    std::cout << ", of the other family " << cost() << " ns";
    banned.ban("203.0.113.9");
    std::cout << ", elsewhere " << cost() << " ns";
    for (int i = 0; i < 250; i++) banned.ban("198.51.100." + std::to_string(i == 7 ? 251 : i));
    std::cout << ", 250 beside it " << cost() << " ns";
    banned.ban("198.51.100.7");
    std::cout << ", banned itself " << cost() << " ns" << std::endl;
}

TEST_CASE("observing, a ban is told and drops nothing") {
    Bench bench{kOpen, BenchOptions{.host = "mode = \"observe\""}};
    Banned banned{bench};
    banned.ban(peer_of(Family::v4));
    CHECK(bench.xdp(to_host(Family::v4) / tcp{.dport = 80}) == would_be_dropped(SP_REASON_BANNED));
}

TEST_CASE("asked, the programs answer with the ban") {
    Bench bench{kOpen, BenchOptions{.role = Role::asking}};
    Banned banned{bench};
    const Packet syn = to_host(Family::v4) / tcp{.dport = 80};
    CHECK(bench.xdp(syn).passed);
    banned.ban(peer_of(Family::v4));
    CHECK_FALSE(bench.xdp(syn).passed);
}
