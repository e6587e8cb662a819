// SPDX-License-Identifier: Apache-2.0
// Others on the machine: firewalls, containers, ways past the hooks, routing.
#include "doctor/verdicts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sallyport::doctor {
namespace {

struct Adder {
    std::vector<Finding>& findings;
    void operator()(const char* id, Level level, std::string about, std::string text,
                    std::string next = {}) const {
        findings.push_back({.id = id,
                            .about = std::move(about),
                            .level = level,
                            .text = std::move(text),
                            .next = std::move(next)});
    }
};

void firewalls(const Facts& facts, const Adder& add) {
    for (const std::string& manager : facts.managers)
        add("firewall", Level::warn, manager,
            "it writes rules of its own: what we admit they may still drop, and the other way "
            "round",
            "write its rules into the policy, then disable it");
    for (const DroppingChain& one : facts.dropping)
        add("firewall", Level::warn, fmt::format("{} {}", one.table, one.chain),
            fmt::format("drops at {} what its rules do not accept: what we admit must be accepted "
                        "there too",
                        one.hook),
            fmt::format("nft list chain {} {}", one.table, one.chain));
    for (const std::string& table : facts.legacy_tables)
        add("firewall", Level::warn, "iptables-legacy " + table,
            "the table is there: what we admit its rules may still drop",
            fmt::format("iptables-legacy-save -t {}", table));
    if (!facts.nftables_why.empty())
        add("firewall", Level::warn, "nftables", "its rules are not known: " + facts.nftables_why,
            "nft list ruleset");
    if (facts.managers.empty() && facts.dropping.empty() && facts.legacy_tables.empty() &&
        facts.nftables_why.empty())
        add("firewall", Level::ok, "", "no other one drops by itself");
}

void containers(const Facts& facts, const Adder& add) {
    if (facts.has_docker || facts.has_containerd) {
        const char* name = facts.has_docker ? "Docker" : "containerd";
        if (facts.has_conntrack)
            add("containers", Level::ok, name,
                "published ports are judged by ingress rules, containers' way out by forward and "
                "egress rules");
        else
            add("containers", Level::warn, name,
                "programs cannot ask conntrack: a published connection that the flow table has "
                "lost "
                "stands still until its inner end sends",
                "echo nf_conntrack > /etc/modules-load.d/sallyport.conf; modprobe nf_conntrack; "
                "then start the daemon again");
    }
    if (facts.has_kubernetes)
        add("kubernetes", Level::warn, "",
            "a node is cut off by a policy that does not know its control plane and its CNI",
            "begin with mode = \"observe\"; its ports are 6443, 2379-2380, 10250, 10257 and 10259");
}

void ways_past(const Facts& facts, const Adder& add) {
    for (const std::string& device : facts.rdma)
        add("rdma", Level::warn, device, "what goes by RDMA passes no hook: it is not covered",
            "give /dev/infiniband to nobody who may not send");
    if (facts.rdma.empty()) add("rdma", Level::ok, "", "no device");
    for (const std::string& way : facts.other_ways)
        add("other-ways", Level::warn, way, "what goes by it passes no hook: it is not covered",
            "see the threat model for what closes it");
    for (const PacketSocket& one : facts.packet_sockets)
        add("packet-socket", Level::warn, fmt::format("{}[{}]", one.comm, one.pid),
            "it hears what the NIC hands up, and what it sends is judged without its identity, or, "
            "past the queueing layer, not at all",
            "end it, or name its cgroup in packet-socket-users and set packet-sockets = \"deny\"");
    if (facts.packet_sockets.empty()) add("packet-socket", Level::ok, "", "nobody holds one");
}

void routing(const Facts& facts, const Adder& add) {
    const bool has_boxes = facts.has_docker || facts.has_containerd || facts.has_kubernetes;
    const auto family = [&](const char* id, const std::optional<int>& on, const char* setting) {
        if (!on)
            return add(id, Level::warn, "", "whether it is routed could not be read",
                       fmt::format("sysctl {}, as root, says why", setting));
        if (*on == 0) return add(id, Level::ok, "", "it is not routed");
        if (has_boxes)
            return add(id, Level::ok, "",
                       "it is routed, as containers want it: forward rules judge");
        add(id, Level::warn, "",
            "it is routed, and no container runtime is here that would need it",
            fmt::format("sysctl -w {}=0, or write [[forward]] rules for what is routed", setting));
    };
    family("ipv4-forwarding", facts.forwards_v4, "net.ipv4.ip_forward");
    if (facts.has_ipv6)
        family("ipv6-forwarding", facts.forwards_v6, "net.ipv6.conf.all.forwarding");
    else
        add("ipv6-forwarding", Level::ok, "", "this kernel runs without IPv6");
    for (const std::string& nic : facts.ra_lost)
        add("router-advertisements", Level::warn, nic,
            "it forwards IPv6, so it takes no router advertisement: its default route expires",
            fmt::format("sysctl -w net.ipv6.conf.{}.accept_ra=2", nic));
}

} // namespace

void examine_neighbours(const Facts& facts, std::vector<Finding>& findings) {
    const Adder add{findings};
    firewalls(facts, add);
    containers(facts, add);
    ways_past(facts, add);
    routing(facts, add);
}

} // namespace sallyport::doctor
