// SPDX-License-Identifier: Apache-2.0
// What is no rule, setting by setting. Sets of networks are told by what came and what went.
#include "diff/compare.h"
#include "diff/networks.h"
#include "diff/setting.h"
#include "diff/words.h"

#include <fmt/format.h>
#include <set>
#include <utility>

namespace sallyport::diff {
namespace {

using sallyport::to_string; // of durations

using Changes = std::vector<SettingChange>;

std::string text_of(bool value) {
    return value ? "true" : "false";
}

std::string text_of(const std::optional<BanAfter>& after) {
    if (!after) return "off";
    return fmt::format("{} in {} for {}", after->count, to_string(after->find),
                       to_string(after->ban));
}

using Names = std::set<std::string>;

Names names_in(const std::vector<std::string>& list) {
    return {list.begin(), list.end()};
}

std::string text_of(const Names& names) {
    return names.empty() ? "" : quoted({names.begin(), names.end()});
}

Names protocols_of(const LinkProtocols& link) {
    Names names;
    for (const auto& [name, is_on] : {std::pair{"lldp", link.lldp},
                                      {"eapol", link.eapol},
                                      {"lacp", link.lacp},
                                      {"ptp", link.ptp},
                                      {"stp", link.stp}})
        if (is_on) names.insert(name);
    return names;
}

using Lists = std::set<std::pair<std::string, std::string>>; // zone, file

Lists lists_of(const BanRules& bans) {
    Lists lists;
    for (const BanListZone& list : bans.lists) lists.emplace(list.zone, list.file);
    return lists;
}

std::string text_of(const Lists& lists) {
    std::vector<std::string> each;
    for (const auto& [zone, file] : lists)
        each.push_back(fmt::format("{} ({})", zone, quoted({file})));
    return joined(each);
}

// Of no meaning where bans do not grow.
std::optional<BanGrowth> growth_of(const BanRules& bans) {
    return bans.growth.increment ? std::optional(bans.growth) : std::nullopt;
}

std::string text_of(const std::optional<BanGrowth>& growth) {
    if (!growth) return "none";
    return fmt::format("by {}, at most {}, remembered for {}", fmt::join(growth->multipliers, " "),
                       to_string(growth->max_time), to_string(growth->remember));
}

constexpr auto kText = [](const auto& value) { return text_of(value); };
constexpr auto kAsIs = [](const std::string& value) { return value; };
constexpr auto kNumber = [](std::uint32_t value) { return std::to_string(value); };
constexpr auto kSpan = [](std::chrono::seconds value) { return to_string(value); };

void compare_hosts(const Host& before, const Host& after, Changes& changes) {
    const auto mode = [](Mode its) { return its == Mode::observe ? "observe" : "enforce"; };
    const auto sockets = [](PacketSockets its) { return to_string(its); };
    const auto xdp = [](XdpMode its) { return to_string(its); };
    const auto sysctls = [](Sysctls its) { return its == Sysctls::set ? "set" : "check"; };
    compare_setting("host.mode", before.mode, after.mode, mode, changes);
    compare_setting("host.interfaces", names_in(before.interfaces), names_in(after.interfaces),
                    kText, changes);
    compare_setting("host.xdp", before.xdp, after.xdp, xdp, changes);
    compare_setting("host.cgroup", before.cgroup, after.cgroup, kAsIs, changes);
    compare_setting("host.packet-sockets", before.packet_sockets, after.packet_sockets, sockets,
                    changes);
    compare_setting("host.packet-socket-users", names_in(before.packet_socket_users),
                    names_in(after.packet_socket_users), kText, changes);
    compare_setting("host.sysctls", before.sysctls, after.sysctls, sysctls, changes);
}

void compare_essentials(const Essentials& before, const Essentials& after, Changes& changes) {
    const auto options = [](bool judge) { return judge ? "judge" : "drop"; };
    const auto fragments = [](bool track) { return track ? "track" : "drop"; };
    const auto truth = [&](const char* key, bool was, bool is) {
        compare_setting(key, was, is, kText, changes);
    };
    truth("essentials.arp", before.arp, after.arp);
    truth("essentials.neighbour-discovery", before.neighbour_discovery, after.neighbour_discovery);
    truth("essentials.dhcp-client", before.dhcp_client, after.dhcp_client);
    truth("essentials.icmp-errors", before.icmp_errors, after.icmp_errors);
    truth("essentials.redirects", before.redirects, after.redirects);
    compare_setting("essentials.ip-options", before.judge_ip_options, after.judge_ip_options,
                    options, changes);
    compare_setting("essentials.fragments", before.track_fragments, after.track_fragments,
                    fragments, changes);
    compare_setting("essentials.link-protocols", protocols_of(before.link_protocols),
                    protocols_of(after.link_protocols), kText, changes);
}

void compare_bans(const BanRules& before, const BanRules& after, Sets& sets, Changes& changes) {
    compare_setting("bans.lists", lists_of(before), lists_of(after), kText, changes);
    compare_setting("bans.after-limits", before.after_limits, after.after_limits, kText, changes);
    compare_setting("bans.after-probes", before.after_probes, after.after_probes, kText, changes);
    compare_setting("bans.increment", growth_of(before), growth_of(after), kText, changes);
    const SetId was = sets.id_of(AddressSet::of(before.never));
    const SetId is = sets.id_of(AddressSet::of(after.never));
    tell_sets("bans.never", sets.without(was, is), sets.without(is, was), sets, changes);
}

// What is in the one and not in the other, on some interface.
void compare_sets(const std::string& key, const PeerSet& before, const PeerSet& after,
                  const Space& space, Sets& sets, Changes& changes) {
    SetId went = Sets::kEmpty, came = Sets::kEmpty;
    for (std::size_t i = 0; i < space.interfaces().count(); ++i) {
        const SetId was = sets.id_of(before, i);
        const SetId is = sets.id_of(after, i);
        went = sets.either(went, sets.without(was, is));
        came = sets.either(came, sets.without(is, was));
    }
    tell_sets(key, went, came, sets, changes);
}

} // namespace

void tell_sets(std::string key, SetId went, SetId came, const Sets& sets, Changes& changes) {
    if (went == Sets::kEmpty && came == Sets::kEmpty) return;
    const auto tell = [&](SetId set, const char* word) {
        return set == Sets::kEmpty ? std::string() : word + describe(sets[set], {});
    };
    changes.push_back(
        {.key = std::move(key), .before = tell(went, "no more "), .after = tell(came, "also ")});
}

std::vector<SettingChange> compare_settings(const Space& space, Sets& sets) {
    const Policy& before = space.policy(Side::before);
    const Policy& after = space.policy(Side::after);
    Changes changes;
    const auto sets_of = [&](const char* key, const PeerSet& a, const PeerSet& b) {
        compare_sets(key, a, b, space, sets, changes);
    };
    compare_hosts(before.host, after.host, changes);
    compare_essentials(before.essentials, after.essentials, changes);
    sets_of("essentials.ping", before.essentials.ping, after.essentials.ping);
    sets_of("essentials.routers", before.essentials.routers, after.essentials.routers);
    compare_setting("flows.max", before.flows.max, after.flows.max, kNumber, changes);
    compare_setting("flows.tcp-idle", before.flows.tcp_idle, after.flows.tcp_idle, kSpan, changes);
    compare_setting("flows.udp-idle", before.flows.udp_idle, after.flows.udp_idle, kSpan, changes);
    compare_setting("events.per-second", before.events.per_second, after.events.per_second, kNumber,
                    changes);
    compare_setting("events.repeat", before.events.repeat, after.events.repeat, kSpan, changes);
    compare_setting("events.command-lines", before.events.command_lines, after.events.command_lines,
                    kText, changes);
    compare_setting("events.capture-bytes", before.events.capture_bytes, after.events.capture_bytes,
                    kNumber, changes);
    compare_setting("events.names", before.events.names, after.events.names, kText, changes);
    compare_bans(before.bans, after.bans, sets, changes);
    compare_jails(before, after, sets, changes);
    compare_setting("fail2ban.jails", names_in(before.fail2ban.jails),
                    names_in(after.fail2ban.jails), kText, changes);
    compare_setting("fail2ban.ipv6-prefix", before.fail2ban.ipv6_prefix, after.fail2ban.ipv6_prefix,
                    kNumber, changes);
    sets_of("exfil.inside", before.exfil_inside, after.exfil_inside);
    sets_of("zones.admin, for a panic", before.admin, after.admin);
    return changes;
}

} // namespace sallyport::diff
