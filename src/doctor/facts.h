// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was read of a machine for `doctor`, as values. nullopt: it could not be read.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::doctor {

struct NicFacts {
    std::string name;
    std::string driver; // "" when it does not say
    bool is_hardware = false;
    unsigned mtu = 0;
    std::optional<std::uint64_t> xdp_features; // NETDEV_XDP_ACT_*; kernels before 6.3 do not tell
    std::optional<bool> lro;
    unsigned combined = 0; // queues; 0: it does not say
    unsigned most_combined = 0;
    std::string xdp_mode;    // "native", "generic", "offloaded"; "": no program is attached
    std::string xdp_program; // its name
    std::string generic_pin; // of our link in generic mode; "": there is none
};

struct PacketSocket {
    std::uint32_t pid = 0;
    std::string comm;
};

// A base chain of nftables' that drops what no rule of its accepts.
struct DroppingChain {
    std::string table; // "inet filter"
    std::string chain;
    std::string hook;
};

struct Facts {
    bool is_root = false;
    std::string release; // uname
    bool has_btf = false;
    std::optional<int> jit;              // net.core.bpf_jit_enable
    std::optional<int> unprivileged_bpf; // kernel.unprivileged_bpf_disabled
    std::string lsm_obstacle;            // "" when BPF LSM programs are asked
    std::string lsm_advice;
    std::string cgroup2_mount; // "" when there is none
    bool has_cgroup1 = false;  // controllers in the old hierarchy
    bool has_bpffs = false;    // where the pins go
    std::string bpffs;         // the directory of the pins
    unsigned cpus = 1;
    std::vector<NicFacts> nics;             // up, but for loopback
    std::string nftables_why;               // why its rules are not known; "": they are
    std::vector<DroppingChain> dropping;    // of nftables, iptables-nft too
    std::vector<std::string> legacy_tables; // of iptables-legacy
    std::vector<std::string> managers;      // "ufw", "firewalld", "fail2ban" where they run
    bool has_docker = false, has_containerd = false, has_kubernetes = false;
    bool has_conntrack = true; // may programs ask it?
    std::vector<std::string> rdma;
    std::vector<std::string> other_ways; // "vfio", "bluetooth", ...
    std::vector<PacketSocket> packet_sockets;
    std::optional<int> forwards_v4, forwards_v6;
    bool has_ipv6 = true;    // does the kernel speak it at all?
    bool holds_nics = false; // a NIC that loses its XDP program is shut until it has one again
    std::vector<std::string> ra_lost; // NICs that take no router advertisement, for they forward
    std::optional<bool> clock_is_set; // synchronised
    std::string wall;                 // "protected", "observing", ...; "": not known
    std::string wall_why;
};

} // namespace sallyport::doctor
