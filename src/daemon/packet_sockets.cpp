// SPDX-License-Identifier: Apache-2.0
#include "daemon/packet_sockets.h"

#include "kernel/packet_sockets.h"

#include <algorithm>
#include <map>

namespace sallyport {

std::vector<sp_found_socket> PacketSocketWatch::take(const std::vector<sp_found_socket>& found) {
    std::map<Key, sp_found_socket> now;
    for (const sp_found_socket& socket : found) {
        const auto [at, first] =
            now.try_emplace({socket.inode, socket.cgroup, socket.bypass}, socket);
        if (!first && socket.pid < at->second.pid) at->second = socket;
    }
    std::vector<sp_found_socket> news;
    std::set<Key> keys;
    held_.clear();
    for (const auto& [key, socket] : now) {
        if (!known_.contains(key)) news.push_back(socket);
        keys.insert(key);
        held_.push_back(socket);
    }
    known_ = std::move(keys);
    return news;
}

std::vector<Diagnostic> advise_packet_sockets(const Policy& policy, const std::string& policy_file,
                                              const std::string& obstacle) {
    if (policy.host.packet_sockets != PacketSockets::deny || obstacle.empty()) return {};
    return {{.severity = Severity::warning,
             .file = policy_file,
             .line = 0,
             .column = 0,
             .message = "packet-sockets = \"deny\" would not be enforced on this machine: " +
                        obstacle + "; such sockets would only be reported",
             .hint = lsm_advice(),
             .source = {}}};
}

bool is_in_cgroups(std::string_view path, const std::vector<std::string>& cgroups) {
    return std::ranges::any_of(cgroups, [path](std::string_view base) {
        while (base.ends_with('/')) base.remove_suffix(1);
        return path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/');
    });
}

} // namespace sallyport
