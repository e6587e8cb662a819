// SPDX-License-Identifier: Apache-2.0
// The hooks of one NIC: XDP and TC, their pins by its name.
#include "kernel/filters.h"
#include "kernel/hooks.h"
#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <thread>
#include <unistd.h>

namespace sallyport {
namespace {

// Does the device of this namespace run that program?
bool runs_xdp(unsigned ifindex, std::uint32_t program) {
    bpf_xdp_query_opts options = sized<bpf_xdp_query_opts>();
    if (bpf_xdp_query(static_cast<int>(ifindex), 0, &options) != 0) return false;
    return program != 0 && (options.drv_prog_id == program || options.skb_prog_id == program ||
                            options.hw_prog_id == program);
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

// Does the hold stand? It takes a NIC with sp_xdp_in for guarded, packet by packet.
bool holds_newcomers(const Pins& pins) {
    return std::ranges::any_of(pins.links(),
                               [](const std::string& pin) { return pin.starts_with("hold_"); });
}

// What came up before XDP was there goes through the stack in less, but on a processor
// that does not get to it (KERNEL: softnet's backlog).
constexpr std::chrono::milliseconds kDrain{50};

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

} // namespace

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
        return keep(pins, pin, std::move(state), fd, [&, how]() -> Result<Link> {
            if (!holds_newcomers(pins)) return Link::xdp(fd, nic.index, how);
            Link link = SP_TRY(Link::xdp(programs.fd(Program::xdp_shut), nic.index, how));
            std::this_thread::sleep_for(kDrain);
            SP_TRY(link.update(fd));
            return link;
        });
    };
    const auto stands_on = [&](const std::string& pin) {
        const Result<Link> link = Link::open(pins.link(pin));
        if (!link) return false;
        const Result<std::optional<unsigned>> index = link->ifindex();
        // A link that went to another namespace with its device may bear any index.
        if (index && *index == nic.index && runs_xdp(nic.index, link->live_program())) return true;
        unlink(pins.link(pin).c_str()); // of a device that is gone, or it was detached
        forget(pin);                    // what comes in its place may do so in the other mode
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

void Hooks::forget_forward_but(const std::vector<unsigned>& indexes) {
    std::erase_if(held_, [&indexes](const Held& held) {
        return held.ingress && std::ranges::find(indexes, held.clsact) == indexes.end();
    });
}

void Hooks::remove_nic(const Pins& pins, const std::string& name) {
    for (const Held& held : held_) {
        if (held.state.iface != name) continue;
        if (!held.pin.empty()) unlink(pins.link(held.pin).c_str());
        if (held.clsact != 0) detach_filter(held.clsact, held.ingress);
    }
    std::erase_if(held_, [&name](const Held& held) { return held.state.iface == name; });
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

} // namespace sallyport
