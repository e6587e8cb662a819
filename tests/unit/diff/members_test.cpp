// SPDX-License-Identifier: Apache-2.0
// Each member of a policy, changed alone, is a difference. A member that is added does not
// compile here until a change of it is added too: the bindings name them all.
#include "diff/compare.h"
#include "support/policy_text.h"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <memory>

using namespace sallyport;
using namespace sallyport::diff;
using namespace std::chrono_literals;

namespace {

const PeerSet kSome{.parts = {PeerPart{.networks = std::make_shared<const std::vector<Prefix>>(
                                           std::vector{*parse_prefix("198.51.100.0/24")}),
                                       .except = {},
                                       .interfaces = {}}}};

// In which everything is on that gives another member its meaning.
Policy whole() {
    Policy policy = test::parsed(test::allow_in("web", "10.0.0.0/8", "tcp", "80") +
                                 test::allow_out("out", "10.0.0.0/8", "tcp", "80") +
                                 "[[jail]]\nname = \"ssh\"\nlog = \"/var/log/auth.log\"\n"
                                 "match = [\"x <HOST>\"]\n");
    policy.bans.growth.increment = true;
    return policy;
}

struct Change {
    const char* member;
    std::function<void(Policy&)> make;
};

#define CHANGE(member, value)                                                                      \
    Change {                                                                                       \
        #member, [](Policy& p) { p.member = value; }                                               \
    }

void check_each(std::initializer_list<Change> changes, std::size_t members) {
    CHECK(changes.size() == members);
    for (const Change& change : changes) {
        const Policy before = whole();
        Policy after = whole();
        const Space same(before, after);
        CHECK_FALSE(compare(same).is_any());
        change.make(after);
        INFO(change.member);
        const Space there(before, after);
        CHECK(compare(there).is_any());
        const Space back(after, before);
        CHECK(compare(back).is_any());
    }
}

template <class... Members> std::size_t count(const Members&...) {
    return sizeof...(Members);
}

} // namespace

TEST_CASE("each member of [host] that changes alone is a difference") {
    const Host its;
    const auto& [a, b, c, d, e, f, g] = its;
    check_each({CHANGE(host.interfaces, {"eth0"}), CHANGE(host.mode, Mode::observe),
                CHANGE(host.xdp, XdpMode::generic), CHANGE(host.cgroup, "/x.slice"),
                CHANGE(host.packet_sockets, PacketSockets::deny),
                CHANGE(host.packet_socket_users, {"/x.service"}),
                CHANGE(host.sysctls, Sysctls::set)},
               count(a, b, c, d, e, f, g));
}

TEST_CASE("each of the essentials that changes alone is a difference") {
    const Essentials its;
    const auto& [a, b, c, d, e, f, g, h, i, j] = its;
    check_each({CHANGE(essentials.arp, false), CHANGE(essentials.neighbour_discovery, false),
                CHANGE(essentials.dhcp_client, false), CHANGE(essentials.icmp_errors, false),
                CHANGE(essentials.ping, kSome), CHANGE(essentials.routers, kSome),
                CHANGE(essentials.judge_ip_options, true), CHANGE(essentials.redirects, true),
                CHANGE(essentials.link_protocols.lldp, true),
                CHANGE(essentials.track_fragments, true)},
               count(a, b, c, d, e, f, g, h, i, j));
    const auto& [k, l, m, n, o] = its.link_protocols;
    check_each({CHANGE(essentials.link_protocols.lldp, true),
                CHANGE(essentials.link_protocols.eapol, true),
                CHANGE(essentials.link_protocols.lacp, true),
                CHANGE(essentials.link_protocols.ptp, true),
                CHANGE(essentials.link_protocols.stp, true)},
               count(k, l, m, n, o));
}

TEST_CASE("each member of [flows] and [events] that changes alone is a difference") {
    const Flows flows;
    const auto& [a, b, c] = flows;
    check_each({CHANGE(flows.max, 77), CHANGE(flows.tcp_idle, 77s), CHANGE(flows.udp_idle, 77s)},
               count(a, b, c));
    const Events events;
    const auto& [d, e] = events;
    check_each({CHANGE(events.per_second, 77), CHANGE(events.repeat, 77s)}, count(d, e));
}

TEST_CASE("each member of [bans] that changes alone is a difference") {
    const BanRules its;
    const auto& [a, b, c, d, e] = its;
    const auto never = [](Policy& policy) { policy.bans.never = {*parse_prefix("fd00::/8")}; };
    const auto lists = [](Policy& policy) { policy.bans.lists = {{.zone = "z", .file = "/f"}}; };
    const auto after = [](std::optional<BanAfter>& its_after) {
        its_after = BanAfter{.count = 1, .find = 2s, .ban = 3s};
    };
    check_each({{"never", never},
                {"lists", lists},
                CHANGE(bans.growth.increment, false),
                {"after_limits", [&](Policy& policy) { after(policy.bans.after_limits); }},
                {"after_probes", [&](Policy& policy) { after(policy.bans.after_probes); }}},
               count(a, b, c, d, e));
    const auto& [f, g, h, i] = its.growth;
    check_each({CHANGE(bans.growth.increment, false), CHANGE(bans.growth.multipliers, {3}),
                CHANGE(bans.growth.max_time, 77s), CHANGE(bans.growth.remember, 77s)},
               count(f, g, h, i));
}

TEST_CASE("each member of a jail that changes alone is a difference, but for its line") {
    const JailRule its;
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, line] = its;
    check_each({CHANGE(jails[0].name, "other"), CHANGE(jails[0].logs, {"/x"}),
                CHANGE(jails[0].journals, {"x.service"}), CHANGE(jails[0].match, {"y <HOST>"}),
                CHANGE(jails[0].ignore, {"z <HOST>"}), CHANGE(jails[0].date_pattern, {"%s"}),
                CHANGE(jails[0].filter, "sshd"), CHANGE(jails[0].max_retry, 77),
                CHANGE(jails[0].find_time, 77s), CHANGE(jails[0].ban_time, std::nullopt),
                CHANGE(jails[0].growing, true), CHANGE(jails[0].ban_time_max, 77s),
                CHANGE(jails[0].except, kSome), CHANGE(jails[0].ipv6_prefix, 56)},
               count(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
    const Policy before = whole();
    Policy after = before;
    after.jails[0].line = line + 77;
    const Space space(before, after);
    CHECK_FALSE(compare(space).is_any());
}

TEST_CASE("each member of a rule that changes alone is a difference, but for name and line") {
    const Rule its;
    const auto& [name, a, b, c, d, e, f, g, h, i, line] = its;
    check_each({CHANGE(rules[0].direction, Direction::egress), CHANGE(rules[0].deny, true),
                CHANGE(rules[0].from, kSome), CHANGE(rules[1].to, kSome),
                CHANGE(rules[0].services.any_protocol, true), CHANGE(rules[0].interfaces, {"eth0"}),
                CHANGE(rules[1].identity.user, 77), CHANGE(rules[0].log_new, true),
                CHANGE(rules[0].limit, Limit{})},
               count(a, b, c, d, e, f, g, h, i));
    const Policy before = whole();
    Policy after = before;
    after.rules[0].name = name + "renamed";
    after.rules[0].line = line + 77;
    const Space space(before, after);
    CHECK_FALSE(compare(space).is_any());
}

TEST_CASE("each part of a policy that changes alone is a difference") {
    const Policy its;
    const auto& [a, b, c, d, e, f, g, h, i, j] = its;
    const auto no_rules = [](Policy& policy) { policy.rules.clear(); };
    const auto no_jails = [](Policy& policy) { policy.jails.clear(); };
    check_each({CHANGE(host.mode, Mode::observe),
                {"rules", no_rules},
                CHANGE(exfil_inside, kSome),
                CHANGE(essentials.arp, false),
                CHANGE(flows.max, 77),
                CHANGE(events.per_second, 77),
                {"jails", no_jails},
                CHANGE(fail2ban.jails, {"/x"}),
                CHANGE(bans.growth.increment, false),
                CHANGE(admin, kSome)},
               count(a, b, c, d, e, f, g, h, i, j));
    const auto& [k, l] = its.fail2ban;
    check_each({CHANGE(fail2ban.jails, {"/x"}), CHANGE(fail2ban.ipv6_prefix, 56)}, count(k, l));
}
