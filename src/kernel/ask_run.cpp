// SPDX-License-Identifier: Apache-2.0
// What to know of the kernel's side (net/bpf/test_run.c): a frame has at least 14 bytes, and
// a cgroup_skb program sees it from the IP header on. The interface must exist in the
// caller's namespace. An skb comes with a socket of the caller's, so whose it is to be is
// said in sp_question; a netfilter program sees none of its interfaces.
#include "kernel/ask_run.h"

#include "kernel/options.h"

#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <vector>

namespace sallyport {
namespace {

// struct nf_hook_state of 6.4 and later; its pointers are the kernel's to fill.
struct NetfilterState {
    std::uint8_t hook = 2; // NF_INET_FORWARD
    std::uint8_t family = 2;
    std::array<void*, 5> rest{};
};

constexpr std::size_t kEthernet = 14;

Result<std::uint32_t> run(int fd, std::span<const std::uint8_t> packet, void* context,
                          std::uint32_t context_size) {
    bpf_test_run_opts options = sized<bpf_test_run_opts>();
    options.data_in = packet.data();
    options.data_size_in = static_cast<std::uint32_t>(packet.size());
    options.ctx_in = context;
    options.ctx_size_in = context_size;
    options.repeat = 1;
    const int error = bpf_prog_test_run_opts(fd, &options);
    if (error == -ENODEV)
        return fail(ErrorKind::not_found, "this network namespace has no such interface",
                    "ask in the wall's network namespace");
    if (error == -EINVAL)
        return fail(ErrorKind::kernel, "the kernel tries no such packet",
                    "ask about a shorter one: it takes about 3500 bytes");
    if (error < 0) return fail_errno(-error, "asking the program (BPF_PROG_TEST_RUN)");
    return options.retval;
}

} // namespace

Result<std::uint32_t> run_asked(Program program, int fd, const Question& question) {
    if (question.packet.size() < kEthernet)
        return fail(ErrorKind::invalid_input, "a frame has at least 14 bytes");
    if (program == Program::xdp) {
        xdp_md context{};
        context.data_end = static_cast<std::uint32_t>(question.packet.size());
        context.ingress_ifindex = question.ifindex;
        return run(fd, question.packet, &context, sizeof(context));
    }
    if (program == Program::nf_forward) {
        NetfilterState state;
        if (question.packet[12] == 0x86) state.family = 10;
        return run(fd, question.packet, &state, sizeof(state));
    }
    __sk_buff skb{};
    skb.ifindex = question.ifindex;
    return run(fd, question.packet, &skb, sizeof(skb));
}

bool passes(Program program, std::uint32_t action) {
    switch (program) {
    case Program::xdp:
        return action == 2; // XDP_PASS
    case Program::cg_egress:
    case Program::nf_forward:
        return action == 1; // and NF_ACCEPT
    default:
        return action == 0xffffffffu; // TC_ACT_UNSPEC
    }
}

} // namespace sallyport
