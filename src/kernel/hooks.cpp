// SPDX-License-Identifier: Apache-2.0
#include "kernel/hooks.h"

#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>

namespace sallyport {
namespace {

struct CgroupHook {
    Program program;
    const char* name;
    bpf_attach_type type;
};

constexpr CgroupHook kCgroupHooks[] = {
    {Program::cg_ingress, "cgroup_ingress", BPF_CGROUP_INET_INGRESS},
    {Program::connect4, "connect4", BPF_CGROUP_INET4_CONNECT},
    {Program::connect6, "connect6", BPF_CGROUP_INET6_CONNECT},
    {Program::sendmsg4, "sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {Program::sendmsg6, "sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {Program::cg_egress, "cgroup_egress", BPF_CGROUP_INET_EGRESS},
};

// Ours among other filters of the interface.
constexpr std::uint32_t kFilterHandle = 0x5a11;
constexpr std::uint32_t kFilterPriority = 1;

// NFPROTO_IPV4, NFPROTO_IPV6 and NF_INET_FORWARD: <linux/netfilter.h> and <netinet/in.h>
// do not go together everywhere.
constexpr std::uint32_t kIpv4 = 2;
constexpr std::uint32_t kIpv6 = 10;
constexpr std::uint32_t kForward = 2;
// Behind the filters and all else that has a name there; the source is rewritten later.
constexpr std::int32_t kForwardPriority = 1000;

// By the names of their pins, name-0 and so on.
constexpr std::uint32_t kLocalIn = 1;
constexpr std::int32_t kHoldPriority = -450; // before conntrack's own
const NetfilterHook kHoldHooks[] = {
    {.name = "hold_in4",
     .family = kIpv4,
     .where = kLocalIn,
     .priority = kHoldPriority,
     .fragments = Fragments::as_they_come},
    {.name = "hold_in6",
     .family = kIpv6,
     .where = kLocalIn,
     .priority = kHoldPriority,
     .fragments = Fragments::as_they_come},
    {.name = "hold_forward4",
     .family = kIpv4,
     .where = kForward,
     .priority = kHoldPriority,
     .fragments = Fragments::as_they_come},
    {.name = "hold_forward6",
     .family = kIpv6,
     .where = kForward,
     .priority = kHoldPriority,
     .fragments = Fragments::as_they_come},
};

const NetfilterHook kNetfilterHooks[] = {
    {.name = "forward4",
     .family = kIpv4,
     .where = kForward,
     .priority = kForwardPriority,
     .fragments = Fragments::put_together},
    {.name = "forward6",
     .family = kIpv6,
     .where = kForward,
     .priority = kForwardPriority,
     .fragments = Fragments::put_together},
};

bpf_tc_hook place_of(unsigned ifindex, bool ingress) {
    bpf_tc_hook hook = sized<bpf_tc_hook>();
    hook.ifindex = static_cast<int>(ifindex);
    hook.attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
    return hook;
}

bpf_tc_opts our_filter() {
    bpf_tc_opts options = sized<bpf_tc_opts>();
    options.handle = kFilterHandle;
    options.priority = kFilterPriority;
    return options;
}

std::string program_name(std::uint32_t id) {
    const Fd fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return "?";
    return info.name;
}

// Is our clsact filter on that interface?
bool filter_stands(unsigned ifindex, bool ingress) {
    // No clsact at all is a usual answer, and libbpf would complain of it.
    const libbpf_print_fn_t print = libbpf_set_print(nullptr);
    const bpf_tc_hook hook = place_of(ifindex, ingress);
    bpf_tc_opts options = our_filter();
    const int error = bpf_tc_query(&hook, &options);
    libbpf_set_print(print);
    return error == 0 &&
           program_name(options.prog_id) == (ingress ? "sp_tc_forward" : "sp_tc_egress");
}

void detach_filter(unsigned ifindex, bool ingress) {
    if (!filter_stands(ifindex, ingress)) return;
    const bpf_tc_hook hook = place_of(ifindex, ingress);
    const bpf_tc_opts options = our_filter();
    bpf_tc_detach(&hook, &options);
}

// Does the device of this namespace run that program?
bool runs_xdp(unsigned ifindex, std::uint32_t program) {
    bpf_xdp_query_opts options = sized<bpf_xdp_query_opts>();
    if (bpf_xdp_query(static_cast<int>(ifindex), 0, &options) != 0) return false;
    return program != 0 && (options.drv_prog_id == program || options.skb_prog_id == program ||
                            options.hw_prog_id == program);
}

// A NIC's pins are named for the hook and the NIC; "" when this one is no NIC's.
constexpr std::array kNicPins{"xdp-native-", "xdp-generic-", "tcx-"};

std::string nic_of_pin(const std::string& pin) {
    for (const std::string_view prefix : kNicPins)
        if (pin.starts_with(prefix)) return pin.substr(prefix.size());
    return {};
}

Status rename_pin(const Pins& pins, const std::string& from, const std::string& to) {
    if (std::rename(pins.link(from).c_str(), pins.link(to).c_str()) != 0 && errno != ENOENT)
        return fail_errno(errno, "renaming the pin " + from);
    return {};
}

// Makes the clsact qdisc where there is none, and puts the program there or in the place
// of ours that stands.
Status attach_filter(unsigned ifindex, bool ingress, int program) {
    bpf_tc_hook hook = place_of(ifindex, ingress);
    const int made = bpf_tc_hook_create(&hook);
    if (made != 0 && made != -EEXIST) return fail_errno(-made, "making the clsact qdisc");
    bpf_tc_opts options = our_filter();
    options.prog_fd = program;
    options.flags = BPF_TC_F_REPLACE;
    const int attached = bpf_tc_attach(&hook, &options);
    if (attached != 0) return fail_errno(-attached, "attaching the TC filter");
    return {};
}

// Names who is in the way, and what may be done.
Error explain_xdp(Error error, const GuardedNic& nic) {
    std::uint32_t id = 0;
    if (bpf_xdp_query_id(static_cast<int>(nic.index), 0, &id) == 0 && id != 0) {
        error.kind = ErrorKind::conflict;
        error.message = fmt::format("{} already holds an XDP program (id {}, \"{}\")", nic.name, id,
                                    program_name(id));
        bpf_xdp_query_opts query = sized<bpf_xdp_query_opts>();
        const bool generic = bpf_xdp_query(static_cast<int>(nic.index), 0, &query) == 0 &&
                             query.attach_mode == XDP_ATTACHED_SKB;
        error.hint = fmt::format("it is never replaced silently: detach it (ip link set dev {} {} "
                                 "off) or leave {} out of [host] interfaces",
                                 nic.name, generic ? "xdpgeneric" : "xdp", nic.name);
    } else {
        error.hint = fmt::format("a native XDP program may need a smaller MTU or fewer queues "
                                 "(ip link set dev {} mtu 1500; ethtool -L {} combined N); "
                                 "[host] xdp = \"generic\" always works",
                                 nic.name, nic.name);
    }
    return error;
}

} // namespace

Status Hooks::keep(const Pins& pins, const std::string& pin, HookState state, int program,
                   const std::function<Result<Link>()>& attach) {
    forget(pin);
    found(state);
    Result<Link> standing = Link::open(pins.link(pin));
    if (standing && standing->is_live()) {
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

Status Hooks::install_owners(const Programs& programs, const Pins& pins, int cgroup) {
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
    return keep(pins, "sock_create", std::move(state), fd,
                [fd, cgroup] { return Link::cgroup(fd, cgroup, BPF_CGROUP_INET_SOCK_CREATE); })
        .context("hook sock_create");
}

Status Hooks::install_cgroup(const Programs& programs, const Pins& pins, int cgroup) {
    for (const CgroupHook& hook : kCgroupHooks) {
        const int fd = programs.fd(hook.program);
        HookState state{.hook = hook.name, .iface = "", .mode = "", .attached = false, .why = ""};
        SP_TRY(keep(pins, hook.name, std::move(state), fd, [&hook, fd, cgroup] {
                   return Link::cgroup(fd, cgroup, hook.type);
               }).context(fmt::format("hook {}", hook.name)));
    }
    return {};
}

Status Hooks::install_hold(const Programs& programs, const Pins& pins) {
    const int fd = programs.fd(Program::hold);
    if (fd < 0) return fail(ErrorKind::not_supported, "this kernel has no netfilter links (6.4)");
    for (const NetfilterHook& hook : kHoldHooks) SP_TRY(install_netfilter(pins, hook, fd));
    return {};
}

Status Hooks::install_nic(const Programs& programs, const Pins& pins, const GuardedNic& nic,
                          XdpMode mode) {
    SP_TRY(install_tc(programs, pins, nic).context("guarding " + nic.name));
    return install_xdp(programs, pins, nic, mode).context("guarding " + nic.name);
}

Status Hooks::install_xdp(const Programs& programs, const Pins& pins, const GuardedNic& nic,
                          XdpMode mode) {
    const int fd = programs.fd(Program::xdp);
    // The pin's name carries the mode, so that a daemon that adopts it can say which it is.
    const std::string native_pin = "xdp-native-" + nic.name;
    const std::string generic_pin = "xdp-generic-" + nic.name;
    const auto attach = [&](const std::string& pin, XdpAttach how, std::string why) {
        HookState state{.hook = "xdp",
                        .iface = nic.name,
                        .mode = how == XdpAttach::native ? "native" : "generic",
                        .attached = false,
                        .why = std::move(why)};
        return keep(pins, pin, std::move(state), fd,
                    [&, how] { return Link::xdp(fd, nic.index, how); });
    };
    const auto stands_on = [&](const std::string& pin) {
        const Result<Link> link = Link::open(pins.link(pin));
        if (!link) return false;
        const Result<std::optional<unsigned>> index = link->ifindex();
        // A link that went to another namespace with its device may bear any index.
        if (index && *index == nic.index && runs_xdp(nic.index, link->live_program())) return true;
        unlink(pins.link(pin).c_str()); // of a device that is gone
        return false;
    };
    if (stands_on(native_pin)) return attach(native_pin, XdpAttach::native, "");
    if (stands_on(generic_pin)) return attach(generic_pin, XdpAttach::generic, "");
    std::string why;
    // A device without Ethernet has no native mode; asked for by name, it says so itself.
    if (mode == XdpMode::native || (mode == XdpMode::automatic && !nic.bare_ip)) {
        const Status native = attach(native_pin, XdpAttach::native, "");
        if (native) return {};
        Error error = explain_xdp(native.error(), nic);
        if (mode == XdpMode::native || error.kind == ErrorKind::conflict)
            return std::unexpected<Error>(std::move(error));
        why = "native refused: " + error.text();
    }
    const Status generic = attach(generic_pin, XdpAttach::generic, why);
    if (!generic) return std::unexpected<Error>(explain_xdp(generic.error(), nic));
    return {};
}

Status Hooks::install_tc(const Programs& programs, const Pins& pins, const GuardedNic& nic) {
    const int fd = programs.fd(Program::tc_egress);
    const std::string pin = "tcx-" + nic.name;
    const Result<Link> standing = Link::open(pins.link(pin));
    if (standing) {
        const Result<std::optional<unsigned>> index = standing->ifindex();
        if (!index || *index != nic.index) unlink(pins.link(pin).c_str());
    }
    HookState state{.hook = "tc", .iface = nic.name, .mode = "tcx", .attached = false, .why = ""};
    Status tcx = keep(pins, pin, state, fd, [fd, &nic] { return Link::tcx_egress(fd, nic.index); });
    if (tcx || tcx.error().kind != ErrorKind::not_supported) return tcx;

    const bool stood = filter_stands(nic.index, false);
    SP_TRY(attach_filter(nic.index, false, fd));
    std::erase_if(held_, [&nic](const Held& held) {
        return held.clsact != 0 && !held.ingress && held.state.iface == nic.name;
    });
    found(state);
    state.mode = "clsact";
    state.attached = true;
    Held& held = held_.emplace_back();
    held.state = std::move(state);
    held.clsact = nic.index;
    held.fresh = !stood;
    return {};
}

Status Hooks::install_netfilter(const Pins& pins, const NetfilterHook& hook, int program) {
    const auto pin_of = [&hook](std::int32_t at) { return fmt::format("{}-{}", hook.name, at); };
    bool stood = false;
    for (std::int32_t at = 0; at < kNetfilterPlaces; at++)
        if (Link::open(pins.link(pin_of(at)))) stood = true;
    for (std::int32_t at = 0; at < kNetfilterPlaces; at++) {
        const NetfilterPlace place{
            .family = hook.family, .hook = hook.where, .priority = hook.priority + at};
        Result<Link> link = Link::netfilter(program, place, hook.fragments);
        if (!link && link.error().kind == ErrorKind::conflict && at + 1 < kNetfilterPlaces)
            continue;
        if (!link)
            return std::unexpected<Error>(
                std::move(link).error().context(fmt::format("hook {}", hook.name)));
        // A pin of this name is of a link that has lost its hook.
        SP_TRY(link->pin(pins.link(pin_of(at))));
        for (std::int32_t other = 0; other < kNetfilterPlaces; other++) {
            if (other != at) unlink(pins.link(pin_of(other)).c_str());
            forget(pin_of(other));
        }
        const HookState state{
            .hook = hook.name, .iface = "", .mode = "netfilter", .attached = true, .why = ""};
        found(state);
        Held& held = held_.emplace_back();
        held.pin = pin_of(at);
        held.state = state;
        held.link.push_back(std::move(*link));
        held.place = place;
        held.netfilter = program;
        held.fresh = !stood;
        return {};
    }
    return {};
}

Status Hooks::install_forward(const Programs& programs, const Pins& pins) {
    if (programs.forward_hook() != SP_FORWARD_NETFILTER) return {};
    for (const NetfilterHook& hook : kNetfilterHooks)
        SP_TRY(install_netfilter(pins, hook, programs.fd(Program::nf_forward)));
    return {};
}

Status Hooks::install_forward_on(const Programs& programs, const std::string& name,
                                 unsigned index) {
    const bool stood = filter_stands(index, true);
    SP_TRY(attach_filter(index, true, programs.fd(Program::tc_forward))
               .context("judging what " + name + " hands over to be routed"));
    std::erase_if(held_, [&name](const Held& held) {
        return held.clsact != 0 && held.ingress && held.state.iface == name;
    });
    const HookState state{
        .hook = "forward", .iface = name, .mode = "clsact", .attached = true, .why = ""};
    found(state);
    Held& held = held_.emplace_back();
    held.state = state;
    held.clsact = index;
    held.ingress = true;
    held.fresh = !stood;
    return {};
}

std::optional<HookState> netfilter_state(const std::string& pin, const std::string& path) {
    std::vector<NetfilterHook> hooks(std::begin(kNetfilterHooks), std::end(kNetfilterHooks));
    hooks.insert(hooks.end(), std::begin(kHoldHooks), std::end(kHoldHooks));
    for (const NetfilterHook& hook : hooks)
        for (std::int32_t at = 0; at < kNetfilterPlaces; at++) {
            if (pin != fmt::format("{}-{}", hook.name, at)) continue;
            HookState state{
                .hook = hook.name, .iface = "", .mode = "netfilter", .attached = false, .why = ""};
            const Result<Link> link = Link::open(path);
            const Result<Fd> program = link ? link->program() : Result<Fd>(Fd());
            state.attached = link && program &&
                             Link::is_taken(program->get(), {.family = hook.family,
                                                             .hook = hook.where,
                                                             .priority = hook.priority + at});
            if (!state.attached) state.why = "the link has lost its hook";
            return state;
        }
    return std::nullopt;
}

void Hooks::remove_nic(const Pins& pins, const std::string& name) {
    for (const Held& held : held_) {
        if (held.state.iface != name) continue;
        if (!held.pin.empty()) unlink(pins.link(held.pin).c_str());
        if (held.clsact != 0) detach_filter(held.clsact, held.ingress);
    }
    std::erase_if(held_, [&name](const Held& held) { return held.state.iface == name; });
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

Status Hooks::rename_nics(const Pins& pins, const std::vector<GuardedNic>& now) {
    // By way of names that no NIC can have ('/' apart, ' ' is refused in names), so that
    // two NICs may swap theirs.
    std::vector<std::pair<std::string, std::string>> last;
    for (const std::string& pin : pins.links()) {
        const std::string nic = nic_of_pin(pin);
        if (nic.empty()) continue;
        const Result<Link> link = Link::open(pins.link(pin));
        if (!link) continue;
        const Result<std::optional<unsigned>> index = link->ifindex();
        if (!index || !*index) continue;
        const auto bears = std::ranges::find(now, **index, &GuardedNic::index);
        if (bears == now.end() || bears->name == nic) continue;
        const std::string prefix = pin.substr(0, pin.size() - nic.size());
        const std::string between = fmt::format("{} {}", prefix, bears->index);
        SP_TRY(rename_pin(pins, pin, between));
        last.emplace_back(between, prefix + bears->name);
    }
    for (const auto& [from, to] : last) SP_TRY(rename_pin(pins, from, to));
    for (Held& held : held_) {
        if (held.state.iface.empty()) continue;
        unsigned at = held.clsact;
        if (!held.link.empty()) at = held.link.front().ifindex().value_or(0u).value_or(0u);
        const auto bears = std::ranges::find(now, at, &GuardedNic::index);
        if (at == 0 || bears == now.end()) continue;
        const std::string nic = nic_of_pin(held.pin);
        if (!nic.empty()) held.pin = held.pin.substr(0, held.pin.size() - nic.size()) + bears->name;
        held.state.iface = bears->name;
    }
    return {};
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

std::vector<GuardedNic> pinned_nics(const Pins& pins) {
    std::vector<GuardedNic> nics;
    for (const std::string& pin : pins.links()) {
        const std::string nic = nic_of_pin(pin);
        if (nic.empty()) continue;
        const Result<Link> link = Link::open(pins.link(pin));
        if (!link) continue;
        const unsigned index = link->ifindex().value_or(0u).value_or(0u);
        const bool is_xdp = !pin.starts_with("tcx-");
        if (index == 0 || (is_xdp && !runs_xdp(index, link->live_program()))) {
            unlink(pins.link(pin).c_str());
            continue;
        }
        if (is_xdp) nics.push_back({.name = nic, .index = index, .bare_ip = false});
    }
    return nics;
}

std::optional<HookState> clsact_state(const std::string& interface) {
    const unsigned index = if_nametoindex(interface.c_str());
    if (index == 0) return std::nullopt;
    HookState state{.hook = "tc",
                    .iface = interface,
                    .mode = "clsact",
                    .attached = filter_stands(index, false),
                    .why = ""};
    if (!state.attached) state.why = "the filter is gone";
    return state;
}

std::vector<HookState> forward_filters() {
    std::vector<HookState> found;
    struct if_nameindex* interfaces = if_nameindex();
    for (struct if_nameindex* i = interfaces; i && i->if_index != 0; i++)
        if (filter_stands(i->if_index, true))
            found.push_back({.hook = "forward",
                             .iface = i->if_name,
                             .mode = "clsact",
                             .attached = true,
                             .why = ""});
    if (interfaces) if_freenameindex(interfaces);
    return found;
}

void remove_clsact_filters() {
    struct if_nameindex* interfaces = if_nameindex();
    for (struct if_nameindex* i = interfaces; i && i->if_index != 0; i++) {
        detach_filter(i->if_index, false);
        detach_filter(i->if_index, true);
    }
    if (interfaces) if_freenameindex(interfaces);
}

} // namespace sallyport
