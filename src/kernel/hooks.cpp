// SPDX-License-Identifier: Apache-2.0
#include "kernel/hooks.h"

#include "kernel/filters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

struct CgroupHook {
    Program program;
    const char* name;
    bpf_attach_type type;
};

constexpr CgroupHook kCgroupHooks[] = {
    {Program::sock_ops, "sock_ops", BPF_CGROUP_SOCK_OPS},
    {Program::cg_ingress, "cgroup_ingress", BPF_CGROUP_INET_INGRESS},
    {Program::connect4, "connect4", BPF_CGROUP_INET4_CONNECT},
    {Program::connect6, "connect6", BPF_CGROUP_INET6_CONNECT},
    {Program::sendmsg4, "sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {Program::sendmsg6, "sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {Program::cg_egress, "cgroup_egress", BPF_CGROUP_INET_EGRESS},
};

} // namespace

Status Hooks::keep(const Pins& pins, const std::string& pin, HookState state, int program,
                   const std::function<Result<Link>()>& attach, std::uint64_t cgroup) {
    forget(pin);
    found(state);
    Result<Link> standing = Link::open(pins.link(pin));
    if (standing && standing->is_live() && (cgroup == 0 || standing->cgroup_id() == cgroup)) {
        const Status updated = standing->update(program);
        if (updated) {
            state.attached = true;
            Held& held = held_.emplace_back();
            held.pin = pin;
            held.state = std::move(state);
            held.program = standing->live_program();
            held.link.push_back(std::move(*standing));
            return {};
        }
        // Raw tracepoint links cannot be updated: the old one is replaced below.
    }
    Link link = SP_TRY(attach());
    SP_TRY(link.pin(pins.link(pin)));
    state.attached = true;
    Held& held = held_.emplace_back();
    held.pin = pin;
    held.state = std::move(state);
    held.program = link.live_program();
    held.link.push_back(std::move(link));
    held.fresh = true;
    return {};
}

void Hooks::forget(const std::string& pin) {
    std::erase_if(held_, [&pin](const Held& held) { return held.pin == pin; });
}

void Hooks::found(const HookState& state) {
    std::erase_if(held_, [&state](const Held& held) {
        return held.missing && held.state.hook == state.hook && held.state.iface == state.iface;
    });
}

void Hooks::miss(HookState state) {
    for (Held& held : held_) {
        if (held.state.hook != state.hook || held.state.iface != state.iface) continue;
        if (held.missing) held.state.why = std::move(state.why);
        return;
    }
    Held& held = held_.emplace_back();
    held.state = std::move(state);
    held.state.attached = false;
    held.missing = true;
}

Status Hooks::install_owners(const Programs& programs, const Pins& pins, const Cgroup& cgroup) {
    for (const auto& [program, name] : {std::pair{Program::cg_mkdir, "cgroup_mkdir"},
                                        std::pair{Program::cg_rmdir, "cgroup_rmdir"}}) {
        const int fd = programs.fd(program);
        HookState state{.hook = name, .iface = "", .mode = "", .attached = false, .why = ""};
        const Status kept =
            fd < 0 ? Status(fail(ErrorKind::not_supported, "this kernel refuses the program"))
                   : keep(pins, name, state, fd, [fd] { return Link::tracepoint(fd); });
        if (kept) continue;
        // Without them a unit that starts later is recognised by the daemon only.
        state.why = kept.error().text();
        held_.emplace_back().state = std::move(state);
    }
    const int fd = programs.fd(Program::sock_create);
    HookState state{.hook = "sock_create", .iface = "", .mode = "", .attached = false, .why = ""};
    return keep(
               pins, "sock_create", std::move(state), fd,
               [fd, &cgroup] {
                   return Link::cgroup(fd, cgroup.directory.get(), BPF_CGROUP_INET_SOCK_CREATE);
               },
               cgroup.id)
        .context("hook sock_create");
}

Status Hooks::install_cgroup(const Programs& programs, const Pins& pins, const Cgroup& cgroup) {
    for (const CgroupHook& hook : kCgroupHooks) {
        const int fd = programs.fd(hook.program);
        HookState state{.hook = hook.name, .iface = "", .mode = "", .attached = false, .why = ""};
        SP_TRY(keep(
                   pins, hook.name, std::move(state), fd,
                   [&hook, fd, &cgroup] {
                       return Link::cgroup(fd, cgroup.directory.get(), hook.type);
                   },
                   cgroup.id)
                   .context(fmt::format("hook {}", hook.name)));
    }
    return {};
}

void Hooks::undo(const Pins& pins) {
    for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
        if (!held->fresh) continue;
        if (held->clsact != 0)
            detach_filter(held->clsact, held->ingress);
        else
            unlink(pins.link(held->pin).c_str());
    }
    held_.clear();
}

Result<std::vector<HookState>> Hooks::pin_again(const Pins& pins) const {
    std::vector<HookState> again;
    for (const Held& held : held_) {
        if (held.pin.empty() || held.link.empty()) continue;
        if (access(pins.link(held.pin).c_str(), F_OK) == 0) continue;
        SP_TRY(held.link.front().pin(pins.link(held.pin)));
        again.push_back(held.state);
    }
    return again;
}

bool Hooks::Held::has_lost() const {
    if (missing) return true;
    if (clsact != 0) return !filter_stands(clsact, ingress);
    if (place) return !Link::is_taken(netfilter, *place);
    return !link.empty() && link.front().live_program() != program;
}

std::vector<HookState> Hooks::states() const {
    std::vector<HookState> states;
    for (const Held& held : held_) {
        HookState state = held.state;
        if (state.attached && held.has_lost()) {
            state.attached = false;
            state.why = held.clsact != 0 ? "the filter is gone" : "the link has lost its hook";
            if (held.clsact == 0 && held.link.front().is_live())
                state.why = "the link runs another program";
        }
        states.push_back(std::move(state));
    }
    return states;
}

std::vector<HookState> Hooks::lost() const {
    std::vector<HookState> lost;
    for (const Held& held : held_)
        if (held.has_lost()) lost.push_back(held.state);
    return lost;
}

} // namespace sallyport
