// SPDX-License-Identifier: Apache-2.0
// The image as a whole: settings, counters, interfaces, and the bounds.
#include "compile/compile.h"
#include "compile/lookup.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <set>

using namespace sallyport;

namespace {

PeerSet host(std::uint32_t address) {
    return {.parts = {{.networks = std::make_shared<const std::vector<Prefix>>(
                           std::vector{prefix_of(Address::v4(address), 128)}),
                       .except = {},
                       .interfaces = {}}}};
}

Services tcp(std::uint16_t port) {
    return {.any_protocol = false, .ranges = {{.proto = 6, .low = port, .high = port}}};
}

Rule allow(const std::string& name, PeerSet from, Services services) {
    Rule rule;
    rule.name = name;
    rule.from = std::move(from);
    rule.services = std::move(services);
    return rule;
}

std::uint16_t port_of(unsigned i) {
    return static_cast<std::uint16_t>(i + 1);
}

// `count` rules; each has the source and the port that the two functions give it.
template <typename Source, typename Port> Policy many(unsigned count, Source source, Port port) {
    Policy policy;
    for (unsigned i = 0; i < count; ++i)
        policy.rules.push_back(allow("r" + std::to_string(i), source(i), tcp(port(i))));
    return policy;
}

Opening tcp_from(std::uint32_t source, std::uint16_t port) {
    Opening opening;
    opening.source = Address::v4(source);
    opening.proto = 6;
    opening.port = port;
    return opening;
}

constexpr unsigned kRules = 10'000;

} // namespace

TEST_CASE("an empty policy makes an image that has no rule for anything") {
    const Result<MapImage> image = compile(Policy{}, {});
    REQUIRE(image);
    CHECK(image->ports.size() == SP_PORT_CHUNKS);
    CHECK(image->cells.size() >= 1);
    CHECK(image->cgroup_states.size() == 1);
    CHECK(image->rules.empty());
    for (const sp_dims& dims : image->slot.dims) {
        CHECK(dims.n_second == 1);
        CHECK(dims.n_near == 1);
        CHECK(dims.n_ports == 1);
    }
    for (const sp_chunk& chunk : image->cells)
        for (const __u16 word : chunk.words) REQUIRE(word == 0);
}

TEST_CASE("settings go into the slot, and what is off stays zero") {
    Policy policy;
    policy.essentials = {.arp = false,
                         .neighbour_discovery = false,
                         .dhcp_client = false,
                         .icmp_errors = false,
                         .ping = {},
                         .routers = {},
                         .judge_ip_options = false,
                         .redirects = false,
                         .link_protocols = {},
                         .track_fragments = false};
    policy.flows.udp_idle = std::chrono::seconds(61);
    policy.flows.tcp_idle = std::chrono::seconds(7201);
    policy.events.per_second = 17;
    policy.events.names = false;
    Result<MapImage> image = compile(policy, {.generation = 9, .interfaces = {}, .counters = {}});
    REQUIRE(image);
    CHECK(image->slot.generation == 9);
    CHECK(image->slot.flags == 0);
    CHECK(image->slot.udp_idle_s == 61);
    CHECK(image->slot.tcp_idle_s == 7201);
    CHECK(image->slot.events_per_second == 17);

    policy.host.mode = Mode::observe;
    policy.essentials.arp = policy.essentials.redirects = policy.essentials.judge_ip_options = true;
    policy.essentials.track_fragments = true;
    image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.flags == (SP_SLOT_OBSERVE | SP_SLOT_ARP | SP_SLOT_REDIRECTS |
                                SP_SLOT_IP_OPTIONS | SP_SLOT_FRAGMENTS));
    policy.essentials.link_protocols = {
        .lldp = true, .eapol = true, .lacp = true, .ptp = true, .stp = true};
    image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.flags == (SP_SLOT_OBSERVE | SP_SLOT_ARP | SP_SLOT_REDIRECTS |
                                SP_SLOT_IP_OPTIONS | SP_SLOT_FRAGMENTS | SP_SLOT_LLDP |
                                SP_SLOT_EAPOL | SP_SLOT_LACP | SP_SLOT_PTP | SP_SLOT_STP));
    policy = {};
    image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.flags ==
          (SP_SLOT_ARP | SP_SLOT_NEIGHBOUR | SP_SLOT_DHCP | SP_SLOT_ICMP_ERRORS | SP_SLOT_NAMES));
}

TEST_CASE("a life of no seconds or of too many is the nearest that can be said") {
    Policy policy;
    policy.flows.udp_idle = std::chrono::seconds(0);
    policy.flows.tcp_idle = std::chrono::seconds(1ll << 40);
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.udp_idle_s == 1);
    CHECK(image->slot.tcp_idle_s == UINT32_MAX);
}

TEST_CASE("rules keep their order, and a rule that is denied stores no allow") {
    Policy policy = many(2, [](unsigned) { return any_peer(); }, port_of);
    policy.rules[1].deny = true;
    policy.rules[1].log_new = true;
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    REQUIRE(image->rules.size() == 2);
    CHECK(image->rules[0].allow == 1);
    CHECK(image->rules[0].flags == 0);
    CHECK(image->rules[1].allow == 0);
    CHECK(image->rules[1].flags == SP_RULE_LOG_NEW);
    CHECK(image->rule_names == std::vector<std::string>{"r0", "r1"});
}

TEST_CASE("counters stay with their names, new names take the lowest that is free") {
    const Policy policy = many(4, [](unsigned) { return any_peer(); }, port_of);
    CompileInput input;
    input.counters = {{"r2", 0}, {"gone", 1}, {"r0", 7}};
    const Result<MapImage> image = compile(policy, input);
    REQUIRE(image);
    CHECK(image->rules[0].counter == 7);
    CHECK(image->rules[1].counter == 2);
    CHECK(image->rules[2].counter == 0);
    CHECK(image->rules[3].counter == 3);
}

TEST_CASE("counters beyond the last and counters that ran out are errors") {
    const Policy policy = many(1, [](unsigned) { return any_peer(); }, port_of);
    CompileInput input;
    input.counters = {{"r0", SP_COUNTERS_MAX}};
    CHECK_FALSE(compile(policy, input));
    input.counters = {{"r0", SP_COUNTERS_MAX - 1}};
    CHECK(compile(policy, input));
    input.counters.clear();
    for (std::uint32_t i = 0; i < SP_COUNTERS_MAX; ++i) input.counters["x" + std::to_string(i)] = i;
    CHECK_FALSE(compile(policy, input));
    input.counters.erase("x17");
    const Result<MapImage> image = compile(policy, input);
    REQUIRE(image);
    CHECK(image->rules[0].counter == 17);
}

TEST_CASE("interfaces with the same truths share a class, unmatched ones have class 0") {
    Policy policy = many(2, [](unsigned) { return any_peer(); }, port_of);
    policy.rules[0].interfaces = {"eth*"};
    policy.rules[1].interfaces = {"eth1", "wg0"};
    const Result<MapImage> image = compile(
        policy,
        {.generation = 1, .interfaces = {"lo", "eth0", "eth1", "eth2", "wg0", ""}, .counters = {}});
    REQUIRE(image);
    const Lookup tables(*image);
    CHECK(image->interfaces.size() == 6);
    CHECK(tables.interface_class("lo") == 0);
    CHECK(tables.interface_class("") == 0);
    CHECK(tables.interface_class("never-named") == 0);
    CHECK(tables.interface_class("eth0") == tables.interface_class("eth2"));
    const std::set<std::uint32_t> distinct{tables.interface_class("eth0"),
                                           tables.interface_class("eth1"),
                                           tables.interface_class("wg0")};
    CHECK(distinct.size() == 3);
    CHECK(image->slot.n_ifaces == 4);
}

TEST_CASE("rules that tell interfaces apart say so in the slot before such an interface is there") {
    Policy policy = many(1, [](unsigned) { return any_peer(); }, port_of);
    const CompileInput input{.generation = 1, .interfaces = {"lo", "eth0"}, .counters = {}};
    const Result<MapImage> alike = compile(policy, input);
    REQUIRE(alike);
    CHECK(alike->slot.n_ifaces == 1);
    policy.rules[0].interfaces = {"lan*"};
    const Result<MapImage> image = compile(policy, input);
    REQUIRE(image);
    CHECK(image->slot.n_ifaces == 2);
    CHECK(Lookup(*image).interface_class("eth0") == 0);
}

TEST_CASE("an interface without a name is matched by no glob, not even by *") {
    Policy policy = many(1, [](unsigned) { return any_peer(); }, port_of);
    policy.rules[0].interfaces = {"*"};
    const Result<MapImage> image =
        compile(policy, {.generation = 1, .interfaces = {"", "lo"}, .counters = {}});
    REQUIRE(image);
    CHECK(Lookup(*image).interface_class("") == 0);
    CHECK(Lookup(*image).interface_class("lo") == 1);
}

TEST_CASE("equal input makes equal bytes") {
    const Policy policy = many(50, [](unsigned i) { return host(i / 3 * 1000); }, port_of);
    const Result<MapImage> a = compile(policy, {});
    const Result<MapImage> b = compile(policy, {});
    REQUIRE(a);
    REQUIRE(b);
    CHECK(std::memcmp(&a->slot, &b->slot, sizeof a->slot) == 0);
    REQUIRE(a->cells.size() == b->cells.size());
    CHECK(std::memcmp(a->cells.data(), b->cells.data(), a->cells.size() * sizeof(sp_chunk)) == 0);
    CHECK(std::memcmp(a->ports.data(), b->ports.data(), a->ports.size() * sizeof(sp_chunk)) == 0);
    CHECK(std::memcmp(a->v4_bits.data(), b->v4_bits.data(), a->v4_bits.size() * sizeof(sp_bits)) ==
          0);
}

TEST_CASE("ten thousand sources of one port are ten thousand classes that answer") {
    const Policy policy = many(
        kRules, [](unsigned i) { return host(i * 257); },
        [](unsigned) { return std::uint16_t{443}; });
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.dims[SP_INGRESS].n_near == kRules + 1);
    const Lookup tables(*image);
    for (unsigned i = 0; i < kRules; i += 37) {
        REQUIRE(tables.cell(tcp_from(i * 257, 443)) == i + 1);
        REQUIRE(tables.cell(tcp_from(i * 257 + 1, 443)) == 0u);
        REQUIRE(tables.cell(tcp_from(i * 257, 444)) == 0u);
    }
}

TEST_CASE("ten thousand ports of one source are ten thousand classes that answer") {
    const Policy policy = many(kRules, [](unsigned) { return host(0x0a000001); }, port_of);
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.dims[SP_INGRESS].n_ports == kRules + 1);
    const Lookup tables(*image);
    for (unsigned i = 0; i < kRules; i += 37)
        REQUIRE(tables.cell(tcp_from(0x0a000001, port_of(i))) == i + 1);
    CHECK(tables.cell(tcp_from(0x0a000001, kRules + 1)) == 0u);
    CHECK(tables.cell(tcp_from(0x0a000002, 1)) == 0u);
}

TEST_CASE("rules with sources of their own and a shared network share what they can") {
    Policy policy = many(
        2000, [](unsigned i) { return host(0x0a000000 + i); },
        [](unsigned i) { return static_cast<std::uint16_t>(i % 4 + 1); });
    const PeerPart lan = any_peer().parts[0];
    for (Rule& rule : policy.rules) rule.from.parts.push_back(lan);
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    const Lookup tables(*image);
    CHECK(tables.cell(tcp_from(0x0a000007, 4)) == 8u); // its own rule: the longer prefix
    CHECK(tables.cell(tcp_from(0x0a000007, 1)) == 1u); // the first of port 1
    CHECK(tables.cell(tcp_from(0x0b000000, 3)) == 3u);
}

TEST_CASE("ten thousand pairs of a source and a port of their own are refused with the numbers") {
    const Result<MapImage> image =
        compile(many(kRules, [](unsigned i) { return host(i); }, port_of), {});
    REQUIRE_FALSE(image);
    CHECK(image.error().kind == ErrorKind::invalid_input);
    CHECK(image.error().message.find("10001 port classes") != std::string::npos);
    CHECK(image.error().message.find(std::to_string(SP_CELLS_MAX)) != std::string::npos);
    CHECK_FALSE(image.error().hint.empty());
}

TEST_CASE("the most rules that fit compile, and one more is refused") {
    const auto source = [](unsigned i) { return host(i); };
    const auto port = [](unsigned) { return std::uint16_t{22}; };
    CHECK(compile(many(SP_RULES_MAX, source, port), {}));
    const Result<MapImage> image = compile(many(SP_RULES_MAX + 1, source, port), {});
    REQUIRE_FALSE(image);
    CHECK(image.error().message.find(std::to_string(SP_RULES_MAX + 1)) != std::string::npos);
}

TEST_CASE("the last rule that fits still decides by its number") {
    Policy policy = many(
        SP_RULES_MAX, [](unsigned) { return any_peer(); },
        [](unsigned) { return std::uint16_t{22}; });
    policy.rules.back().deny = true;
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    CHECK(Lookup(*image).cell(tcp_from(1, 22)) == SP_RULES_MAX);
    CHECK(Lookup(*image).verdict(tcp_from(1, 22)).answer == Answer::denied);
}

TEST_CASE("what the tables cannot say is refused, never left out") {
    Policy policy = many(1, [](unsigned) { return any_peer(); }, port_of);
    policy.rules[0].identity.user = 0;
    CHECK_FALSE(compile(policy, {})); // ingress
    policy.rules[0].identity.user.reset();
    policy.rules[0].direction = Direction::forward;
    policy.rules[0].to = any_peer();
    CHECK(compile(policy, {}));
    policy.rules[0].to.parts[0].interfaces = {"eth1"};
    CHECK_FALSE(compile(policy, {}));
    CHECK_FALSE(compile(Policy{}, {.generation = 0, .interfaces = {}, .counters = {}}));
}
