// SPDX-License-Identifier: Apache-2.0
#include "support/reference_verdict.h"

#include "policy/evaluate.h"

namespace sallyport::test {
namespace {

using Mac = std::array<std::uint8_t, 6>;

ReferenceVerdict pass() {
    return {.passes = true, .reasons = {}};
}
ReferenceVerdict drop(Objections reasons) {
    return {.passes = false, .reasons = reasons};
}
ReferenceVerdict pass_or(bool passes, sp_reason reason) {
    return passes ? pass() : drop(reason);
}

// ---- addresses -------------------------------------------------------------------

const Prefix kGroups4 = *parse_prefix("224.0.0.0/4");
const Prefix kGroups6 = *parse_prefix("ff00::/8");
const Prefix kLoopback4 = *parse_prefix("127.0.0.0/8");
const Prefix kNobody4 = *parse_prefix("0.0.0.0/8");
const Prefix kLinkLocal4 = *parse_prefix("169.254.0.0/16");
const Prefix kLinkLocal6 = *parse_prefix("fe80::/10");
const Address kLoopback6 = *parse_address("::1");
const Address kNobody6 = *parse_address("::");
const Address kNoAddressYet = *parse_address("0.0.0.0");
const Address kAllHosts = *parse_address("255.255.255.255");
const Address kMetadata4 = *parse_address("169.254.169.254");
const Address kMetadata6 = *parse_address("fd00:ec2::254");

bool is_group(const Address& a) {
    return kGroups4.covers(a) || kGroups6.covers(a);
}
bool is_loopback(const Address& a) {
    return kLoopback4.covers(a) || a == kLoopback6;
}
bool is_nobody(const Address& a) {
    return kNobody4.covers(a) || a == kNobody6;
}
bool is_link_local(const Address& a) {
    return kLinkLocal6.covers(a) || kLinkLocal4.covers(a);
}
// Interface-local and link-local scope: ffX1 and ffX2.
bool is_link_group(const Address& a) {
    unsigned scope = a.bytes[1] % 16;
    return a.bytes[0] == 0xff && (scope == 1 || scope == 2);
}
bool is_metadata(const Address& a) {
    return a == kMetadata4 || a == kMetadata6;
}

// Of IPv6 also ::/96 and ::ffff/96, which stand for IPv4 (RFC 4942), but for ::.
bool is_impossible_source(const ReferencePacket& p) {
    if (is_group(p.src) || is_loopback(p.src) || p.src == kAllHosts) return true;
    if (p.version == 4) return false;
    bool top_is_zero = true;
    for (std::size_t i = 0; i < 10; ++i) top_is_zero = top_is_zero && p.src.bytes[i] == 0;
    bool mapped = p.src.bytes[10] == 0xff && p.src.bytes[11] == 0xff;
    bool compatible = p.src.bytes[10] == 0 && p.src.bytes[11] == 0;
    return top_is_zero && (mapped || compatible) && p.src != kNobody6;
}

// ---- link protocols --------------------------------------------------------------

bool is_l2_group(const Mac& mac) {
    return mac[0] % 2 == 1;
}
bool is_bridge_group(const Mac& mac) {
    return mac[0] == 1 && mac[1] == 0x80 && mac[2] == 0xc2 && mac[3] == 0 && mac[4] == 0 &&
           mac[5] <= 15;
}

ReferenceVerdict judge_link(const Policy& policy, const ReferencePacket& p,
                            std::span<const std::uint8_t> frame) {
    const LinkProtocols& named = policy.essentials.link_protocols;
    std::span<const std::uint8_t> body = frame.subspan(p.ip_at);
    bool near = is_bridge_group(p.to);
    bool single = !is_l2_group(p.to);
    bool passes = false;
    if (p.ether_type == 0x0806) return pass_or(policy.essentials.arp, SP_REASON_ARP);
    if (p.ether_type == 0x88cc) passes = named.lldp && near;
    if (p.ether_type == 0x888e) passes = named.eapol && (near || single);
    if (p.ether_type == 0x8809)
        passes = named.lacp && near && !body.empty() && (body[0] == 1 || body[0] == 2);
    if (p.ether_type == 0x88f7)
        passes = named.ptp && (near || single || p.to == Mac{1, 0x1b, 0x19, 0, 0, 0});
    if (p.ether_type < 0x600) {
        passes = named.stp && near && p.ether_type >= 7 && body.size() >= p.ether_type &&
                 body[0] == 0x42 && body[1] == 0x42 && body[2] == 3;
    }
    return pass_or(passes, SP_REASON_ETHERTYPE);
}

// ---- essentials ------------------------------------------------------------------

bool is_type(const ReferencePacket& p, int version, std::uint8_t low, std::uint8_t high) {
    return p.version == version && p.is_icmp() && p.icmp_type >= low && p.icmp_type <= high;
}
bool is_redirect(const ReferencePacket& p) {
    return is_type(p, 4, 5, 5) || is_type(p, 6, 137, 137);
}
bool is_discovery(const ReferencePacket& p) {
    return is_type(p, 6, 133, 136);
}
bool is_listener(const ReferencePacket& p) {
    return is_type(p, 6, 130, 132) || is_type(p, 6, 143, 143);
}
bool is_igmp(const ReferencePacket& p) {
    return p.version == 4 && p.proto == 2;
}

// RFC 4861 6.1, 7.1, 8.1; no extension header before it (RFC 6980, 7113).
bool is_sound_discovery(const ReferencePacket& p) {
    if (p.hops != 255 || p.icmp_code != 0 || !p.extensions.empty()) return false;
    bool by_router = p.icmp_type == 134 || p.icmp_type == 137;
    return !by_router || is_link_local(p.src);
}

// RFC 3810 5; the router alert in a hop-by-hop header of 8 bytes, and no other header.
bool is_sound_listener(const ReferencePacket& p) {
    return p.hops == 1 && p.router_alert && p.extensions.size() == 1 && p.extensions[0].size == 8 &&
           (is_link_local(p.src) || is_nobody(p.src));
}

// What is decided before any rule; nothing when rules decide.
std::optional<ReferenceVerdict> judge_signalling(const Policy& policy, const ReferencePacket& p) {
    const Essentials& essentials = policy.essentials;
    if (is_redirect(p)) {
        bool sound = p.version == 4 || is_sound_discovery(p);
        return pass_or(essentials.redirects && sound, SP_REASON_REDIRECT);
    }
    if (is_discovery(p))
        return pass_or(essentials.neighbour_discovery && is_sound_discovery(p),
                       SP_REASON_NEIGHBOUR);
    if (is_listener(p))
        return pass_or(essentials.neighbour_discovery && is_sound_listener(p), SP_REASON_NEIGHBOUR);
    if (is_igmp(p) && essentials.neighbour_discovery && p.hops == 1 && is_group(p.dst))
        return pass();
    return std::nullopt;
}

bool is_udp(const ReferencePacket& p, int version, std::uint16_t from, std::uint16_t to) {
    return p.version == version && p.proto == 17 && !p.fragment && p.src_port == from &&
           p.dst_port == to;
}

// ---- rules -----------------------------------------------------------------------

ReferenceVerdict by_rules(const Policy& policy, const Opening& opening) {
    switch (evaluate(policy, opening).answer) {
    case Answer::allowed:
        return pass();
    case Answer::denied:
        return drop(SP_REASON_DENIED);
    case Answer::no_rule:
        break;
    }
    bool out = opening.direction != Direction::ingress && is_metadata(opening.destination);
    return drop(out ? SP_REASON_METADATA : SP_REASON_NO_RULE);
}

Opening opening_of(Direction direction, const Place& place, const ReferencePacket& p) {
    return {.direction = direction,
            .interface = place.interface,
            .source = p.src,
            .destination = p.dst,
            .proto = p.proto,
            .port = p.is_icmp() ? std::uint16_t{p.icmp_type} : p.dst_port,
            .cgroup = {},
            .user = {}};
}

// Whether `peer` may open this towards us.
bool may_ask(const Policy& policy, const Place& place, const Address& peer, std::uint8_t proto,
             std::uint16_t port, std::uint8_t icmp_type = 8) {
    if (proto == 1) port = icmp_type;
    if (proto == 58) port = 128;
    Opening question{.direction = Direction::ingress,
                     .interface = place.interface,
                     .source = peer,
                     .destination = {},
                     .proto = proto,
                     .port = port,
                     .cgroup = {},
                     .user = {}};
    return evaluate(policy, question).answer == Answer::allowed;
}

Objections stray_options(const Policy& policy, const ReferencePacket& p) {
    bool foreign_alert = p.version == 4 && p.router_alert && p.proto != 2;
    if ((p.options || foreign_alert) && !policy.essentials.judge_ip_options)
        return SP_REASON_IP_OPTIONS;
    return {};
}

// ---- the two ways ----------------------------------------------------------------

// For somebody else, under a policy without forward rules: nothing may open, so nothing runs.
ReferenceVerdict judge_passing(const Policy& policy, const Place& place, const ReferencePacket& p) {
    if (p.is_icmp_error()) return drop(SP_REASON_ICMP_UNRELATED);
    if (p.proto == 6 && (p.tcp_flags & 18) != 2) return drop(SP_REASON_NO_FLOW);
    return by_rules(policy, opening_of(Direction::forward, place, p));
}

ReferenceVerdict judge_arrival(const Policy& policy, const ReferenceHost& host, const Place& place,
                               const ReferencePacket& p) {
    Objections headers = stray_options(policy, p);
    if (p.fragment) headers.add(SP_REASON_FRAGMENT);
    if (is_impossible_source(p) || is_loopback(p.dst) || is_nobody(p.dst))
        headers.add(SP_REASON_BOGON);
    if (!headers.empty()) return drop(headers);
    bool advertises = is_discovery(p) && p.icmp_type == 134;
    if (advertises && !matches(policy.essentials.routers, p.src, place.interface))
        return drop(SP_REASON_NEIGHBOUR);
    if (std::optional<ReferenceVerdict> decided = judge_signalling(policy, p)) return *decided;
    bool lease = is_udp(p, 4, 67, 68) || (is_udp(p, 6, 547, 546) && is_link_local(p.src));
    if (lease && policy.essentials.dhcp_client) return pass();
    bool asks_for_lease = is_udp(p, 4, 68, 67) && p.src == kNoAddressYet && p.dst == kAllHosts;
    if (host.own.contains(p.src) || (is_nobody(p.src) && !asks_for_lease))
        return drop(SP_REASON_BOGON);
    if (!host.own.contains(p.dst) && !is_group(p.dst) && p.dst != kAllHosts)
        return judge_passing(policy, place, p);
    bool grouped = place.carrier == Carrier::ethernet && is_l2_group(p.to);
    if (grouped && host.own.contains(p.dst)) return drop(SP_REASON_L2_MISMATCH);
    if (p.is_icmp_error()) return drop(SP_REASON_ICMP_UNRELATED);
    bool opens = (p.tcp_flags & 18) == 2;
    if (p.proto == 6 && !opens) return drop(SP_REASON_NO_FLOW);
    if (p.is_echo_request() && matches(policy.essentials.ping, p.src, place.interface))
        return pass();
    return by_rules(policy, opening_of(Direction::ingress, place, p));
}

// Whether the peer could have asked for this, for what is not TCP.
bool is_answer(const Policy& policy, const Place& place, const ReferencePacket& p) {
    bool time = p.version == 4 && p.proto == 1 && p.icmp_type == 14; // RFC 792
    if (p.is_icmp() && !p.is_echo_reply() && !time) return false;
    if (p.is_echo_reply() && matches(policy.essentials.ping, p.dst, place.interface)) return true;
    return may_ask(policy, place, p.dst, p.proto, p.src_port, time ? 13 : 8);
}

ReferenceVerdict judge_tcp_out(const Policy& policy, const Place& place, const ReferencePacket& p) {
    bool syn = (p.tcp_flags & 2) != 0;
    bool rst = (p.tcp_flags & 4) != 0;
    bool ack = (p.tcp_flags & 16) != 0;
    if (rst && !p.loaded) return pass(); // the end of something, and nothing in it
    if (syn && !ack) return by_rules(policy, opening_of(Direction::egress, place, p));
    if (syn) return pass_or(may_ask(policy, place, p.dst, 6, p.src_port), SP_REASON_NO_RULE);
    return drop(SP_REASON_NO_FLOW);
}

ReferenceVerdict judge_departure(const Policy& policy, const Place& place,
                                 const ReferencePacket& p) {
    Objections headers = stray_options(policy, p);
    if (!headers.empty()) return drop(headers);
    if (!p.fragment)
        if (std::optional<ReferenceVerdict> decided = judge_signalling(policy, p)) return *decided;
    bool server_is_near = p.dst == kAllHosts || is_link_local(p.dst) ||
                          matches(policy.exfil_inside, p.dst, place.interface);
    bool asks = (is_udp(p, 4, 68, 67) && server_is_near) ||
                (is_udp(p, 6, 546, 547) && (is_link_group(p.dst) || is_link_local(p.dst)));
    if (asks && policy.essentials.dhcp_client) return pass();
    if (p.fragment) return drop(SP_REASON_FRAGMENT);
    if (p.is_icmp_error()) {
        bool asked =
            p.quoted->readable && may_ask(policy, place, p.quoted->src, p.quoted->proto,
                                          p.quoted->dst_port, p.quoted->asks_time ? 13 : 8);
        return pass_or(asked, SP_REASON_ICMP_UNRELATED);
    }
    if (p.proto == 6) return judge_tcp_out(policy, place, p);
    ReferenceVerdict verdict = by_rules(policy, opening_of(Direction::egress, place, p));
    return verdict.passes || !is_answer(policy, place, p) ? verdict : pass();
}

} // namespace

ReferenceVerdict judge_frame(const Policy& policy, const ReferenceHost& host, const Place& place,
                             std::span<const std::uint8_t> frame) {
    Carrier carrier = place.hook == SP_HOOK_CGROUP ? Carrier::bare_ip : place.carrier;
    ReferencePacket p = read_frame(frame, carrier);
    Objections link = p.link;
    bool read = carrier == Carrier::ethernet && frame.size() >= 14;
    if (place.hook == SP_HOOK_XDP && read && !is_l2_group(p.to) && p.to != host.mac)
        link.add(SP_REASON_OTHER_STATION);
    if (!link.empty()) return drop(link);
    if (p.version == 0) return judge_link(policy, p, frame);
    if (!p.network.empty()) return drop(p.network);
    if (!p.transport.empty()) return drop(p.transport);
    if (place.hook == SP_HOOK_XDP) return judge_arrival(policy, host, place, p);
    return judge_departure(policy, place, p);
}

} // namespace sallyport::test
