// SPDX-License-Identifier: Apache-2.0
// The LSM hooks that refuse packet sockets. Where one is missing the others still
// judge, and status names it.
#include "kernel/hooks.h"

#include <algorithm>
#include <unistd.h>

namespace sallyport {
namespace {

struct SocketHook {
    Program program;
    const char* name;
};

constexpr SocketHook kSocketHooks[] = {
    {Program::lsm_create, "lsm_create"},
    {Program::lsm_receive, "lsm_receive"},
    {Program::lsm_sendmsg, "lsm_sendmsg"},
};

} // namespace

bool is_socket_hook(const std::string& hook) {
    return std::ranges::any_of(kSocketHooks,
                               [&hook](const SocketHook& known) { return hook == known.name; });
}

Status Hooks::install_sockets(const Programs& programs, const Pins& pins) {
    std::erase_if(held_, [](const Held& held) { return is_socket_hook(held.state.hook); });
    Status all;
    for (const SocketHook& hook : kSocketHooks) {
        const int fd = programs.fd(hook.program);
        HookState state{.hook = hook.name, .iface = "", .mode = "", .attached = false, .why = ""};
        Status kept =
            fd < 0 ? Status(fail(ErrorKind::not_supported, "this kernel refuses the program"))
                   : keep(pins, hook.name, state, fd, [fd] { return Link::tracepoint(fd); });
        if (kept) continue;
        state.why = kept.error().text();
        held_.emplace_back().state = std::move(state);
        if (all) all = std::move(kept);
    }
    return all;
}

bool Hooks::has_sockets(const Pins& pins) {
    return std::ranges::any_of(pins.links(), is_socket_hook);
}

void Hooks::remove_sockets(const Pins& pins) {
    for (const SocketHook& hook : kSocketHooks) unlink(pins.link(hook.name).c_str());
    std::erase_if(held_, [](const Held& held) { return is_socket_hook(held.state.hook); });
}

} // namespace sallyport
