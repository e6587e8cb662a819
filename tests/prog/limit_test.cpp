// SPDX-License-Identifier: Apache-2.0
// Limits of new connections: per source, per /48, in all; whom they never touch.
#include "support/bench.h"
#include "support/limit_table.h"
#include "support/machine.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kXdpPass = 2;

std::string limited(const std::string& proto, const std::string& ports, const std::string& lines) {
    return allow_in("api", "any", proto, ports) + lines;
}

Packet syn(const std::string& src, std::uint16_t port = 80) {
    Family family = src.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{} / ip(family, src, host_of(family)) / tcp{.dport = port};
}

unsigned admitted(Bench& bench, const Packet& packet, unsigned tries) {
    unsigned passed = 0;
    for (unsigned i = 0; i < tries; ++i) {
        const Seen seen = bench.xdp(packet);
        CHECK(seen.disagreements.empty());
        CHECK((seen.passed || seen.reason == SP_REASON_OVER_LIMIT));
        passed += seen.passed;
    }
    return passed;
}

} // namespace

TEST_CASE("a source opens its burst at once, then no more until its time has come") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{limited("tcp", "80", "limit = \"20/minute\"\n")};
    CHECK(admitted(bench, syn(peer_of(family)), 30) == 20);
    CHECK(bench.xdp(syn(peer_of(family))) == dropped(SP_REASON_OVER_LIMIT));
    CHECK(bench.rule_count("api").admitted == 20);
    CHECK(bench.rule_count("api").limited == 11);
    age_limits(bench.instance(), 3 * kSecond);
    CHECK(admitted(bench, syn(peer_of(family)), 5) == 1);
    age_limits(bench.instance(), 600 * kSecond);
    CHECK(admitted(bench, syn(peer_of(family)), 30) == 20);
}

TEST_CASE("a rule without a limit has none, and a port that no rule names asks for no limit") {
    Bench bench{limited("tcp", "80", "limit = \"1/minute\"\n") +
                allow_in("free", "any", "tcp", "81")};
    CHECK(admitted(bench, syn(kPeer4, 81), 50) == 50);
    CHECK(bench.xdp(syn(kPeer4, 82)) == dropped(SP_REASON_NO_RULE));
    CHECK(read_buckets(bench.instance()).empty());
    CHECK(admitted(bench, syn(kPeer4), 2) == 1);
}

TEST_CASE("one source's openings leave another's alone") {
    Bench bench{limited("tcp", "80", "limit = \"2/minute\"\n")};
    for (const char* src : {"198.51.100.1", "198.51.100.2", "2001:db8:1::1", "2001:db8:1:1::1"}) {
        INFO(src);
        CHECK(admitted(bench, syn(src), 5) == 2);
    }
}

TEST_CASE("of IPv6 a /64 is one source, and limit-prefix4 and limit-prefix6 say otherwise") {
    Bench bench{limited("tcp", "80", "limit = \"2/minute\"\n")};
    CHECK(admitted(bench, syn("2001:db8:1::1"), 1) == 1);
    CHECK(admitted(bench, syn("2001:db8:1::ffff:1"), 2) == 1);
    CHECK(admitted(bench, syn("2001:db8:1:1::1"), 2) == 2);
    Bench wide{
        limited("tcp", "80", "limit = \"2/minute\"\nlimit-prefix4 = 24\nlimit-prefix6 = 32\n")};
    CHECK(admitted(wide, syn("203.0.113.1"), 1) == 1);
    CHECK(admitted(wide, syn("203.0.113.254"), 2) == 1);
    CHECK(admitted(wide, syn("203.0.114.254"), 2) == 2);
    CHECK(admitted(wide, syn("2001:db8:1::1"), 2) == 2);
    CHECK(admitted(wide, syn("2001:db8:2::1"), 2) == 0);
    Bench narrow{limited("tcp", "80", "limit = \"2/minute\"\nlimit-prefix6 = 128\n")};
    CHECK(admitted(narrow, syn("2001:db8:1::1"), 3) == 2);
    CHECK(admitted(narrow, syn("2001:db8:1::2"), 3) == 2);
}

TEST_CASE("behind a NAT64 each IPv4 host is a source of its own") {
    Bench bench{limited("tcp", "80", "limit = \"1/minute\"\n")};
    CHECK(admitted(bench, syn("64:ff9b::c633:6401"), 2) == 1);
    CHECK(admitted(bench, syn("64:ff9b::c633:6402"), 2) == 1);
}

TEST_CASE("a /48 that uses all of its /64s gets what sixteen of them may") {
    Bench bench{limited("tcp", "80", "limit = \"2/minute\"\n")};
    unsigned passed = 0;
    for (int i = 1; i <= 40; ++i)
        passed += admitted(bench, syn("2001:db8:7:" + std::to_string(i) + "::1"), 2);
    CHECK(passed == 32);
    CHECK(admitted(bench, syn("2001:db8:8:1::1"), 2) == 2);
}

TEST_CASE("limit-total bounds all sources together, and who is refused by it has lost nothing") {
    Bench bench{limited("tcp", "80", "limit = \"5/minute\"\nlimit-total = \"12/minute\"\n")};
    unsigned passed = 0;
    for (int i = 1; i <= 10; ++i)
        passed += admitted(bench, syn("198.51.100." + std::to_string(i)), 2);
    CHECK(passed == 12);
    age_limits(bench.instance(), 0);
    CHECK(bench.rule_count("api").limited == 8);
    CHECK(admitted(bench, syn("198.51.100.200"), 6) == 0);
    age_limits(bench.instance(), 600 * kSecond);
    CHECK(admitted(bench, syn("198.51.100.200"), 6) == 5);
}

TEST_CASE("a flood of sources gets the newcomers' allowance, and who was there keeps his own") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{limited("tcp", "80", "limit = \"1/day\"\nburst = 4\n")};
    CHECK(admitted(bench, syn(peer_of(family)), 1) == 1);
    unsigned passed = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < 5000; ++i) {
        const std::string src =
            family == Family::v4
                ? "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".9"
                : "2001:db8:" + std::to_string(1000 + i) + "::9";
        passed += bench.xdp(syn(src)).passed;
    }
    const auto took =
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    // 1000 at once and 1000 a second.
    CHECK(passed >= 1000);
    CHECK(passed <= 1000 + took.count() + 1);
    CHECK(admitted(bench, syn(peer_of(family)), 5) == 3);
}

TEST_CASE("datagrams between the same ports are one connection, other ports another") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{limited("udp", "53", "limit = \"2/minute\"\n")};
    const auto datagram = [&](std::uint16_t port) {
        return to_host(family) / udp{.sport = port, .dport = 53};
    };
    for (int i = 0; i < 20; ++i) CHECK(bench.xdp(datagram(4000)) == passes());
    CHECK(bench.xdp(datagram(4001)) == passes());
    CHECK(bench.xdp(datagram(4002)) == dropped(SP_REASON_OVER_LIMIT));
    CHECK(bench.xdp(datagram(4000)) == passes());
    age_limits(bench.instance(), 61 * kSecond); // udp-idle, and two more openings
    CHECK(bench.xdp(datagram(4003)) == passes());
    CHECK(bench.xdp(datagram(4004)) == passes());
    CHECK(bench.xdp(datagram(4000)) == dropped(SP_REASON_OVER_LIMIT));
}

TEST_CASE("pings of one id are one, an SCTP association is one") {
    Bench pings{"[essentials]\nping = \"none\"\n" + limited("icmp", "", "limit = \"1/minute\"\n")};
    const auto ping = [](std::uint16_t id) { return to_host(Family::v4) / icmp{.id = id}; };
    CHECK(pings.xdp(ping(1)) == passes());
    CHECK(pings.xdp(ping(1)) == passes());
    CHECK(pings.xdp(ping(2)) == dropped(SP_REASON_OVER_LIMIT));
    Bench associations{limited("sctp", "", "limit = \"1/minute\"\n")};
    for (Family family : {Family::v4, Family::v6}) {
        CHECK(associations.xdp(to_host(family) / sctp{.sport = 9}) == passes());
        CHECK(associations.xdp(to_host(family) / sctp{.sport = 9}) == passes());
        CHECK(associations.xdp(to_host(family) / sctp{.sport = 10}) ==
              dropped(SP_REASON_OVER_LIMIT));
    }
}

TEST_CASE("what is known is never limited: segments, answers, flows of this host") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{limited("tcp", "", "limit = \"1/minute\"\n") +
                allow_out("web", "any", "tcp", "443")};
    CHECK(admitted(bench, syn(peer_of(family)), 3) == 1);
    CHECK(bench.tc(from_host(family) / tcp{.dport = 443}) == passes());
    for (int i = 0; i < 10; ++i)
        CHECK(bench.xdp(to_host(family) /
                        tcp{.sport = 443, .dport = kClientPort, .flags = SYN | ACK}) == passes());
}

TEST_CASE("limit-window lets in its number and nothing until the window has moved on") {
    Bench bench{limited("tcp", "80", "limit = \"4/minute\"\nlimit-window = true\n")};
    CHECK(admitted(bench, syn(kPeer4), 10) == 4);
    CHECK(admitted(bench, syn(kPeer6), 10) == 4);
    CHECK(bench.xdp(syn(kPeer4)) == dropped(SP_REASON_OVER_LIMIT));
}

TEST_CASE("in observe mode a limit counts and reports, and lets in") {
    Bench bench{limited("tcp", "80", "limit = \"1/minute\"\n"),
                BenchOptions{.host = "mode = \"observe\"\n"}};
    CHECK(bench.xdp(syn(kPeer4)) == passes());
    CHECK(bench.xdp(syn(kPeer4)) == would_be_dropped(SP_REASON_OVER_LIMIT));
    CHECK(bench.rule_count("api").limited == 1);
}

TEST_CASE("asking takes no place and no allowance") {
    Bench bench{limited("tcp", "80", "limit = \"1/minute\"\n"), BenchOptions{.role = Role::asking}};
    for (int i = 0; i < 5; ++i) CHECK(bench.xdp(syn(kPeer4)).passed);
    CHECK(read_buckets(bench.instance()).empty());
    Bench window{limited("tcp", "80", "limit = \"1/minute\"\nlimit-window = true\n"),
                 BenchOptions{.role = Role::asking}};
    for (int i = 0; i < 5; ++i) CHECK(window.xdp(syn(kPeer6)).passed);
    CHECK(read_buckets(window.instance()).empty());
}

TEST_CASE("a limit that a reload loosens keeps nobody waiting for the old one") {
    Bench bench{limited("tcp", "80", "limit = \"1/day\"\n")};
    CHECK(admitted(bench, syn(kPeer4), 3) == 1);
    bench.reload(limited("tcp", "80", "limit = \"10/second\"\n"));
    CHECK(admitted(bench, syn(kPeer4), 5) == 5);
}

TEST_CASE("two CPUs that ask at once get together what one would") {
    Bench bench{limited("tcp", "80", "limit = \"1/day\"\nburst = 200\n")};
    const Bytes frame = syn(kPeer4).bytes();
    const int program = bench.programs().fd(Program::xdp);
    const std::uint32_t ifindex = ifindex_of("eth0");
    std::atomic<unsigned> passed = 0;
    {
        std::vector<std::jthread> cpus;
        for (int cpu = 0; cpu < 2; ++cpu)
            cpus.emplace_back([&] {
                for (int i = 0; i < 400; ++i) {
                    const Result<RunResult> result = run_xdp(program, frame, ifindex);
                    passed += result && result->action == kXdpPass;
                }
            });
    }
    static_cast<void>(bench.instance().take_events());
    CHECK(passed == 200);
}
