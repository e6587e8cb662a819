// SPDX-License-Identifier: Apache-2.0
// The order of the work: name what the rules see (interfaces, peers,
// identities), cut addresses into classes, decide for each direction over
// classes, merge the classes that no decision tells apart, then write bytes.
#include "compile/compile.h"

#include "compile/addresses.h"
#include "compile/cells.h"
#include "compile/globs.h"
#include "compile/identity.h"
#include "compile/interfaces.h"
#include "compile/limits.h"
#include "compile/peers.h"
#include "compile/table.h"
#include "compile/tries.h"
#include "sallyport/abi/capture.h"

#include <algorithm>
#include <set>

namespace sallyport {

namespace {

// What the rules see, by number.
struct Seen {
    GlobSets globs;
    Peers peers;
    std::array<DirectionRules, SP_DIRECTIONS> directions;
    Marked marked;
};

Status check_rule(const Rule& rule) {
    const std::string who = "rule \"" + rule.name + "\": ";
    if (rule.direction != Direction::egress && !rule.identity.is_none())
        return fail(ErrorKind::invalid_input, who + "unit, user and cgroup are for egress only");
    if (rule.limit && (rule.direction != Direction::ingress || rule.deny))
        return fail(ErrorKind::invalid_input,
                    who + "only what an ingress rule lets in has a limit");
    if (rule.direction != Direction::forward) return {};
    for (const PeerPart& part : rule.to.parts)
        if (!part.interfaces.empty())
            return fail(ErrorKind::not_supported,
                        who + "`to` names a zone with interfaces, and the interface that routed "
                              "traffic leaves by is not known when it is judged",
                        "name the networks without the interface");
    return {};
}

Status check(const Policy& policy, const CompileInput& input) {
    if (input.generation == 0)
        return fail(ErrorKind::internal, "a policy was to be compiled as generation 0");
    if (policy.rules.size() > SP_RULES_MAX)
        return fail(ErrorKind::invalid_input,
                    "the policy has " + std::to_string(policy.rules.size()) +
                        " rules, and at most " + std::to_string(SP_RULES_MAX) + " can be loaded",
                    "put networks that are treated alike into one zone and one rule");
    if (input.interfaces.size() >= UINT16_MAX)
        return fail(ErrorKind::internal, "more than 65534 interfaces were named to the compiler");
    for (const Rule& rule : policy.rules) SP_TRY(check_rule(rule));
    return {};
}

TableRule table_rule(const Policy& policy, std::uint32_t number, Seen& seen,
                     const IdentityClasses& identities) {
    const Rule& rule = policy.rules[number];
    const bool forward = rule.direction == Direction::forward;
    DirectionRules& direction = seen.directions[static_cast<std::size_t>(rule.direction)];
    TableRule made;
    made.number = number;
    made.rule = &rule;
    made.near =
        seen.peers.add(rule.direction == Direction::egress ? rule.to : rule.from, seen.globs);
    if (forward) made.far = seen.peers.add(rule.to, seen.globs);
    made.globs = seen.globs.add(rule.interfaces);
    made.service = direction.services.add(rule.services,
                                          rule.deny ? AnyIcmp::every_type : AnyIcmp::echo_requests);
    made.for_all = !forward && rule.identity.is_none();
    if (!rule.identity.is_none())
        for (const std::uint32_t second : identities.members(rule.identity))
            made.seconds.push_back({.second = second, .rank = 1});
    return made;
}

Seen see(const Policy& policy, const IdentityClasses& identities) {
    Seen seen;
    for (std::size_t d = 0; d < SP_DIRECTIONS; ++d)
        seen.directions[d].direction = static_cast<Direction>(d);
    if (identities.asked) seen.directions[SP_EGRESS].n_second = identities.count() + 1;
    for (std::uint32_t number = 0; number < policy.rules.size(); ++number) {
        const auto d = static_cast<std::size_t>(policy.rules[number].direction);
        seen.directions[d].rules.push_back(table_rule(policy, number, seen, identities));
    }
    // In the order of SP_MARK_*.
    seen.marked = {seen.peers.add(policy.exfil_inside, seen.globs),
                   seen.peers.add(policy.essentials.ping, seen.globs),
                   seen.peers.add(policy.essentials.routers, seen.globs)};
    return seen;
}

// Numbers given before stay; names without one take the lowest that is free, in file order.
Status number_counters(const CompileInput& input, MapImage& image) {
    std::map<std::string, std::uint32_t> numbers = input.counters;
    std::set<std::uint32_t> taken;
    for (const auto& [name, number] : numbers) {
        if (number >= SP_COUNTERS_MAX)
            return fail(ErrorKind::internal, "rule \"" + name + "\" has counter " +
                                                 std::to_string(number) + ", beyond the last");
        taken.insert(number);
    }
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < image.rules.size(); ++i) {
        const auto [at, fresh] = numbers.try_emplace(image.rule_names[i], 0);
        if (fresh) {
            while (taken.contains(next)) ++next;
            if (next >= SP_COUNTERS_MAX)
                return fail(ErrorKind::invalid_input,
                            "no counter is free for rule \"" + at->first + "\": all " +
                                std::to_string(SP_COUNTERS_MAX) + " are taken");
            at->second = next++;
        }
        image.rules[i].counter = at->second;
    }
    return {};
}

std::uint32_t flags_of(const Policy& policy) {
    const Essentials& essentials = policy.essentials;
    std::uint32_t flags = policy.host.mode == Mode::observe ? SP_SLOT_OBSERVE : 0;
    if (essentials.arp) flags |= SP_SLOT_ARP;
    if (essentials.neighbour_discovery) flags |= SP_SLOT_NEIGHBOUR;
    if (essentials.dhcp_client) flags |= SP_SLOT_DHCP;
    if (essentials.icmp_errors) flags |= SP_SLOT_ICMP_ERRORS;
    if (essentials.judge_ip_options) flags |= SP_SLOT_IP_OPTIONS;
    if (essentials.redirects) flags |= SP_SLOT_REDIRECTS;
    const LinkProtocols& links = essentials.link_protocols;
    if (links.lldp) flags |= SP_SLOT_LLDP;
    if (links.eapol) flags |= SP_SLOT_EAPOL;
    if (links.lacp) flags |= SP_SLOT_LACP;
    if (links.ptp) flags |= SP_SLOT_PTP;
    if (links.stp) flags |= SP_SLOT_STP;
    if (essentials.track_fragments) flags |= SP_SLOT_FRAGMENTS;
    if (policy.host.packet_sockets == PacketSockets::deny) flags |= SP_SLOT_PACKET_DENY;
    if (policy.bans.after_limits) flags |= SP_SLOT_AFTER_LIMITS;
    if (policy.bans.after_probes) flags |= SP_SLOT_AFTER_PROBES;
    if (policy.events.names) flags |= SP_SLOT_NAMES;
    return flags;
}

// A life of 0 would mean "free", so the shortest is a second.
std::uint32_t seconds_of(std::chrono::seconds life) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(life.count(), 1, UINT32_MAX));
}

void write_settings(const Policy& policy, const CompileInput& input, MapImage& image) {
    image.slot.generation = input.generation;
    image.slot.flags = flags_of(policy);
    image.slot.udp_idle_s = seconds_of(policy.flows.udp_idle);
    image.slot.tcp_idle_s = seconds_of(policy.flows.tcp_idle);
    image.slot.events_per_second = policy.events.per_second;
    image.slot.capture_bytes = std::min(policy.events.capture_bytes, SP_CAPTURE_MAX);
    for (const Rule& rule : policy.rules) {
        std::uint32_t flags = rule.log_new ? SP_RULE_LOG_NEW : 0;
        if (rule.limit) {
            image.limits.push_back(compile_limit(*rule.limit));
            flags |= static_cast<std::uint32_t>(image.limits.size()) << SP_RULE_LIMIT_SHIFT;
        }
        image.rules.push_back(
            {.allow = rule.deny ? 0u : 1u, .flags = flags, .counter = 0, .spare = 0});
        image.rule_names.push_back(rule.name);
    }
}

void write_identities(IdentityClasses identities, MapImage& image) {
    image.slot.n_users = identities.users;
    image.slot.any_identity = image.slot.dims[SP_EGRESS].n_second - 1;
    image.cgroup_steps = std::move(identities.steps);
    image.cgroup_states = std::move(identities.states);
    image.users.assign(identities.user_classes.begin(), identities.user_classes.end());
}

} // namespace

Result<MapImage> compile(const Policy& policy, const CompileInput& input) {
    SP_TRY(check(policy, input));
    static_cast<void>(SP_TRY(compile_globs(policy.host.interfaces))); // only: do they fit?
    IdentityClasses identities = SP_TRY(classify_identities(policy));
    Seen seen = see(policy, identities);
    InterfaceClasses interfaces = classify_interfaces(seen.globs, input.interfaces);
    const AddressClasses addresses = SP_TRY(classify_addresses(seen.peers));

    MapImage image;
    DirectionTables tables;
    for (std::size_t d = 0; d < SP_DIRECTIONS; ++d)
        tables[d] =
            SP_TRY(build_table(std::move(seen.directions[d]), seen.peers, addresses, interfaces));
    const Marks marks = mark_addresses(seen.marked, seen.peers, addresses, interfaces);
    const std::vector<std::uint32_t> merged = SP_TRY(write_cells(tables, marks, image));
    write_tries(addresses, merged, image);
    write_settings(policy, input, image);
    SP_TRY(number_counters(input, image));
    image.interfaces = std::move(interfaces.names);
    write_identities(std::move(identities), image);
    return image;
}

} // namespace sallyport
