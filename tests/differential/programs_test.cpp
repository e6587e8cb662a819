// SPDX-License-Identifier: Apache-2.0
// Random policies, random packets: what the programs in the kernel decide, and
// by which rule, is what the oracle says of the opening that the packet makes.
// SP_SEED repeats a run.
#include "policy/evaluate.h"
#include "support/bench.h"
#include "support/icmp_message.h"
#include "support/random_policy.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <utility>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr int kPolicies = 60;
constexpr int kOpenings = 60;          // asked of each policy
constexpr int kTries = 20 * kOpenings; // many a random opening is no packet that can be sent

bool has_ports(std::uint8_t proto) {
    return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

// ICMP and ICMPv6 of their own family: what has a type.
bool has_type(const Opening& opening, bool v4) {
    return opening.proto == (v4 ? 1 : 58);
}

// Types with a meaning of their own, which no rule is asked about.
bool is_essential_type(std::uint8_t type, bool v4) {
    if (v4) {
        return (type >= 3 && type <= 6) || type == 11 || type == 12 || type == 15 || type == 16 ||
               (type >= 30 && type <= 39);
    }
    return type <= 4 || type == 127 || (type >= 130 && type <= 137) || type == 143 || type == 255;
}

// Neither the host's own nor one that is refused before any rule is asked.
bool is_ordinary(const Address& address) {
    std::string text = to_string(address);
    if (text == kHost4 || text == kHost6 || text == kHostLink6) return false;
    if (address.is_v4()) {
        std::uint32_t top = address.v4_value() >> 24;
        return top != 0 && top != 127 && top < 224;
    }
    return address.bytes[0] != 0xff && address.bytes[0] != 0 &&
           !(address.bytes[0] == 0xfe && address.bytes[1] >= 0x80);
}

bool is_walked(std::uint8_t proto) { // IPv6 extension headers are no protocol to judge
    return proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60;
}

// The part behind the IP header that makes this opening.
Packet transport_of(const Opening& opening, bool v4) {
    switch (opening.proto) {
    case 6:
        return tcp{.dport = opening.port};
    case 17:
        return udp{.dport = opening.port};
    case 132:
        return sctp{.dport = opening.port};
    case 136:
        return udplite{.dport = opening.port};
    default:
        break;
    }
    if (!has_type(opening, v4)) return filler(16);
    std::uint8_t type = static_cast<std::uint8_t>(opening.port);
    return v4 ? Packet(icmp{.type = type}) : Packet(icmp6{.type = type});
}

Packet ip_of(const Opening& opening, const std::string& src, const std::string& dst, bool v4) {
    if (v4) return ipv4{.src = src, .dst = dst, .proto = opening.proto};
    return ipv6{.src = src, .dst = dst, .next = opening.proto};
}

Packet on(const std::string& interface, const Packet& packet) {
    return interface == "wg0" ? packet : eth{} / packet;
}

// What the programs can be asked: a known interface, and ports only where there are some.
std::optional<Opening> askable(Opening opening, Direction direction) {
    const Address& one = direction == Direction::egress ? opening.destination : opening.source;
    bool v4 = one.is_v4();
    opening.direction = direction;
    opening.cgroup.clear(); // a test-run's socket has no owner that the policy knows
    opening.user.reset();
    if (opening.interface.empty() || opening.interface == "lo") opening.interface = "eth0";
    if (!is_ordinary(one) || (!v4 && is_walked(opening.proto))) return std::nullopt;
    if (!has_ports(opening.proto) && !has_type(opening, v4)) opening.port = 0;
    if (has_type(opening, v4) && is_essential_type(static_cast<std::uint8_t>(opening.port), v4))
        return std::nullopt;
    if (direction == Direction::forward &&
        (!is_ordinary(opening.destination) || opening.destination.is_v4() != v4)) {
        return std::nullopt;
    }
    return opening;
}

// The other family's ICMP is malformed before any rule is asked; the oracle knows no packets.
bool is_foreign_icmp(const Opening& opening, bool v4) {
    return opening.proto == (v4 ? 58 : 1);
}

Expected expected_of(const Verdict& verdict) {
    switch (verdict.answer) {
    case Answer::allowed:
        return passes();
    case Answer::denied:
        return dropped(SP_REASON_DENIED);
    case Answer::no_rule:
        return dropped(SP_REASON_NO_RULE);
    }
    return dropped(SP_REASON_INTERNAL);
}

std::string rule_of(const Policy& policy, const Verdict& verdict) {
    return verdict.rule ? policy.rules[*verdict.rule].name : "";
}

Policy ordinary_policy(Dice& dice) {
    Policy policy = random_policy(dice);
    policy.host.mode = Mode::enforce;
    policy.essentials.ping = {}; // no echo passes but by a rule
    policy.events.per_second = 1000000;
    return policy;
}

void check(const Policy& policy, const Opening& opening, const Seen& seen, const Verdict& verdict) {
    INFO(describe(policy));
    INFO(describe(opening));
    CHECK(seen == expected_of(verdict));
    CHECK(seen.rule == rule_of(policy, verdict));
}

// What a sender without a socket of its own may answer: the peer could have asked for it.
bool is_answer(const Policy& policy, const Opening& out) {
    if (out.proto == 6) return false;
    Opening question{.direction = Direction::ingress,
                     .interface = out.interface,
                     .source = out.destination,
                     .destination = {},
                     .proto = out.proto,
                     .port = 0,
                     .cgroup = {},
                     .user = {}};
    bool v4 = out.destination.is_v4();
    if (has_ports(out.proto)) question.port = kClientPort;
    if (has_type(out, v4)) {
        if (out.port != (v4 ? 0 : 129)) return false; // only an echo reply answers
        question.port = v4 ? 8 : 128;
    }
    return evaluate(policy, question).answer == Answer::allowed;
}

// The same of what is routed, by whichever side it would have been asked for.
bool is_routed_answer(const Policy& policy, const Opening& through) {
    if (through.proto == 6) return false; // what is sent here opens
    bool v4 = through.source.is_v4();
    if (has_type(through, v4) && through.port != (v4 ? 0 : 129)) return false;
    for (const char* interface : {"", "eth0", "eth1", "eth2", "en00", "wg0"}) {
        Opening question = through;
        question.interface = interface;
        std::swap(question.source, question.destination);
        question.port = has_ports(through.proto) ? kClientPort : 0;
        if (has_type(through, v4)) question.port = v4 ? 8 : 128;
        if (evaluate(policy, question).answer == Answer::allowed) return true;
    }
    return false;
}

} // namespace

TEST_CASE("XDP decides every arrival as the oracle does, by the same rule") {
    std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    int total = 0;
    for (int i = 0; i < kPolicies; ++i) {
        Policy policy = ordinary_policy(dice);
        Bench bench{policy};
        int asked = 0;
        for (int k = 0; k < kTries && asked < kOpenings; ++k) {
            Direction direction = k % 2 == 0 ? Direction::ingress : Direction::forward;
            std::optional<Opening> opening = askable(random_opening(dice, policy), direction);
            if (!opening || is_foreign_icmp(*opening, opening->source.is_v4())) continue;
            bool v4 = opening->source.is_v4();
            std::string host = v4 ? kHost4 : kHost6;
            std::string dst =
                direction == Direction::ingress ? host : to_string(opening->destination);
            Packet packet =
                ip_of(*opening, to_string(opening->source), dst, v4) / transport_of(*opening, v4);
            Seen seen = bench.xdp(on(opening->interface, packet), opening->interface);
            Verdict verdict = evaluate(policy, *opening);
            if (direction == Direction::forward && verdict.answer != Answer::allowed &&
                is_routed_answer(policy, *opening))
                continue;
            // A metadata address has a reason of its own, which the oracle does not know.
            if (seen.reason == SP_REASON_METADATA) seen.reason = SP_REASON_NO_RULE;
            check(policy, *opening, seen, verdict);
            ++asked;
        }
        total += asked;
    }
    CHECK(total > kPolicies * kOpenings / 2);
}

TEST_CASE("cgroup and TC decide every departure as the oracle does, by the same rule") {
    std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    int total = 0;
    for (int i = 0; i < kPolicies; ++i) {
        Policy policy = ordinary_policy(dice);
        Bench bench{policy};
        int asked = 0;
        for (int k = 0; k < kTries && asked < kOpenings; ++k) {
            std::optional<Opening> opening =
                askable(random_opening(dice, policy), Direction::egress);
            if (!opening || is_foreign_icmp(*opening, opening->destination.is_v4())) continue;
            Verdict verdict = evaluate(policy, *opening);
            if (verdict.answer != Answer::allowed && is_answer(policy, *opening)) continue;
            bool v4 = opening->destination.is_v4();
            Packet packet =
                ip_of(*opening, v4 ? kHost4 : kHost6, to_string(opening->destination), v4) /
                transport_of(*opening, v4);
            for (sp_hook hook : {SP_HOOK_CGROUP, SP_HOOK_TC}) {
                // The cgroup sees no Ethernet, but BPF_PROG_TEST_RUN wants it.
                Packet frame =
                    hook == SP_HOOK_CGROUP ? eth{} / packet : on(opening->interface, packet);
                Seen seen = hook == SP_HOOK_CGROUP ? bench.cgroup(frame, opening->interface)
                                                   : bench.tc(frame, opening->interface);
                if (seen.reason == SP_REASON_METADATA) seen.reason = SP_REASON_NO_RULE;
                check(policy, *opening, seen, verdict);
            }
            ++asked;
        }
        total += asked;
    }
    CHECK(total > kPolicies * kOpenings / 2);
}

TEST_CASE("the hooks for what is routed decide as the oracle does, by the same rule") {
    std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    int total = 0;
    for (int i = 0; i < kPolicies; ++i) {
        Policy policy = ordinary_policy(dice);
        const sp_forward_hook hook = i % 2 == 0 ? SP_FORWARD_NETFILTER : SP_FORWARD_TC_INGRESS;
        // TC is on the interface without guard alone.
        const std::string interface = hook == SP_FORWARD_NETFILTER ? "" : "eth2";
        Bench bench{policy, {.forward_hook = hook}};
        int asked = 0;
        for (int k = 0; k < kTries && asked < kOpenings; ++k) {
            std::optional<Opening> opening =
                askable(random_opening(dice, policy), Direction::forward);
            if (!opening || is_foreign_icmp(*opening, opening->source.is_v4())) continue;
            if (!interface.empty()) opening->interface = interface;
            Verdict verdict = evaluate(policy, *opening);
            if (verdict.answer != Answer::allowed && is_routed_answer(policy, *opening)) continue;
            bool v4 = opening->source.is_v4();
            Packet packet =
                ip_of(*opening, to_string(opening->source), to_string(opening->destination), v4) /
                transport_of(*opening, v4);
            bench.instance().forget_flows();
            Seen seen = bench.forward(eth{} / packet, opening->interface);
            if (seen.reason == SP_REASON_METADATA) seen.reason = SP_REASON_NO_RULE;
            check(policy, *opening, seen, verdict);
            ++asked;
        }
        total += asked;
    }
    CHECK(total > kPolicies * kOpenings / 2);
}
