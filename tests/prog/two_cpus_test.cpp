// SPDX-License-Identifier: Apache-2.0
// XDP and TC on two CPUs at once over one small flow table: no entry is torn or
// lost, no packet of a known flow is refused.
#include "support/bench.h"
#include "support/flow_table.h"
#include "support/machine.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <map>
#include <sched.h>
#include <thread>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint32_t kSets = 8; // few, so that both CPUs meet in the same ones
constexpr std::uint32_t kKnown = 16;
constexpr std::uint32_t kFresh = 16;
constexpr int kRounds = 400;
constexpr std::uint32_t kXdpPass = 2;
constexpr std::uint32_t kTcDrop = 2;

void stay_on(unsigned cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus); // on a machine of one CPU they take turns
}

Packet reply(std::uint32_t number) {
    return eth{} / ipv4{.src = "10.0.0." + std::to_string(number)} /
           tcp{.sport = 443, .dport = static_cast<std::uint16_t>(20000 + number), .flags = ACK};
}

Packet opening(std::uint32_t number) {
    return eth{.dst = kPeerMac, .src = kHostMac} /
           ipv4{.src = kHost4, .dst = "10.1.0." + std::to_string(number)} /
           tcp{.sport = static_cast<std::uint16_t>(30000 + number), .dport = 443};
}

std::vector<Bytes> frames(std::uint32_t count, Packet (*make)(std::uint32_t)) {
    std::vector<Bytes> out;
    for (std::uint32_t i = 0; i < count; ++i) out.push_back(make(i).bytes());
    return out;
}

// Every entry has a tag, every tag an entry, and no key stands twice in the table.
void check_whole(const Instance& instance, std::size_t expected) {
    std::map<std::string, int> seen;
    for (const FlowSet& set : read_flow_sets(instance)) {
        for (unsigned i = 0; i < SP_FLOW_WAYS; ++i) {
            const sp_flow& flow = set.flows[i];
            std::uint8_t tag = static_cast<std::uint8_t>(set.tags >> (8 * i));
            CHECK((flow.idle_s != 0) == (tag != 0));
            if (flow.idle_s == 0) continue;
            std::string key(sizeof(flow.key), '\0');
            std::memcpy(key.data(), &flow.key, sizeof(flow.key));
            CHECK(++seen[key] == 1);
            // Not half of one flow and half of another: the two kinds differ in every part.
            bool seeded = flow.key.remote.bytes[13] == 0;
            std::uint32_t number = flow.key.remote.bytes[15];
            CHECK(flow.key.local_port == (seeded ? 20000 : 30000) + number);
            CHECK((flow.generation == SP_GENERATION_KEPT) == seeded);
        }
    }
    CHECK(seen.size() == expected);
}

} // namespace

TEST_CASE("XDP and TC at once: known flows never falter while new ones are entered beside them") {
    Bench bench{allow_out("web", "any", "tcp", "443"),
                BenchOptions{.flow_sets = kSets, .flow_max = kSets * SP_FLOW_WAYS}};
    for (std::uint32_t i = 0; i < kKnown; ++i)
        REQUIRE(seed_flow(bench.instance(), numbered_flow(i)));
    const std::vector<Bytes> replies = frames(kKnown, reply);
    const std::vector<Bytes> openings = frames(kFresh, opening);
    const std::uint32_t ifindex = ifindex_of("eth0");
    const int xdp = bench.programs().fd(Program::xdp);
    const int tc = bench.programs().fd(Program::tc_egress);
    std::atomic<int> refused_replies = 0;
    std::atomic<int> refused_openings = 0;

    std::thread arriving([&] {
        stay_on(0);
        for (int round = 0; round < kRounds; ++round) {
            for (const Bytes& frame : replies) {
                Result<RunResult> result = run_xdp(xdp, frame, ifindex);
                if (!result || result->action != kXdpPass) ++refused_replies;
            }
        }
    });
    std::thread leaving([&] {
        stay_on(1);
        for (int round = 0; round < kRounds; ++round) {
            for (const Bytes& frame : openings) {
                Result<RunResult> result = run_skb(tc, frame, SkbContext{.ifindex = ifindex});
                if (!result || result->action == kTcDrop) ++refused_openings;
            }
        }
    });
    arriving.join();
    leaving.join();
    static_cast<void>(bench.instance().take_events());
    CHECK(refused_replies == 0);
    CHECK(refused_openings == 0);
    CHECK(bench.flow_entries() == kKnown + kFresh);
    check_whole(bench.instance(), kKnown + kFresh);
}

TEST_CASE("two CPUs that enter the same flows at once leave each of them whole, and found") {
    Bench bench{allow_out("web", "any", "tcp", "443"),
                BenchOptions{.flow_sets = kSets, .flow_max = kSets * SP_FLOW_WAYS}};
    const std::vector<Bytes> openings = frames(kFresh, opening);
    const std::uint32_t ifindex = ifindex_of("eth0");
    const int tc = bench.programs().fd(Program::tc_egress);
    std::atomic<int> refused = 0;
    auto enter = [&](unsigned cpu) {
        stay_on(cpu);
        for (int round = 0; round < kRounds; ++round) {
            for (const Bytes& frame : openings) {
                Result<RunResult> result = run_skb(tc, frame, SkbContext{.ifindex = ifindex});
                if (!result || result->action == kTcDrop) ++refused;
            }
        }
    };
    std::thread one(enter, 0);
    std::thread other(enter, 1);
    one.join();
    other.join();
    static_cast<void>(bench.instance().take_events());
    CHECK(refused == 0);
    CHECK(read_flows(bench.instance()).size() == bench.flow_entries());
    for (std::uint32_t i = 0; i < kFresh; ++i) {
        Packet answer =
            eth{} / ipv4{.src = "10.1.0." + std::to_string(i)} /
            tcp{.sport = 443, .dport = static_cast<std::uint16_t>(30000 + i), .flags = SYN | ACK};
        CHECK(bench.xdp(answer) == passes());
    }
}
