// SPDX-License-Identifier: Apache-2.0
// [exfil], [essentials], [flows] and [events].
#include "config/sections.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::config {

namespace {

using std::chrono::seconds;

// Where what stays inside may go, when the policy does not say.
PeerSet private_networks() {
    auto networks = std::make_shared<const std::vector<Prefix>>(std::vector{
        prefix_of(Address::v4(0x0a000000), 96 + 8),  // 10.0.0.0/8
        prefix_of(Address::v4(0x64400000), 96 + 10), // 100.64.0.0/10
        prefix_of(Address::v4(0xac100000), 96 + 12), // 172.16.0.0/12
        prefix_of(Address::v4(0xc0a80000), 96 + 16), // 192.168.0.0/16
        prefix_of(Address{.bytes = {0xfc}}, 7),      // fc00::/7
    });
    return PeerSet{
        .parts = {PeerPart{.networks = std::move(networks), .except = {}, .interfaces = {}}}};
}

} // namespace

PeerSet read_exfil(Fields& root, Zones& zones) {
    const Value* const table = root.get("exfil", ValueKind::table);
    if (table == nullptr) return private_networks();
    Fields fields(*table, "[exfil]", root.findings());
    const Value* const inside = fields.get("inside");
    PeerSet set = inside == nullptr ? private_networks() : zones.peers(*inside, "inside");
    fields.finish();
    return set;
}

// Protocols by name; a name twice, or unknown, is an error.
LinkProtocols read_link_protocols(Fields& fields) {
    constexpr std::array<std::pair<std::string_view, bool LinkProtocols::*>, 5> kKnown = {{
        {"lldp", &LinkProtocols::lldp},
        {"eapol", &LinkProtocols::eapol},
        {"lacp", &LinkProtocols::lacp},
        {"ptp", &LinkProtocols::ptp},
        {"stp", &LinkProtocols::stp},
    }};
    LinkProtocols named;
    const Value* const list = fields.get("link-protocols");
    if (list == nullptr) return named;
    std::vector<std::string> names;
    for (const auto& [name, member] : kKnown) names.emplace_back(name);
    for (const Value* item : strings_of(*list, "link-protocols", fields.findings())) {
        const auto known = std::ranges::find_if(
            kKnown, [&](const auto& entry) { return entry.first == item->text; });
        if (known == kKnown.end()) {
            const std::string near = nearest(item->text, names);
            fields.findings().error(item->place, "unknown link protocol " + quoted(item->text),
                                    near.empty() ? "known are lldp, eapol, lacp, ptp and stp"
                                                 : "did you mean " + quoted(near) + "?");
        } else if (named.*(known->second)) {
            fields.findings().error(item->place, quoted(item->text) + " is there twice");
        } else {
            named.*(known->second) = true;
        }
    }
    return named;
}

Essentials read_essentials(Fields& root, Zones& zones) {
    Essentials essentials;
    essentials.ping = any_peer();
    essentials.routers = any_peer();
    const Value* const table = root.get("essentials", ValueKind::table);
    if (table == nullptr) return essentials;
    Fields fields(*table, "[essentials]", root.findings());
    essentials.arp = fields.flag("arp", essentials.arp);
    essentials.neighbour_discovery =
        fields.flag("neighbour-discovery", essentials.neighbour_discovery);
    essentials.dhcp_client = fields.flag("dhcp-client", essentials.dhcp_client);
    essentials.icmp_errors = fields.flag("icmp-errors", essentials.icmp_errors);
    if (const Value* ping = fields.get("ping")) essentials.ping = zones.peers(*ping, "ping");
    if (const Value* routers = fields.get("routers"))
        essentials.routers = zones.peers(*routers, "routers");
    essentials.track_fragments = fields.choice<bool>("fragments", essentials.track_fragments,
                                                     {{"drop", false}, {"track", true}});
    essentials.judge_ip_options = fields.choice<bool>("ip-options", essentials.judge_ip_options,
                                                      {{"drop", false}, {"judge", true}});
    essentials.redirects = fields.flag("redirects", essentials.redirects);
    essentials.link_protocols = read_link_protocols(fields);
    fields.finish();
    return essentials;
}

Flows read_flows(Fields& root) {
    constexpr std::uint32_t kLeast = 8;
    constexpr std::uint32_t kMost = 1u << 24;
    constexpr seconds kLongest = std::chrono::days(30);
    Flows flows;
    const Value* const table = root.get("flows", ValueKind::table);
    if (table == nullptr) return flows;
    Fields fields(*table, "[flows]", root.findings());
    flows.max = fields.number("max", flows.max, kLeast, kMost);
    flows.tcp_idle = fields.duration("tcp-idle", flows.tcp_idle, seconds(1), kLongest);
    flows.udp_idle = fields.duration("udp-idle", flows.udp_idle, seconds(1), kLongest);
    fields.finish();
    return flows;
}

Events read_events(Fields& root) {
    constexpr std::uint32_t kMost = 1'000'000, kCaptureMost = 2048;
    Events events;
    const Value* const table = root.get("events", ValueKind::table);
    if (table == nullptr) return events;
    Fields fields(*table, "[events]", root.findings());
    events.per_second = fields.number("per-second", events.per_second, 1, kMost);
    events.repeat = fields.duration("repeat", events.repeat, seconds(1), std::chrono::hours(24));
    events.command_lines = fields.flag("command-lines", events.command_lines);
    events.capture_bytes = fields.number("capture-bytes", events.capture_bytes, 0, kCaptureMost);
    events.names = fields.flag("names", events.names);
    fields.finish();
    return events;
}

} // namespace sallyport::config
