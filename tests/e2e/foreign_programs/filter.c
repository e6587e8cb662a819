// SPDX-License-Identifier: Apache-2.0
// Somebody else's program for TC: hands on what it gets.
#include <linux/bpf.h>
__attribute__((section("tc"), used)) int hand_on(struct __sk_buff* skb) {
    return -1; // TC_ACT_UNSPEC
}
char _license[] __attribute__((section("license"), used)) = "GPL";
