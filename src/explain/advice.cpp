// SPDX-License-Identifier: Apache-2.0
#include "explain/advice.h"

#include "base/text.h"
#include "event/names.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"

#include <fmt/format.h>

namespace sallyport::explain {
namespace {

std::string named(const std::optional<RulePlace>& rule) {
    return rule ? fmt::format("the rule \"{}\"", escaped(rule->name)) : "its rule";
}

std::string banned_one(const Dropped& d) {
    if (!d.packet) return "ADDRESS";
    return to_string(d.direction == SP_EGRESS ? d.packet->dst : d.packet->src);
}

Advice with_rule(const Dropped& d, const PolicyPlace& place, const std::string& otherwise) {
    Advice advice;
    if (d.packet) advice.toml = smallest_rule(d.direction, *d.packet, d.sender, place);
    advice.text = advice.toml.empty() ? otherwise : "the smallest rule that would let it pass:";
    return advice;
}

Advice without_flow(const Dropped& d, const PolicyPlace& place) {
    const std::string what = "a segment of a connection that is not known here: it must begin "
                             "with a SYN that passes";
    if (!d.opening_passes || !d.packet) return {.text = what};
    if (*d.opening_passes)
        return {.text = what + ", and its own would: there is nothing to add, the connection is to "
                               "be opened anew"};
    AskedPacket opening = *d.packet;
    opening.tcp_flags = kSyn;
    const std::string rule = smallest_rule(d.direction, opening, d.sender, place);
    return {.text = what + (rule.empty() ? "" : ", as with this rule:"), .toml = rule};
}

// What no rule decides: the key of the policy file that does, or why none does.
std::string other_change(std::uint32_t reason) {
    switch (reason) {
    case SP_REASON_NO_POLICY:
        return "no policy is in force: sallyport run";
    case SP_REASON_ARP:
        return "[essentials] arp = true";
    case SP_REASON_IP_OPTIONS:
        return "[essentials] ip-options = \"judge\" has rules decide about it";
    case SP_REASON_FRAGMENT:
        return "[essentials] fragments = \"track\" lets the fragments of an admitted packet pass; "
               "better is that none are sent: look at the MTU of the path";
    case SP_REASON_FRAGMENT_ORPHAN:
        return "its first fragment must pass before it";
    case SP_REASON_REDIRECT:
        return "[essentials] redirects = true, which lets neighbours change routes";
    case SP_REASON_NEIGHBOUR:
        return "[essentials] neighbour-discovery = true, and what RFC 4861 asks of it";
    case SP_REASON_ICMP_UNRELATED:
        return "errors pass when they quote a flow that is known: [essentials] icmp-errors = true";
    case SP_REASON_ETHERTYPE:
        return "[essentials] link-protocols names the link protocols that pass";
    case SP_REASON_FLOW_FULL:
        return "[flows] max has no room: raise it, or see who fills it: sallyport status";
    case SP_REASON_FRAGMENT_FULL:
        return "the table of fragments is full for two seconds at most";
    case SP_REASON_NOT_GUARDED:
        return "the interface is being taken over: see sallyport status";
    case SP_REASON_PACKET_SOCKET:
        return "[host] packet-socket-users names who may have one";
    case SP_REASON_OTHER_STATION:
        return "its frame bears another MAC address than the interface has";
    case SP_REASON_BAD_COOKIE:
        return "its rule asks for SYN cookies just now: the connection is to be opened anew";
    case SP_REASON_NOT_COUNTED:
        return "max-connections counts sockets of this host alone: take it from that rule";
    default:
        return "no rule and no setting lets it pass";
    }
}

} // namespace

Advice advise(const Dropped& d, const PolicyPlace& place) {
    switch (d.reason) {
    case SP_REASON_NO_RULE:
    case SP_REASON_METADATA:
        return with_rule(d, place, "no rule can let it pass: only [essentials] speak of it");
    case SP_REASON_CUT:
        return with_rule(d, place, "the policy would not let it open");
    case SP_REASON_NO_FLOW:
        return without_flow(d, place);
    case SP_REASON_DENIED:
        return {.text =
                    "no allow rule helps, deny is judged first: narrow or remove " + named(d.rule)};
    case SP_REASON_OVER_LIMIT:
        return {.text = "it passes again as the limit of " + named(d.rule) +
                        " refills; or raise its limit or burst"};
    case SP_REASON_TOO_MANY_CONNECTIONS:
        return {.text = "it passes when one of the open ones ends; or raise max-connections of " +
                        named(d.rule)};
    case SP_REASON_BANNED:
        return {.text = "no rule helps, bans are judged first: sallyport bans, then sallyport "
                        "unban " +
                        banned_one(d)};
    default:
        return {.text = other_change(d.reason)};
    }
}

} // namespace sallyport::explain
