// SPDX-License-Identifier: Apache-2.0
// Somebody else's program for a NIC: lets everything in.
#include <linux/bpf.h>
__attribute__((section("xdp"), used)) int pass(struct xdp_md* c) {
    return XDP_PASS;
}
char _license[] __attribute__((section("license"), used)) = "GPL";
