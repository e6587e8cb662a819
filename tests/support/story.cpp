// SPDX-License-Identifier: Apache-2.0
#include "support/story.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sallyport::test {
namespace {

class Checker {
  public:
    explicit Checker(Seen& seen) : seen_(seen) {}
    void agree(bool holds, const std::string& otherwise) {
        if (!holds) seen_.disagreements.push_back(otherwise);
    }
    void equal(std::uint64_t is, std::uint64_t expected, const std::string& what) {
        agree(is == expected,
              what + " is " + std::to_string(is) + ", not " + std::to_string(expected));
    }

  private:
    Seen& seen_;
};

std::uint64_t sum(const Counts& counts, std::uint32_t from) {
    return std::accumulate(counts.begin() + from, counts.begin() + from + SP_REASON_MAX,
                           std::uint64_t{0});
}

sp_reason only_reason(const Counts& counts, std::uint32_t from) {
    for (std::uint32_t i = 0; i < SP_REASON_MAX; ++i) {
        if (counts[from + i] != 0) return static_cast<sp_reason>(i);
    }
    return SP_REASON_NONE;
}

void check_counts(Seen& seen, const Telling& telling, const Counts& rose, Checker& check) {
    std::uint64_t drops = sum(rose, SP_COUNT_DROPS);
    std::uint64_t would = sum(rose, SP_COUNT_WOULD_DROPS);
    seen.would_drop = would != 0;
    seen.reason = only_reason(rose, seen.would_drop ? SP_COUNT_WOULD_DROPS : SP_COUNT_DROPS);
    check.equal(drops, seen.passed ? 0 : 1, "the sum of the reasons' counters");
    check.agree(would <= (seen.passed ? 1u : 0u),
                "would-be drops rose by " + std::to_string(would));
    check.agree(rose[SP_COUNT_DROPS] == 0 && rose[SP_COUNT_WOULD_DROPS] == 0,
                "the counter of no reason rose");
    check.equal(rose[SP_COUNT_HOOK_DROPPED + telling.hook], seen.passed ? 0 : 1,
                "the hook's count of drops");
    // What TC and cgroup leave alone (sent by a judged socket, loopback) they need not count.
    if (telling.hook == SP_HOOK_XDP || !seen.passed) {
        check.equal(rose[SP_COUNT_HOOK_ADMITTED + telling.hook], seen.passed ? 1 : 0,
                    "the hook's count of admitted");
    }
    check.equal(rose[SP_COUNT_EVENTS_SENT], seen.events.size(), "the count of events sent");
    check.equal(rose[SP_COUNT_EVENTS_LOST] + rose[SP_COUNT_EVENTS_HELD], 0,
                "the count of events lost or held");
    check.agree((rose[SP_COUNT_FLOWS_REFUSED] != 0) == (seen.reason == SP_REASON_FLOW_FULL),
                "flows refused and the reason flow-full differ");
}

void check_nic(const Seen& seen, const Telling& telling, const sp_nic_count& rose, Checker& check) {
    if (telling.hook != SP_HOOK_XDP) return;
    std::uint64_t size = telling.frame.size();
    check.equal(rose.admitted, seen.passed ? 1 : 0, "the NIC's count of admitted");
    check.equal(rose.dropped, seen.passed ? 0 : 1, "the NIC's count of drops");
    check.equal(rose.admitted_bytes, seen.passed ? size : 0, "the NIC's admitted bytes");
    check.equal(rose.dropped_bytes, seen.passed ? 0 : size, "the NIC's dropped bytes");
}

void check_rules(Seen& seen, const Telling& telling, const std::vector<sp_rule_count>& rose,
                 Checker& check) {
    std::size_t touched = 0;
    for (std::size_t i = 0; i < rose.size(); ++i) {
        const sp_rule_count& rule = rose[i];
        if (rule.admitted == 0 && rule.denied == 0 && rule.bytes == 0 && rule.limited == 0)
            continue;
        ++touched;
        seen.rule = telling.image.rule_names[i];
        check.agree(rule.admitted + rule.denied <= 1,
                    "one packet counted twice by rule " + seen.rule);
        check.agree(rule.denied == 0 || seen.reason == SP_REASON_DENIED,
                    "rule " + seen.rule + " counts a denial");
        check.agree(rule.admitted == 0 || seen.reason == SP_REASON_NONE,
                    "rule " + seen.rule + " counts an admission");
    }
    check.agree(touched <= 1, "more than one rule counted the packet");
}

// A program that tracks fragments has looked into a first or an atomic one, others have not.
Parsed as_judged(const sp_event& event, const Telling& telling) {
    Parsed parsed = parse_on_host(telling.frame, telling.link);
    const bool shows_start = parsed.piece_kind == 1 || parsed.piece_kind == 2;
    const bool looked_into = event.flags & SP_EVENT_HAS_PORTS || event.proto != parsed.proto ||
                             (event.flags & SP_EVENT_HAS_ICMP && event.icmp_type != 0);
    if (!shows_start || !looked_into) return parsed;
    parsed.proto = parsed.piece_proto;
    parsed.src_port = parsed.piece_src_port;
    parsed.dst_port = parsed.piece_dst_port;
    parsed.tcp_flags = parsed.piece_tcp_flags;
    parsed.icmp_type = parsed.piece_icmp_type;
    return parsed;
}

void check_addresses(const sp_event& event, const Telling& telling, Checker& check) {
    Parsed parsed = as_judged(event, telling);
    if (event.flags & SP_EVENT_HAS_ADDRS) {
        check.agree(std::memcmp(&event.src, &parsed.src, 16) == 0,
                    "the event's source is not the packet's");
        check.agree(std::memcmp(&event.dst, &parsed.dst, 16) == 0,
                    "the event's destination is not the packet's");
        check.equal(event.proto, parsed.proto, "the event's protocol");
    }
    if (event.flags & SP_EVENT_HAS_PORTS) {
        check.equal(event.src_port, parsed.src_port, "the event's source port");
        check.equal(event.dst_port, parsed.dst_port, "the event's destination port");
    }
    if (event.flags & SP_EVENT_HAS_FLAGS)
        check.equal(event.tcp_flags, parsed.tcp_flags, "the event's TCP flags");
    if (event.flags & SP_EVENT_HAS_ICMP)
        check.equal(event.icmp_type, parsed.icmp_type, "the event's ICMP type");
}

void check_event(Seen& seen, const sp_event& event, const Telling& telling, Checker& check) {
    check.equal(event.version, SP_LAYOUT, "the event's version");
    check.equal(event.hook, telling.hook, "the event's hook");
    check.equal(event.reason, seen.reason, "the event's reason");
    check.equal(event.ifindex, telling.ifindex, "the event's interface");
    check.equal(event.kind,
                static_cast<std::uint64_t>(!seen.passed      ? SP_EVENT_DROP
                                           : seen.would_drop ? SP_EVENT_WOULD_DROP
                                                             : SP_EVENT_NEW),
                "the event's kind");
    // A cgroup program sees the packet from its IP header on.
    std::size_t link_header = telling.hook == SP_HOOK_CGROUP || telling.from_ip_header ? 14 : 0;
    check.equal(event.len, telling.frame.size() - link_header, "the event's length");
    check.equal(event.generation, telling.generation, "the event's generation");
    check.agree(event.at_ns != 0, "the event has no time");
    check_addresses(event, telling, check);
    if (event.rule == 0) return;
    check.agree(event.rule <= telling.image.rule_names.size(),
                "the event's rule is no rule of the policy");
    if (event.rule > telling.image.rule_names.size()) return;
    const std::string& name = telling.image.rule_names[event.rule - 1];
    check.agree(seen.rule.empty() || seen.rule == name,
                "the event names rule " + name + ", " + seen.rule + " counted");
    seen.rule = name;
}

} // namespace

Story read_story(const Maps& maps, const MapImage& image, std::uint32_t nic_counter) {
    Story story{.counts = read_counts(maps), .nic = read_nic_count(maps, nic_counter), .rules = {}};
    for (const sp_rule& rule : image.rules)
        story.rules.push_back(read_rule_count(maps, rule.counter));
    return story;
}

Story rise(const Story& before, const Story& after) {
    Story out{.counts = rise(before.counts, after.counts),
              .nic = rise(before.nic, after.nic),
              .rules = {}};
    for (std::size_t i = 0; i < before.rules.size(); ++i)
        out.rules.push_back(rise(before.rules[i], after.rules[i]));
    return out;
}

bool is_still(const Story& rose) {
    bool rules_still = std::ranges::all_of(rose.rules, [](const sp_rule_count& rule) {
        return rule.admitted == 0 && rule.limited == 0 && rule.bytes == 0 && rule.denied == 0;
    });
    return rose.counts == Counts{} && rose.nic.admitted == 0 && rose.nic.dropped == 0 &&
           rules_still;
}

void tell(Seen& seen, const Telling& telling, const Story& rose) {
    Checker check(seen);
    check_counts(seen, telling, rose.counts, check);
    check_nic(seen, telling, rose.nic, check);
    check_rules(seen, telling, rose.rules, check);
    // Frames for another station are counted only; every other refusal is told once.
    std::size_t expected =
        seen.reason == SP_REASON_NONE || seen.reason == SP_REASON_OTHER_STATION ? 0 : 1;
    if (seen.reason != SP_REASON_NONE)
        check.equal(seen.events.size(), expected, "the number of events");
    check.agree(seen.events.size() <= 1, "one packet made more than one event");
    for (const sp_event& event : seen.events) check_event(seen, event, telling, check);
}

} // namespace sallyport::test
