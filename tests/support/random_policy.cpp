// SPDX-License-Identifier: Apache-2.0
// Networks and ports come from short lists on purpose: random ones would never meet.
#include "support/random_policy.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

namespace sallyport::test {

namespace {

const std::vector<std::string> kBases{"0.0.0.0",
                                      "10.0.0.0",
                                      "10.0.0.255",
                                      "10.0.1.0",
                                      "10.0.1.77",
                                      "10.255.255.255",
                                      "127.255.255.255",
                                      "128.0.0.0",
                                      "192.0.2.1",
                                      "255.255.255.255",
                                      "::",
                                      "::1",
                                      "::fffe:0:1",
                                      "2001:db8::",
                                      "2001:db8:0:1::5",
                                      "2001:db8:ffff::",
                                      "fd00:10::1",
                                      "fd00:10:0:1::",
                                      "fd00:10:0:1::fff",
                                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
const std::vector<unsigned> kLengths4{0, 1, 8, 15, 16, 23, 24, 25, 31, 32};
const std::vector<unsigned> kLengths6{0,  1,  8,  15, 16, 17, 31,  32, 33,
                                      47, 48, 49, 64, 80, 95, 127, 128};
const std::vector<std::uint8_t> kProtos{6, 17, 132, 136, 1, 58, 47, 0, 255};
const std::vector<std::uint16_t> kPorts{0,  1,   21,  22,   23,   79,    80,
                                        81, 255, 256, 8000, 8010, 65534, 65535};
const std::vector<std::uint16_t> kTypes{0, 1, 8, 127, 128, 254, 255};
const std::vector<std::string> kGlobs{"eth0", "eth*", "en?0", "*", "wg0"};
const std::vector<std::string> kHosts{"/", "/", "/lab-1", "/lab.slice", "/a.slice/b"};
const std::vector<std::string> kUnits{"rag.service", "web.service", "ai.slice", "b",
                                      "system.slice"};
const std::vector<std::string> kNames{"rag.service",  "web.service", "ai.slice",  "b",
                                      "system.slice", "lab-1",       "lab.slice", "a.slice",
                                      "other",        "x.slice"};
const std::vector<std::string> kPaths{"/",          "/system.slice", "/system.slice/rag.service",
                                      "/lab-1",     "/lab-1/other",  "/a.slice/b/web.service",
                                      "/lab.slice", "/other/b"};
const std::vector<std::uint32_t> kUsers{0, 1000, 1001, 4294967295u};

bool has_ports(std::uint8_t proto) {
    return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}
bool has_types(std::uint8_t proto) {
    return proto == 1 || proto == 58;
}

Address random_base(Dice& dice) {
    return *parse_address(dice.pick(kBases));
}

Prefix random_prefix(Dice& dice) {
    const Address base = random_base(dice);
    return base.is_v4() ? prefix_of(base, 96 + dice.pick(kLengths4))
                        : prefix_of(base, dice.pick(kLengths6));
}

PrefixList random_list(Dice& dice) {
    auto list = std::make_shared<std::vector<Prefix>>();
    for (std::size_t n = dice.roll(4); n > 0; --n) list->push_back(random_prefix(dice));
    return list;
}

std::vector<std::string> random_globs(Dice& dice, const PolicyShape& shape) {
    std::vector<std::string> globs;
    if (!shape.interfaces || !dice.once_in(4)) return globs;
    for (std::size_t n = 1 + dice.roll(2); n > 0; --n) globs.push_back(dice.pick(kGlobs));
    return globs;
}

enum class Where : std::uint8_t { anywhere, by_interface };

// Some lists are shared by pointer, some equal by content, as zones make them.
PeerSet random_peers(Dice& dice, const PolicyShape& shape, const std::vector<PrefixList>& zones,
                     Where where) {
    if (dice.once_in(6)) return any_peer();
    PeerSet peers;
    for (std::size_t n = dice.roll(3) + (dice.once_in(8) ? 0 : 1); n > 0; --n) {
        PeerPart part{.networks = dice.once_in(2) ? dice.pick(zones) : random_list(dice),
                      .except = {},
                      .interfaces = {}};
        while (dice.once_in(3))
            part.except.push_back(dice.once_in(2) ? dice.pick(zones) : random_list(dice));
        if (where == Where::by_interface) part.interfaces = random_globs(dice, shape);
        peers.parts.push_back(std::move(part));
    }
    return peers;
}

ServiceRange random_range(Dice& dice) {
    ServiceRange range{.proto = dice.pick(kProtos), .low = 0, .high = 65535};
    if (dice.once_in(4)) return range;
    if (!has_ports(range.proto) && !has_types(range.proto)) return range;
    const auto& values = has_ports(range.proto) ? kPorts : kTypes;
    range.low = dice.pick(values);
    range.high = dice.once_in(2) ? range.low : dice.pick(values);
    if (range.low > range.high) std::swap(range.low, range.high);
    return range;
}

Services random_services(Dice& dice) {
    if (dice.once_in(5)) return {.any_protocol = true, .ranges = {}};
    Services services;
    for (std::size_t n = 1 + dice.roll(3); n > 0; --n)
        services.ranges.push_back(random_range(dice));
    return services;
}

Identity random_identity(Dice& dice) {
    Identity identity;
    const std::size_t kind = dice.roll(6);
    if (kind < 2) identity.unit = dice.pick(kUnits);
    if (kind == 2 || kind == 3) identity.cgroup = dice.pick(kPaths);
    if (kind == 4 || dice.once_in(4)) identity.user = dice.pick(kUsers);
    return identity;
}

void add_limit(Dice& dice, Rule& rule) {
    if (rule.deny) return;
    rule.log_new = dice.once_in(3);
    if (rule.direction != Direction::ingress || dice.once_in(2)) return;
    rule.limit = Limit{};
    rule.limit->rate = {.count = 1 + static_cast<std::uint32_t>(dice.roll(3)),
                        .per = std::chrono::seconds(60)};
}

Rule random_rule(Dice& dice, const PolicyShape& shape, const std::vector<PrefixList>& zones) {
    Rule rule;
    rule.direction = dice.pick(shape.directions);
    rule.deny = dice.once_in(4);
    if (rule.direction != Direction::egress)
        rule.from = random_peers(dice, shape, zones, Where::by_interface);
    if (rule.direction == Direction::egress)
        rule.to = random_peers(dice, shape, zones, Where::by_interface);
    if (rule.direction == Direction::forward)
        rule.to = random_peers(dice, shape, zones, Where::anywhere);
    rule.services = random_services(dice);
    rule.interfaces = random_globs(dice, shape);
    if (shape.identities && rule.direction == Direction::egress && dice.once_in(2))
        rule.identity = random_identity(dice);
    if (shape.limits) add_limit(dice, rule);
    return rule;
}

Address stepped(Address address, int by) {
    for (std::size_t i = 16; i-- > 0;) {
        const int sum = address.bytes[i] + by;
        address.bytes[i] = static_cast<std::uint8_t>(sum);
        if (sum >= 0 && sum <= 255) break;
        by = sum < 0 ? -1 : 1;
    }
    return address;
}

Address last_of(const Prefix& prefix) {
    Address last = prefix.base;
    for (unsigned bit = prefix.length; bit < 128; ++bit)
        last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | 0x80 >> bit % 8);
    return last;
}

// First, last, and one beyond either.
Address edge_of(Dice& dice, const Prefix& prefix) {
    switch (dice.roll(4)) {
    case 0:
        return prefix.base;
    case 1:
        return last_of(prefix);
    case 2:
        return stepped(last_of(prefix), 1);
    default:
        return stepped(prefix.base, -1);
    }
}

Address random_address(Dice& dice, const PeerSet* aim) {
    if (aim != nullptr && !aim->parts.empty()) {
        const PeerPart& part = dice.pick(aim->parts);
        const PrefixList& list =
            part.except.empty() || dice.once_in(2) ? part.networks : dice.pick(part.except);
        if (!list->empty()) return edge_of(dice, dice.pick(*list));
    }
    return edge_of(dice, random_prefix(dice));
}

void aim_service(Dice& dice, const Rule* aim, Opening& opening) {
    opening.proto = dice.pick(kProtos);
    if (aim != nullptr && !aim->services.ranges.empty()) {
        const ServiceRange& range = dice.pick(aim->services.ranges);
        opening.proto = range.proto;
        const int beyond = dice.once_in(3) ? 1 : 0;
        opening.port =
            static_cast<std::uint16_t>(dice.once_in(2) ? range.low - beyond : range.high + beyond);
    } else {
        opening.port = has_ports(opening.proto) ? dice.pick(kPorts) : dice.pick(kTypes);
    }
    if (has_types(opening.proto))
        opening.port &= 255;
    else if (!has_ports(opening.proto))
        opening.port = 0;
}

} // namespace

std::uint64_t test_seed() {
    if (const char* text = std::getenv("SP_SEED")) return std::strtoull(text, nullptr, 0);
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

const std::vector<std::string>& universe_interfaces() {
    static const std::vector<std::string> names{"eth0", "eth1", "en00", "wg0", "lo"};
    return names;
}

const std::vector<std::uint32_t>& universe_users() {
    static const std::vector<std::uint32_t> users{0, 1000, 1001, 4294967295u, 7};
    return users;
}

Policy random_policy(Dice& dice, const PolicyShape& shape) {
    Policy policy;
    const std::vector<PrefixList> zones{random_list(dice), random_list(dice), random_list(dice)};
    policy.host.cgroup = dice.pick(kHosts);
    for (std::size_t n = dice.roll(shape.rules + 1); n > 0; --n) {
        policy.rules.push_back(random_rule(dice, shape, zones));
        policy.rules.back().name = "rule " + std::to_string(policy.rules.size());
    }
    policy.exfil_inside = random_peers(dice, shape, zones, Where::by_interface);
    policy.essentials.ping = random_peers(dice, shape, zones, Where::by_interface);
    policy.essentials.routers = random_peers(dice, shape, zones, Where::by_interface);
    return policy;
}

std::string random_cgroup(Dice& dice, const Policy& policy) {
    if (dice.once_in(8)) return "";
    std::vector<std::string> names = kNames; // those that rules ask for more often than others
    for (const Rule& rule : policy.rules)
        if (!rule.identity.unit.empty()) names.insert(names.end(), 4, rule.identity.unit);
    std::string path = dice.once_in(3) ? dice.pick(kPaths) : policy.host.cgroup;
    if (path == "/") path.clear();
    for (std::size_t n = dice.roll(4); n > 0; --n) path += "/" + dice.pick(names);
    return path.empty() ? "/" : path;
}

Opening random_opening(Dice& dice, const Policy& policy, const PolicyShape& shape) {
    const Rule* aim = policy.rules.empty() || dice.once_in(3) ? nullptr : &dice.pick(policy.rules);
    Opening opening;
    opening.direction = aim != nullptr ? aim->direction : dice.pick(shape.directions);
    opening.interface = dice.once_in(8) ? "" : dice.pick(universe_interfaces());
    if (opening.direction != Direction::egress)
        opening.source = random_address(dice, aim != nullptr ? &aim->from : nullptr);
    if (opening.direction != Direction::ingress)
        opening.destination = random_address(dice, aim != nullptr ? &aim->to : nullptr);
    aim_service(dice, aim, opening);
    if (opening.direction != Direction::egress) return opening;
    opening.cgroup = random_cgroup(dice, policy);
    if (!dice.once_in(5)) opening.user = dice.pick(universe_users());
    return opening;
}

} // namespace sallyport::test
