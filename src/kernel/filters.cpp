// SPDX-License-Identifier: Apache-2.0
#include "kernel/filters.h"

#include "kernel/hooks.h"
#include "kernel/options.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <net/if.h>

namespace sallyport {
namespace {

// Ours among other filters of the interface.
constexpr std::uint32_t kFilterHandle = 0x5a11;
constexpr std::uint32_t kFilterPriority = 1;

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

} // namespace

std::string program_name(std::uint32_t id) {
    const Fd fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return "?";
    return info.name;
}

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
