// SPDX-License-Identifier: Apache-2.0
#include "daemon/shut_policy.h"

#include "daemon/panic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

namespace sallyport {
namespace {

constexpr std::uint16_t kSsh = 22;
constexpr std::uint32_t kAMinute = 20;

std::set<std::uint16_t> or_ssh(const std::set<std::uint16_t>& logins) {
    return logins.empty() ? std::set<std::uint16_t>{kSsh} : logins;
}

} // namespace

PolicySource shut_policy(const Policy& base, const std::set<std::uint16_t>& logins) {
    PolicySource source = panic_policy(base, {}, or_ssh(logins));
    for (Rule& rule : source.policy.rules) rule.name = "fail-closed: admin";
    if (source.policy.rules.empty()) {
        Rule ssh;
        ssh.name = "fail-closed: ssh";
        ssh.from = any_peer();
        for (const std::uint16_t port : or_ssh(logins))
            ssh.services.ranges.push_back({.proto = IPPROTO_TCP, .low = port, .high = port});
        ssh.limit = Limit{};
        ssh.limit->rate = {.count = kAMinute, .per = std::chrono::seconds(60)};
        ssh.limit->burst = kAMinute;
        source.policy.rules.push_back(std::move(ssh));
    }
    source.file = kShutFile;
    source.by = "sallyport";
    return source;
}

std::string who_may_enter(const Policy& base, const std::set<std::uint16_t>& logins) {
    const std::set<std::uint16_t> ports = or_ssh(logins);
    return fmt::format("ssh, port {}, from {}", fmt::join(ports, ", "),
                       base.admin.parts.empty() ? "anywhere, since no zone admin is known"
                                                : "the zone admin");
}

std::string nearest_cgroup(std::string cgroup,
                           const std::function<bool(const std::string&)>& is_there) {
    while (cgroup.size() > 1 && !is_there(cgroup)) {
        const std::size_t slash = cgroup.rfind('/');
        cgroup.resize(slash == std::string::npos ? 0 : slash);
    }
    return cgroup.empty() ? "/" : cgroup;
}

} // namespace sallyport
