// SPDX-License-Identifier: Apache-2.0
#pragma once
// A policy, loaded, and packets through it one by one:
//
//     Bench bench{allow_in("ssh", "any", "tcp", "22")};
//     CHECK(bench.xdp(to_host(Family::v4) / tcp{.dport = 22}) == passes());
//
// The real parser, compiler, loader and programs; nothing is attached. The host
// has kHost4, kHost6 and kHostLink6 and the MAC kHostMac on every interface of
// machine.h. The programs are loaded once per process and kind; every Bench
// takes a free slot, a new generation and an empty flow table. One at a time: a
// Bench whose programs a later one of the same settings has taken says so.
#include "compile/map_image.h"
#include "kernel/programs.h"
#include "policy/policy.h"
#include "support/instance.h"
#include "support/packet.h"
#include "support/policy_text.h"
#include "support/prog_run.h"
#include "support/seen.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport::test {

// Whether the test's own cgroup, whose socket every skb bears, is one the egress rules bind.
enum class Sender : std::uint8_t { inside, outside };

// An asking instance judges by a slot that no word points at and must leave no trace.
enum class Role : std::uint8_t { live, asking };

struct BenchOptions {
    std::string host{}; // more lines of [host]
    Sender sender = Sender::inside;
    Role role = Role::live;
    std::uint32_t flow_sets = 256;
    std::uint32_t flow_max = 256 * SP_FLOW_WAYS * 3 / 4;
    std::uint32_t forget_flows = 0; // of sp_settings
    sp_forward_hook forward_hook = SP_FORWARD_AT_NIC;
};

class Bench {
  public:
    // `policy` is a policy file without schema, [host] and [events].
    explicit Bench(const std::string& policy, const BenchOptions& options = {});
    explicit Bench(const Policy& policy, const BenchOptions& options = {});

    Seen xdp(const Packet& packet, const std::string& interface = "eth0");
    Seen xdp(const Bytes& frame, const std::string& interface = "eth0");
    // As sent by a socket of the test's own cgroup.
    Seen cgroup(const Packet& packet, const std::string& interface = "eth0");
    Seen cgroup(const Bytes& frame, const std::string& interface = "eth0");
    Seen tc(const Packet& packet, const std::string& interface = "eth0");
    Seen tc(const Bytes& frame, const std::string& interface = "eth0");

    // What is routed, as it came in by `interface`, by the hook that the bench's options name.
    // Netfilter's has it leave by an interface of the same kind; its events name none.
    Seen forward(const Packet& packet, const std::string& interface = "eth2");
    Seen forward(const Bytes& frame, const std::string& interface = "eth2");

    // The next generation, of another policy; flows stay.
    void reload(const std::string& policy);
    void set_control(std::uint64_t word); // 0: as in a fresh map

    [[nodiscard]] sp_rule_count rule_count(const std::string& rule) const;
    [[nodiscard]] std::uint64_t flow_entries() const;
    void set_local(const std::string& address, std::uint32_t flags); // 0: not local at all
    void set_iface(const std::string& interface, const sp_iface& iface);
    [[nodiscard]] sp_iface iface(const std::string& interface) const;

    [[nodiscard]] Instance& instance() const { return *instance_; }
    [[nodiscard]] const Programs& programs() const;
    [[nodiscard]] const Maps& maps() const;
    [[nodiscard]] const Policy& policy() const { return policy_; }
    [[nodiscard]] const MapImage& image() const { return image_; }
    [[nodiscard]] std::uint32_t slot() const { return slot_; }

  private:
    Seen run(sp_hook hook, const Bytes& frame, const std::string& interface, const SkbContext& skb);
    [[nodiscard]] Result<RunResult> run_program(sp_hook hook, const Bytes& frame,
                                                const std::string& interface,
                                                const SkbContext& skb);
    void use(const Policy& policy);
    void describe_interfaces();
    [[nodiscard]] std::uint32_t generation_in_force() const;

    BenchOptions options_;
    Instance* instance_; // lives as long as the process
    std::uint64_t ticket_;
    std::map<std::string, std::uint32_t> counters_;
    Policy policy_;
    MapImage image_;
    std::uint32_t slot_ = 0;
};

} // namespace sallyport::test
