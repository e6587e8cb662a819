// SPDX-License-Identifier: Apache-2.0
// The netfilter links: what is routed, and what arrives on a NIC that has no hooks yet.
#include "kernel/hooks.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

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
    {.name = "hold_in4", .family = kIpv4, .where = kLocalIn, .priority = kHoldPriority},
    {.name = "hold_in6", .family = kIpv6, .where = kLocalIn, .priority = kHoldPriority},
    {.name = "hold_forward4", .family = kIpv4, .where = kForward, .priority = kHoldPriority},
    {.name = "hold_forward6", .family = kIpv6, .where = kForward, .priority = kHoldPriority},
};

const NetfilterHook kNetfilterHooks[] = {
    {.name = "forward4", .family = kIpv4, .where = kForward, .priority = kForwardPriority},
    {.name = "forward6", .family = kIpv6, .where = kForward, .priority = kForwardPriority},
};

} // namespace

Status Hooks::install_hold(const Programs& programs, const Pins& pins) {
    const int fd = programs.fd(Program::hold);
    if (fd < 0) return fail(ErrorKind::not_supported, "this kernel has no netfilter links (6.4)");
    for (const NetfilterHook& hook : kHoldHooks) SP_TRY(install_netfilter(pins, hook, fd));
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
        Result<Link> link = Link::netfilter(program, place);
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

} // namespace sallyport
