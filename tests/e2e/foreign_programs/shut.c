// SPDX-License-Identifier: Apache-2.0
// Somebody else's program for a NIC under the name of one of ours: lets everything in.
#include <linux/bpf.h>
__attribute__((section("xdp"), used)) int sp_xdp_shut(struct xdp_md* c) {
    return XDP_PASS;
}
char _license[] __attribute__((section("license"), used)) = "GPL";
