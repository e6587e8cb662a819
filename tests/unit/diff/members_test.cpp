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

using Texts = std::vector<std::string>;

struct Change {
    const char* member;
    std::function<void(Policy&)> make;
};

template <class Whole> Whole& reach(Whole& whole) {
    return whole;
}
template <class Whole, class First, class... Rest>
auto& reach(Whole& whole, First first, Rest... rest) {
    return reach(std::invoke(first, whole), rest...);
}

// Puts `value` where `path` leads to, member by member.
template <class Value, class... Path> Change to(const char* member, Value value, Path... path) {
    return {.member = member, .make = [=](Policy& policy) { reach(policy, path...) = value; }};
}

JailRule& first_jail(Policy& policy) {
    return policy.jails[0];
}
Rule& first_rule(Policy& policy) {
    return policy.rules[0];
}
Rule& second_rule(Policy& policy) {
    return policy.rules[1];
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
    check_each(
        {to("host.interfaces", Texts{"eth0"}, &Policy::host, &Host::interfaces),
         to("host.mode", Mode::observe, &Policy::host, &Host::mode),
         to("host.xdp", XdpMode::generic, &Policy::host, &Host::xdp),
         to("host.cgroup", std::string("/x.slice"), &Policy::host, &Host::cgroup),
         to("host.packet_sockets", PacketSockets::deny, &Policy::host, &Host::packet_sockets),
         to("host.packet_socket_users", Texts{"/x.service"}, &Policy::host,
            &Host::packet_socket_users),
         to("host.sysctls", Sysctls::set, &Policy::host, &Host::sysctls)},
        count(a, b, c, d, e, f, g));
}

TEST_CASE("each of the essentials that changes alone is a difference") {
    const Essentials its;
    const auto& [a, b, c, d, e, f, g, h, i, j] = its;
    check_each(
        {to("essentials.arp", false, &Policy::essentials, &Essentials::arp),
         to("essentials.neighbour_discovery", false, &Policy::essentials,
            &Essentials::neighbour_discovery),
         to("essentials.dhcp_client", false, &Policy::essentials, &Essentials::dhcp_client),
         to("essentials.icmp_errors", false, &Policy::essentials, &Essentials::icmp_errors),
         to("essentials.ping", kSome, &Policy::essentials, &Essentials::ping),
         to("essentials.routers", kSome, &Policy::essentials, &Essentials::routers),
         to("essentials.judge_ip_options", true, &Policy::essentials,
            &Essentials::judge_ip_options),
         to("essentials.redirects", true, &Policy::essentials, &Essentials::redirects),
         to("essentials.link_protocols.lldp", true, &Policy::essentials,
            &Essentials::link_protocols, &LinkProtocols::lldp),
         to("essentials.track_fragments", true, &Policy::essentials, &Essentials::track_fragments)},
        count(a, b, c, d, e, f, g, h, i, j));
    const auto& [k, l, m, n, o] = its.link_protocols;
    check_each({to("essentials.link_protocols.lldp", true, &Policy::essentials,
                   &Essentials::link_protocols, &LinkProtocols::lldp),
                to("essentials.link_protocols.eapol", true, &Policy::essentials,
                   &Essentials::link_protocols, &LinkProtocols::eapol),
                to("essentials.link_protocols.lacp", true, &Policy::essentials,
                   &Essentials::link_protocols, &LinkProtocols::lacp),
                to("essentials.link_protocols.ptp", true, &Policy::essentials,
                   &Essentials::link_protocols, &LinkProtocols::ptp),
                to("essentials.link_protocols.stp", true, &Policy::essentials,
                   &Essentials::link_protocols, &LinkProtocols::stp)},
               count(k, l, m, n, o));
}

TEST_CASE("each member of [flows] and [events] that changes alone is a difference") {
    const Flows flows;
    const auto& [a, b, c] = flows;
    check_each({to("flows.max", 77u, &Policy::flows, &Flows::max),
                to("flows.tcp_idle", 77s, &Policy::flows, &Flows::tcp_idle),
                to("flows.udp_idle", 77s, &Policy::flows, &Flows::udp_idle)},
               count(a, b, c));
    const Events events;
    const auto& [d, e, f, g, h] = events;
    check_each({to("events.per_second", 77u, &Policy::events, &Events::per_second),
                to("events.repeat", 77s, &Policy::events, &Events::repeat),
                to("events.command_lines", true, &Policy::events, &Events::command_lines),
                to("events.capture_bytes", 77u, &Policy::events, &Events::capture_bytes),
                to("events.names", false, &Policy::events, &Events::names)},
               count(d, e, f, g, h));
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
                to("bans.growth.increment", false, &Policy::bans, &BanRules::growth,
                   &BanGrowth::increment),
                {"after_limits", [&](Policy& policy) { after(policy.bans.after_limits); }},
                {"after_probes", [&](Policy& policy) { after(policy.bans.after_probes); }}},
               count(a, b, c, d, e));
    const auto& [f, g, h, i] = its.growth;
    check_each(
        {to("bans.growth.increment", false, &Policy::bans, &BanRules::growth,
            &BanGrowth::increment),
         to("bans.growth.multipliers", std::vector<std::uint32_t>{3}, &Policy::bans,
            &BanRules::growth, &BanGrowth::multipliers),
         to("bans.growth.max_time", 77s, &Policy::bans, &BanRules::growth, &BanGrowth::max_time),
         to("bans.growth.remember", 77s, &Policy::bans, &BanRules::growth, &BanGrowth::remember)},
        count(f, g, h, i));
}

TEST_CASE("each member of a jail that changes alone is a difference, but for its line") {
    const JailRule its;
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, line] = its;
    check_each({to("jails[0].name", std::string("other"), first_jail, &JailRule::name),
                to("jails[0].logs", Texts{"/x"}, first_jail, &JailRule::logs),
                to("jails[0].journals", Texts{"x.service"}, first_jail, &JailRule::journals),
                to("jails[0].match", Texts{"y <HOST>"}, first_jail, &JailRule::match),
                to("jails[0].ignore", Texts{"z <HOST>"}, first_jail, &JailRule::ignore),
                to("jails[0].date_pattern", Texts{"%s"}, first_jail, &JailRule::date_pattern),
                to("jails[0].filter", std::string("sshd"), first_jail, &JailRule::filter),
                to("jails[0].max_retry", 77u, first_jail, &JailRule::max_retry),
                to("jails[0].find_time", 77s, first_jail, &JailRule::find_time),
                to("jails[0].ban_time", std::nullopt, first_jail, &JailRule::ban_time),
                to("jails[0].growing", true, first_jail, &JailRule::growing),
                to("jails[0].ban_time_max", 77s, first_jail, &JailRule::ban_time_max),
                to("jails[0].except", kSome, first_jail, &JailRule::except),
                to("jails[0].ipv6_prefix", 56u, first_jail, &JailRule::ipv6_prefix)},
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
    check_each({to("rules[0].direction", Direction::egress, first_rule, &Rule::direction),
                to("rules[0].deny", true, first_rule, &Rule::deny),
                to("rules[0].from", kSome, first_rule, &Rule::from),
                to("rules[1].to", kSome, second_rule, &Rule::to),
                to("rules[0].services.any_protocol", true, first_rule, &Rule::services,
                   &Services::any_protocol),
                to("rules[0].interfaces", Texts{"eth0"}, first_rule, &Rule::interfaces),
                to("rules[1].identity.user", 77u, second_rule, &Rule::identity, &Identity::user),
                to("rules[0].log_new", true, first_rule, &Rule::log_new),
                to("rules[0].limit", Limit{}, first_rule, &Rule::limit)},
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
    check_each({to("host.mode", Mode::observe, &Policy::host, &Host::mode),
                {"rules", no_rules},
                to("exfil_inside", kSome, &Policy::exfil_inside),
                to("essentials.arp", false, &Policy::essentials, &Essentials::arp),
                to("flows.max", 77u, &Policy::flows, &Flows::max),
                to("events.per_second", 77u, &Policy::events, &Events::per_second),
                {"jails", no_jails},
                to("fail2ban.jails", Texts{"/x"}, &Policy::fail2ban, &Fail2banFiles::jails),
                to("bans.growth.increment", false, &Policy::bans, &BanRules::growth,
                   &BanGrowth::increment),
                to("admin", kSome, &Policy::admin)},
               count(a, b, c, d, e, f, g, h, i, j));
    const auto& [k, l] = its.fail2ban;
    check_each({to("fail2ban.jails", Texts{"/x"}, &Policy::fail2ban, &Fail2banFiles::jails),
                to("fail2ban.ipv6_prefix", 56u, &Policy::fail2ban, &Fail2banFiles::ipv6_prefix)},
               count(k, l));
}
