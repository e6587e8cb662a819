// SPDX-License-Identifier: Apache-2.0
#pragma once
// A status as a busy host has it.
#include "daemon/status.h"

namespace sallyport::test {

inline StatusView some_status() {
    StatusView status;
    status.state = "protected";
    status.mode = "enforce";
    status.generation = 3;
    status.policy_file = "/etc/sallyport/policy.toml";
    status.policy_sha256 = "0123456789abcdef";
    status.policy_applied = "2026-01-02T03:04:05Z";
    status.policy_by = "root";
    status.hooks = {{.hook = "xdp",
                     .iface = "eth0",
                     .mode = "native",
                     .attached = true,
                     .admitted = 8123,
                     .dropped = 45,
                     .admitted_bytes = 9000,
                     .dropped_bytes = 2700},
                    {.hook = "connect",
                     .iface = "",
                     .mode = "",
                     .attached = false,
                     .admitted = 0,
                     .dropped = 0}};
    status.reasons = {{"no-rule", 40}, {"malformed", 5}};
    status.rules = {{.name = "ssh",
                     .direction = "ingress",
                     .admitted = 12,
                     .limited = 0,
                     .bytes = 8811,
                     .denied = 0}};
    status.flow_entries = 12;
    status.flow_max = 262144;
    status.events_sent = 31;
    status.events_folded = 14;
    status.events_lost_by = {{"over-rate", 0}, {"ring-full", 0}};
    status.blind = {"af-xdp"};
    return status;
}

// The same with two processes that hold packet sockets.
inline StatusView with_sockets() {
    StatusView status = some_status();
    status.packet_sockets = {{.pid = 4242,
                              .comm = "tcpdump",
                              .exe = "/usr/bin/tcpdump",
                              .uid = 0,
                              .cgroup = "/user.slice",
                              .unit = "",
                              .family = "packet",
                              .ethertype = "0x0003",
                              .iface = "eth0",
                              .netns = "host",
                              .qdisc_bypass = true},
                             {.pid = 17,
                              .comm = "fast",
                              .exe = "",
                              .uid = 1000,
                              .cgroup = "/system.slice/fast.service",
                              .unit = "fast.service",
                              .family = "xdp",
                              .ethertype = "",
                              .iface = "",
                              .netns = "other",
                              .qdisc_bypass = false}};
    return status;
}

} // namespace sallyport::test
