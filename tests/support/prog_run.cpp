// SPDX-License-Identifier: Apache-2.0
#include "support/prog_run.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <linux/bpf.h>

namespace sallyport::test {
namespace {

Result<RunResult> run(int program, const Bytes& bytes, void* context, std::uint32_t context_size) {
    RunResult result;
    result.output.resize(bytes.size() + 256);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = bytes.data();
    options.data_size_in = static_cast<std::uint32_t>(bytes.size());
    options.data_out = result.output.data();
    options.data_size_out = static_cast<std::uint32_t>(result.output.size());
    options.ctx_in = context;
    options.ctx_size_in = context_size;
    options.repeat = 1;
    if (bpf_prog_test_run_opts(program, &options) != 0)
        return fail_errno(errno, "BPF_PROG_TEST_RUN");
    result.output.resize(options.data_size_out);
    result.action = options.retval;
    return result;
}

} // namespace

Result<RunResult> run_xdp(int program, const Bytes& frame, std::uint32_t ifindex) {
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(frame.size());
    context.ingress_ifindex = ifindex;
    return run(program, frame, &context, sizeof(context));
}

Result<RunResult> run_skb(int program, const Bytes& frame, const SkbContext& context) {
    __sk_buff skb{};
    skb.mark = context.mark;
    skb.ifindex = context.ifindex;
    skb.ingress_ifindex = context.ingress_ifindex;
    for (std::size_t i = 0; i < context.cb.size(); ++i) skb.cb[i] = context.cb[i];
    return run(program, frame, &skb, sizeof(skb));
}

Result<RunResult> run_netfilter(int program, const Bytes& frame) {
    // struct nf_hook_state of 6.4 and later; its pointers are the kernel's to fill.
    struct {
        std::uint8_t hook = 2; // NF_INET_FORWARD
        std::uint8_t family = 2;
        std::array<void*, 5> rest{};
    } state;
    if (frame.size() > 12 && frame[12] == 0x86) state.family = 10;
    return run(program, frame, &state, sizeof(state));
}

Result<RunResult> run_bytes(int program, const Bytes& bytes) {
    return run(program, bytes, nullptr, 0);
}

} // namespace sallyport::test
