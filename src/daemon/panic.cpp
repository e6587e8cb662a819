// SPDX-License-Identifier: Apache-2.0
#include "daemon/panic.h"

#include "config/parse.h"

#include <fmt/format.h>
#include <memory>
#include <netinet/in.h>
#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

constexpr std::uint16_t kSsh = 22;

Rule let_in(std::string name, PeerSet from, const std::set<std::uint16_t>& ports) {
    Rule rule;
    rule.name = std::move(name);
    rule.from = std::move(from);
    for (const std::uint16_t port : ports)
        rule.services.ranges.push_back({.proto = IPPROTO_TCP, .low = port, .high = port});
    return rule;
}

PeerSet only(const Address& peer) {
    PeerPart part;
    part.networks = std::make_shared<std::vector<Prefix>>(1, prefix_of(peer, 128));
    return {.parts = {part}};
}

} // namespace

PolicySource panic_policy(const Policy& enforced, std::span<const Door> doors,
                          const std::set<std::uint16_t>& logins) {
    PolicySource source;
    Policy& policy = source.policy;
    policy = enforced;
    policy.host.mode = Mode::enforce;
    policy.rules.clear();
    policy.essentials.ping = {};
    policy.jails.clear();
    policy.fail2ban = {};
    policy.bans.after_limits.reset();
    policy.bans.after_probes.reset();
    for (const Door& door : doors)
        policy.rules.push_back(let_in("panic: session of " + to_string(door.peer) + ", port " +
                                          std::to_string(door.port),
                                      only(door.peer), {door.port}));
    if (!policy.admin.parts.empty())
        policy.rules.push_back(let_in("panic: admin", policy.admin,
                                      logins.empty() ? std::set<std::uint16_t>{kSsh} : logins));
    source.file = "(panic)";
    return source;
}

Policy bare_policy(const Enforced& enforced) {
    const nlohmann::json interfaces = enforced.interfaces; // strings of TOML are JSON's
    const nlohmann::json cgroup = enforced.cgroup;
    const std::string text =
        fmt::format("schema = 1\n[host]\ninterfaces = {}\nmode = \"enforce\"\ncgroup = {}\n",
                    interfaces.dump(), cgroup.dump());
    ParsedPolicy parsed = parse_policy(text, "(panic)", system_world());
    Policy policy = parsed.policy.value_or(Policy{});
    policy.host.xdp = enforced.xdp;
    policy.flows.max = enforced.flow_max;
    return policy;
}

} // namespace sallyport
