// SPDX-License-Identifier: Apache-2.0
// Packets by the million: real frames, changed at random, through the programs in
// the kernel, held against the reference verdict. By default some seconds of it.
//
//   SP_PACKETS=5000000   so many cases          SP_SECONDS=600   at least so long
//   SP_SEED=N            the same run again     SP_CORPUS=DIR    every file of it, once
#include "support/bench.h"
#include "support/frames.h"
#include "support/machine.h"
#include "support/random_policy.h"
#include "support/reference_verdict.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint64_t kSmokeCases = 200'000;
constexpr std::chrono::seconds kSmokeTime{15}; // a slow machine does fewer
constexpr std::uint64_t kCasesOfPolicy = 10'000;
constexpr std::uint64_t kCasesOfTable = 500; // TC enters flows; the host must stay fresh

std::uint64_t number_of(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

std::string open(const std::string& proto, const std::string& ports = "") {
    return allow_in("in " + proto, "any", proto, ports) +
           allow_out("out " + proto, "any", proto, ports);
}

const std::vector<std::string>& policies() {
    static const std::vector<std::string> all{
        "",
        open("any"),
        open("any") + essentials("ip-options = \"judge\"\nredirects = true\nping = \"none\"\n"
                                 "link-protocols = [\"lldp\", \"eapol\", \"lacp\", \"ptp\", "
                                 "\"stp\"]"),
        open("any") + essentials("arp = false\nneighbour-discovery = false\ndhcp-client = false\n"
                                 "icmp-errors = false"),
        open("tcp", "22 443") + open("udp", "53 67 5353") + essentials("ping = \"none\""),
        allow_in("ssh", "198.51.100.0/24 2001:db8:1::/48", "tcp", "22") +
            allow_out("dns", "198.51.100.7 2001:db8:1::7", "udp", "53") +
            deny_in("not you", "198.51.100.128/25 fe80::/10"),
        open("1") + open("58") + open("2") + open("51"),
        open("icmp") + deny_out("no metadata", "169.254.169.254 fd00:ec2::254") +
            essentials("ping = [\"198.51.100.7\", \"2001:db8:1::7\"]"),
        open("sctp") + open("udp-lite") + open("47") + open("44") + deny_in("none", "any", "47"),
    };
    return all;
}

Policy next_policy(Dice& dice, std::string& text) {
    if (!dice.once_in(3)) {
        text = dice.pick(policies());
        return parsed(text);
    }
    Policy policy =
        random_policy(dice, PolicyShape{.directions = {Direction::ingress, Direction::egress},
                                        .identities = false});
    policy.host.mode = Mode::enforce;
    policy.events.per_second = 1'000'000;
    policy.essentials.judge_ip_options = dice.once_in(2);
    policy.essentials.redirects = dice.once_in(2);
    text = describe(policy);
    return policy;
}

// One host, one policy: what a frame gets, and what it should.
class Trial {
  public:
    explicit Trial(const Policy& policy)
        : bench_(policy, BenchOptions{.forget_flows = 1}), policy_(policy) {
        std::ranges::copy(mac_bytes(kHostMac), host_.mac.begin());
        for (const char* own : {kHost4, kHost6, kHostLink6}) host_.own.insert(*parse_address(own));
    }

    // Nothing when the two agree, else how they differ.
    std::optional<std::string> differs(sp_hook hook, const std::string& interface,
                                       const Bytes& frame) {
        Place place{.hook = hook,
                    .interface = interface,
                    .carrier = interface == "wg0" ? Carrier::bare_ip : Carrier::ethernet};
        std::span<const std::uint8_t> shown = frame;
        if (hook == SP_HOOK_CGROUP) shown = shown.subspan(kEthernet);
        ReferenceVerdict expected = judge_frame(policy_, host_, place, shown);
        if (++asked_ % kCasesOfTable == 0) bench_.instance().forget_flows();
        bool passed = run(hook, interface, frame);
        std::vector<sp_event> events = bench_.instance().take_events();
        sp_reason reason = SP_REASON_NONE; // of a frame for another station nothing is told
        if (!passed) reason = SP_REASON_OTHER_STATION;
        if (!events.empty()) reason = static_cast<sp_reason>(events[0].reason);
        bool same = passed == expected.passes && events.size() <= 1 &&
                    (passed ? reason == SP_REASON_NONE : expected.reasons.has(reason));
        ++told_[reason];
        if (same) return std::nullopt;
        return "the programs: " + std::string(passed ? "passes" : "dropped, ") +
               (passed ? "" : slug_of(reason)) + "; the reference: " +
               (expected.passes ? "passes" : "dropped, " + to_string(expected.reasons));
    }

    // How often each reason was told; NONE: passed.
    [[nodiscard]] const std::map<sp_reason, std::uint64_t>& told() const { return told_; }

    static constexpr std::size_t kEthernet = 14;
    // BPF_PROG_TEST_RUN wants an Ethernet header, and of an skb the IP header that it names.
    static bool runs(sp_hook hook, const Bytes& frame) {
        if (frame.size() <= kEthernet) return hook == SP_HOOK_XDP && frame.size() == kEthernet;
        if (hook == SP_HOOK_XDP) return true;
        std::size_t type = frame[12] * 256u + frame[13];
        return frame.size() >= kEthernet + (type == 0x0800 ? 20u : type == 0x86dd ? 40u : 1u);
    }

  private:
    bool run(sp_hook hook, const std::string& interface, const Bytes& frame) {
        std::uint32_t ifindex = index_of(interface);
        const Programs& programs = bench_.programs();
        Result<RunResult> result =
            hook == SP_HOOK_XDP ? run_xdp(programs.fd(Program::xdp), frame, ifindex)
                                : run_skb(programs.fd(hook == SP_HOOK_CGROUP ? Program::cg_egress
                                                                             : Program::tc_egress),
                                          frame, SkbContext{.ifindex = ifindex});
        if (!result) FAIL(result.error().text() << ", frame " << hex(frame));
        if (hook == SP_HOOK_XDP) return result->action == 2;
        return hook == SP_HOOK_CGROUP ? result->action == 1 : result->action != 2;
    }

    std::uint32_t index_of(const std::string& interface) {
        std::uint32_t& index = indexes_[interface];
        if (index == 0) index = ifindex_of(interface);
        return index;
    }

    Bench bench_;
    Policy policy_;
    ReferenceHost host_;
    std::map<std::string, std::uint32_t> indexes_;
    std::map<sp_reason, std::uint64_t> told_;
    std::uint64_t asked_ = 0;
};

void report(Trial& trial, sp_hook hook, const std::string& interface, const Bytes& frame,
            const std::string& policy) {
    Bytes small = shrink_frame(frame, [&](const Bytes& smaller) {
        return Trial::runs(hook, smaller) && trial.differs(hook, interface, smaller);
    });
    INFO("policy:\n" << policy);
    INFO("hook " << hook << " on " << interface);
    INFO("as found: " << hex(frame));
    INFO("smallest: " << hex(small));
    FAIL_CHECK(trial.differs(hook, interface, small).value_or("no difference the second time"));
}

const std::vector<sp_hook> kHooks{SP_HOOK_XDP, SP_HOOK_XDP, SP_HOOK_TC, SP_HOOK_CGROUP};
const std::vector<std::string> kInterfaces{"eth0", "eth0", "eth1", "wg0"};

} // namespace

TEST_CASE("every real frame fares as the reference says, at each hook, under each policy") {
    for (const std::string& text : policies()) {
        Trial trial(parsed(text));
        for (const Bytes& frame : real_frames()) {
            for (sp_hook hook : {SP_HOOK_XDP, SP_HOOK_TC, SP_HOOK_CGROUP}) {
                for (const char* interface : {"eth0", "wg0"}) {
                    if (!Trial::runs(hook, frame)) continue;
                    std::optional<std::string> difference = trial.differs(hook, interface, frame);
                    if (difference) report(trial, hook, interface, frame, text);
                }
            }
        }
    }
}

TEST_CASE("changed at random, by the million, frames fare as the reference says") {
    std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    std::uint64_t cases = number_of("SP_PACKETS");
    std::chrono::seconds least{number_of("SP_SECONDS")};
    bool smoke = cases == 0 && least.count() == 0;
    if (smoke) cases = kSmokeCases;
    const auto begun = std::chrono::steady_clock::now();
    const auto spent = [&] { return std::chrono::steady_clock::now() - begun; };
    std::uint64_t done = 0;
    std::map<sp_reason, std::uint64_t> told;
    int failures = 0;
    while ((done < cases || spent() < least) && failures < 5 && !(smoke && spent() > kSmokeTime)) {
        std::string text;
        Trial trial(next_policy(dice, text));
        for (std::uint64_t n = 0; n < kCasesOfPolicy && failures < 5; ++n) {
            Bytes frame = changed(dice, dice.pick(real_frames()), real_frames());
            sp_hook hook = dice.pick(kHooks);
            const std::string& interface = dice.pick(kInterfaces);
            bool bare = interface == "wg0" && hook != SP_HOOK_CGROUP;
            if (bare && frame.size() > 2 * Trial::kEthernet && !dice.once_in(8))
                frame.erase(frame.begin(), frame.begin() + Trial::kEthernet);
            if (!Trial::runs(hook, frame)) continue;
            ++done;
            if (!trial.differs(hook, interface, frame)) continue;
            ++failures;
            report(trial, hook, interface, frame, text);
        }
        for (const auto& [reason, count] : trial.told()) told[reason] += count;
    }
    std::printf(
        "%llu changed frames in %lld s, SP_SEED=%llu\n", static_cast<unsigned long long>(done),
        static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(spent()).count()),
        static_cast<unsigned long long>(seed));
    for (const auto& [reason, count] : told)
        std::printf("  %s %llu\n", slug_of(reason), static_cast<unsigned long long>(count));
    // Frames that all fare alike would agree about nothing.
    if (done >= 5 * kCasesOfPolicy) CHECK(told.size() >= 18);
    CHECK(done > 0);
}

TEST_CASE("what the fuzzer found of frames fares in the kernel as the reference says") {
    const char* directory = std::getenv("SP_CORPUS");
    if (directory == nullptr) SKIP("SP_CORPUS names no directory");
    std::size_t files = 0;
    for (const std::string& text : {policies()[0], policies()[1], policies()[2]}) {
        Trial trial(parsed(text));
        for (const auto& file : std::filesystem::directory_iterator(directory)) {
            std::ifstream in(file.path(), std::ios::binary);
            Bytes frame{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
            for (sp_hook hook : {SP_HOOK_XDP, SP_HOOK_TC, SP_HOOK_CGROUP}) {
                if (!Trial::runs(hook, frame) || frame.size() > 1514) continue;
                ++files;
                std::optional<std::string> difference = trial.differs(hook, "eth0", frame);
                if (difference) report(trial, hook, "eth0", frame, text);
            }
        }
    }
    std::printf("%zu frames of %s\n", files, directory);
    CHECK(files > 0);
}
