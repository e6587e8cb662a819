// SPDX-License-Identifier: Apache-2.0
#include "kernel/link.h"

#include "kernel/options.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <linux/if_link.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sallyport {
namespace {

// Newer than the headers of Debian 12 (linux/bpf.h of 6.6).
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);
constexpr std::uint32_t kLinkTypeTcx = 11;
constexpr std::uint32_t kNetfilter = 45;

// union bpf_attr's link_create as 6.4 has it; libbpf before 1.3 has no call for it.
struct CreateNetfilterLink {
    std::uint32_t program;
    std::uint32_t target;
    std::uint32_t attach_type;
    std::uint32_t flags;
    NetfilterPlace place;
    std::uint32_t netfilter_flags;
};

struct LinkInfo {
    std::uint32_t type = 0;
    std::uint32_t program = 0;
    std::uint32_t ifindex = 0;
    std::uint64_t cgroup = 0;
};

Result<LinkInfo> info_of(int fd) {
    // The tail of a kernel's own struct may be longer than this header's; the fields
    // that are read lie in its first part, at the same place for XDP and TCX.
    bpf_link_info raw{};
    std::uint32_t size = sizeof(raw);
    const int error = bpf_obj_get_info_by_fd(fd, &raw, &size);
    if (error < 0) return fail_errno(-error, "asking about a link");
    return LinkInfo{.type = raw.type,
                    .program = raw.prog_id,
                    .ifindex = raw.xdp.ifindex,
                    .cgroup = raw.cgroup.cgroup_id};
}

} // namespace

Result<Link> Link::xdp(int program, unsigned ifindex, XdpAttach how) {
    bpf_link_create_opts options = sized<bpf_link_create_opts>();
    options.flags = how == XdpAttach::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    const int fd = bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options);
    if (fd < 0) return fail_errno(-fd, "attaching XDP");
    return Link(Fd(fd));
}

Result<Link> Link::tcx_egress(int program, unsigned ifindex) {
    const int fd = bpf_link_create(program, static_cast<int>(ifindex), kTcxEgress, nullptr);
    if (fd == -EINVAL) return fail(ErrorKind::not_supported, "this kernel has no TCX (6.6)");
    if (fd < 0) return fail_errno(-fd, "attaching TCX");
    return Link(Fd(fd));
}

Result<Link> Link::netfilter(int program, const NetfilterPlace& place) {
    CreateNetfilterLink attr{.program = static_cast<std::uint32_t>(program),
                             .target = 0,
                             .attach_type = kNetfilter,
                             .flags = 0,
                             .place = place,
                             .netfilter_flags = 0};
    const long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
    if (fd >= 0) return Link(Fd(static_cast<int>(fd)));
    if (errno == EINVAL || errno == EOPNOTSUPP)
        return fail(ErrorKind::not_supported, "this kernel has no netfilter links (6.4)");
    if (errno == EBUSY)
        return fail(ErrorKind::conflict, "another netfilter hook has this priority");
    return fail_errno(errno, "attaching to netfilter");
}

bool Link::is_taken(int program, const NetfilterPlace& place) {
    const Result<Link> second = netfilter(program, place);
    return !second && second.error().kind == ErrorKind::conflict;
}

Result<Link> Link::cgroup(int program, int cgroup, int attach_type) {
    const int fd =
        bpf_link_create(program, cgroup, static_cast<bpf_attach_type>(attach_type), nullptr);
    if (fd < 0)
        return fail_errno(-fd, "attaching to the cgroup",
                          fd == -EPERM
                              ? "another program holds this cgroup alone (attached without "
                                "BPF_F_ALLOW_MULTI); bpftool cgroup tree shows it"
                              : "");
    return Link(Fd(fd));
}

Result<Link> Link::tracepoint(int program) {
    const int fd = bpf_raw_tracepoint_open(nullptr, program);
    if (fd < 0) return fail_errno(-fd, "attaching to a tracepoint");
    return Link(Fd(fd));
}

Result<Link> Link::open(const std::string& pin) {
    const int fd = bpf_obj_get(pin.c_str());
    if (fd < 0) return fail_errno(-fd, "opening " + pin);
    return Link(Fd(fd));
}

Status Link::update(int program) const {
    const int error = bpf_link_update(fd_.get(), program, nullptr);
    if (error < 0) return fail_errno(-error, "replacing a program");
    return {};
}

Status Link::pin(const std::string& path) const {
    unlink(path.c_str());
    const int error = bpf_obj_pin(fd_.get(), path.c_str());
    if (error < 0) return fail_errno(-error, "pinning " + path);
    return {};
}

Result<std::optional<unsigned>> Link::ifindex() const {
    const LinkInfo info = SP_TRY(info_of(fd_.get()));
    if (info.type != BPF_LINK_TYPE_XDP && info.type != kLinkTypeTcx)
        return std::optional<unsigned>{};
    return std::optional<unsigned>{info.ifindex};
}

std::uint64_t Link::cgroup_id() const {
    const Result<LinkInfo> info = info_of(fd_.get());
    return info && info->type == BPF_LINK_TYPE_CGROUP ? info->cgroup : 0;
}

Result<Fd> Link::program() const {
    const LinkInfo info = SP_TRY(info_of(fd_.get()));
    Fd program(bpf_prog_get_fd_by_id(info.program));
    if (!program) return fail_errno(errno, "opening a link's program");
    return program;
}

bool Link::is_live() const {
    return live_program() != 0;
}

std::uint32_t Link::live_program() const {
    const Result<LinkInfo> info = info_of(fd_.get());
    if (!info) return 0;
    const bool on_device = info->type == BPF_LINK_TYPE_XDP || info->type == kLinkTypeTcx;
    if (on_device && info->ifindex == 0) return 0;
    if (info->type == BPF_LINK_TYPE_CGROUP && info->cgroup == 0) return 0;
    return info->program;
}

Status run_iterator(int program, int map) {
    bpf_iter_link_info which{};
    which.map.map_fd = static_cast<std::uint32_t>(map);
    bpf_link_create_opts options = sized<bpf_link_create_opts>();
    if (map >= 0) {
        options.iter_info = &which;
        options.iter_info_len = sizeof(which);
    }
    const Fd link(bpf_link_create(program, 0, BPF_TRACE_ITER, &options));
    if (!link) return fail_errno(errno, "attaching an iterator");
    const Fd iterator(bpf_iter_create(link.get()));
    if (!iterator) return fail_errno(errno, "starting an iterator");
    char buffer[4096];
    for (;;) {
        const ssize_t got = read(iterator.get(), buffer, sizeof(buffer));
        if (got == 0) return {};
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return fail_errno(errno, "reading an iterator");
    }
}

} // namespace sallyport
