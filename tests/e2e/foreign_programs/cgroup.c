// SPDX-License-Identifier: Apache-2.0
// Somebody else's programs for a cgroup: let everything out.
#include <linux/bpf.h>
__attribute__((section("cgroup_skb/egress"), used)) int all(struct __sk_buff* skb) {
    return 1;
}
__attribute__((section("cgroup/connect4"), used)) int four(struct bpf_sock_addr* c) {
    return 1;
}
char _license[] __attribute__((section("license"), used)) = "GPL";
