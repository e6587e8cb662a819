// SPDX-License-Identifier: Apache-2.0
#include "kernel/attached.h"

#include "base/fd.h"
#include "kernel/filters.h"
#include "kernel/netlink.h"
#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sallyport {
namespace {

// Newer than the headers of Debian 12 (linux/bpf.h of 6.6 and 6.4).
constexpr std::uint32_t kTcxIngress = 46, kTcxEgress = 47;
constexpr std::uint32_t kLinkNetfilter = 10;
constexpr std::uint32_t kProgramsMost = 64; // the kernel's own bound of both

// union bpf_attr's query; its first fields are the same for cgroups and, from 6.6 on, devices.
struct Query {
    std::uint32_t target;
    std::uint32_t attach_type;
    std::uint32_t flags;
    std::uint32_t attach_flags;
    std::uint64_t ids;
    std::uint32_t count;
    std::uint32_t spare;
    std::uint64_t more[4]; // flags of programs, ids and flags of links, the revision
};

// struct bpf_link_info as 6.4 has it.
struct NetfilterLinkInfo {
    std::uint32_t type;
    std::uint32_t id;
    std::uint32_t program;
    std::uint32_t spare;
    std::uint32_t family;
    std::uint32_t hook;
    std::int32_t priority;
    std::uint32_t flags;
    std::uint64_t more[8];
};

struct Kind {
    std::uint32_t attach_type;
    const char* name;
};

constexpr Kind kCgroupKinds[] = {
    {BPF_CGROUP_INET_SOCK_CREATE, "sock_create"}, {BPF_CGROUP_SOCK_OPS, "sock_ops"},
    {BPF_CGROUP_INET_INGRESS, "cgroup_ingress"},  {BPF_CGROUP_INET4_CONNECT, "connect4"},
    {BPF_CGROUP_INET6_CONNECT, "connect6"},       {BPF_CGROUP_UDP4_SENDMSG, "sendmsg4"},
    {BPF_CGROUP_UDP6_SENDMSG, "sendmsg6"},        {BPF_CGROUP_INET_EGRESS, "cgroup_egress"},
};

void add_queried(std::uint32_t target, const Kind& kind, std::uint32_t flags,
                 std::vector<AttachedProgram>& found) {
    std::array<std::uint32_t, kProgramsMost> ids{};
    Query query{};
    query.target = target;
    query.attach_type = kind.attach_type;
    query.flags = flags;
    query.ids = reinterpret_cast<std::uint64_t>(ids.data());
    query.count = kProgramsMost;
    if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof query) != 0) return;
    for (std::uint32_t i = 0; i < std::min(query.count, kProgramsMost); i++)
        found.push_back({.id = ids.at(i), .name = program_name(ids.at(i)), .where = kind.name});
}

void add_xdp(unsigned ifindex, std::vector<AttachedProgram>& found) {
    bpf_xdp_query_opts query = sized<bpf_xdp_query_opts>();
    if (bpf_xdp_query(static_cast<int>(ifindex), 0, &query) != 0) return;
    for (const auto& [id, where] :
         {std::pair{query.hw_prog_id, "offloaded XDP"}, std::pair{query.drv_prog_id, "native XDP"},
          std::pair{query.skb_prog_id, "generic XDP"}})
        if (id != 0) found.push_back({.id = id, .name = program_name(id), .where = where});
}

std::string text_of(Bytes value) {
    std::string text(reinterpret_cast<const char*>(value.data()), value.size());
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

std::optional<AttachedProgram> filter_of(const NetlinkMessage& message, unsigned ifindex,
                                         const char* where) {
    const auto header = front_of<tcmsg>(message.body);
    if (message.type != RTM_NEWTFILTER || header.tcm_ifindex != static_cast<int>(ifindex) ||
        header.tcm_handle == 0)
        return std::nullopt; // without a handle: a chain's head, no filter
    AttachedProgram found{.id = 0, .name = "", .where = where};
    for_each_attribute(behind(message.body, sizeof(tcmsg)), [&](std::uint16_t type, Bytes value) {
        if (type == TCA_KIND) found.name = text_of(value);
        if (type != TCA_OPTIONS) return;
        for_each_attribute(value, [&](std::uint16_t inner, Bytes number) {
            if (inner == TCA_BPF_ID && found.name == "bpf")
                found.id = front_of<std::uint32_t>(number);
        });
    });
    if (found.name == "bpf") found.name = found.id == 0 ? "classic BPF" : program_name(found.id);
    return found;
}

void add_filters(unsigned ifindex, bool ingress, std::vector<AttachedProgram>& found) {
    const Result<NetlinkSocket> socket = NetlinkSocket::open(NETLINK_ROUTE);
    if (!socket) return;
    tcmsg which{};
    which.tcm_family = AF_UNSPEC;
    which.tcm_ifindex = static_cast<int>(ifindex);
    which.tcm_parent = TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
    const char* where = ingress ? "clsact ingress" : "clsact egress";
    const Result<std::vector<AttachedProgram>> filters = collect<AttachedProgram>(
        *socket, RTM_GETTFILTER, bytes_of(which),
        [&](const NetlinkMessage& message) { return filter_of(message, ifindex, where); });
    if (filters) found.insert(found.end(), filters->begin(), filters->end());
}

} // namespace

std::vector<AttachedProgram> attached_to_nic(unsigned ifindex) {
    std::vector<AttachedProgram> found;
    add_xdp(ifindex, found);
    add_queried(ifindex, {kTcxIngress, "TCX ingress"}, 0, found);
    add_filters(ifindex, true, found);
    add_queried(ifindex, {kTcxEgress, "TCX egress"}, 0, found);
    add_filters(ifindex, false, found);
    return found;
}

std::vector<AttachedProgram> attached_to_cgroup(int cgroup, CgroupView view) {
    std::vector<AttachedProgram> found;
    for (const Kind& kind : kCgroupKinds)
        add_queried(static_cast<std::uint32_t>(cgroup), kind,
                    view == CgroupView::effective ? BPF_F_QUERY_EFFECTIVE : 0, found);
    return found;
}

std::vector<NetfilterProgram> netfilter_programs() {
    std::vector<NetfilterProgram> found;
    for (std::uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
        const Fd link(bpf_link_get_fd_by_id(id));
        NetfilterLinkInfo info{};
        std::uint32_t size = sizeof info;
        if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) continue; // gone
        if (info.type != kLinkNetfilter) continue;
        found.push_back({.program = {.id = info.program,
                                     .name = program_name(info.program),
                                     .where = "netfilter"},
                         .family = info.family,
                         .hook = info.hook,
                         .priority = info.priority});
    }
    return found;
}

bool uses_map_of(std::uint32_t program, const std::vector<std::uint32_t>& maps) {
    const Fd fd(bpf_prog_get_fd_by_id(program));
    std::array<std::uint32_t, kProgramsMost> used{};
    bpf_prog_info info{};
    info.nr_map_ids = kProgramsMost;
    info.map_ids = reinterpret_cast<std::uint64_t>(used.data());
    std::uint32_t size = sizeof info;
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return false;
    const auto end = used.begin() + std::min(info.nr_map_ids, kProgramsMost);
    return std::any_of(used.begin(), end,
                       [&](std::uint32_t id) { return std::ranges::find(maps, id) != maps.end(); });
}

} // namespace sallyport
