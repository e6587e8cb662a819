// SPDX-License-Identifier: Apache-2.0
#pragma once
// The programs and maps, opened and loaded; nothing is attached by loading.
#include "base/result.h"
#include "kernel/maps.h"
#include "sallyport/abi/control.h"

#include <memory>
#include <string>

namespace sallyport {

enum class Program : unsigned char {
    xdp,      // sp_xdp_in
    xdp_shut, // in its place while a NIC that the hold kept shut is taken over
    connect4,
    connect6,
    sendmsg4,
    sendmsg6,
    cg_egress,
    cg_ingress,
    sock_create,
    sock_ops, // counts connections
    tc_egress,
    nf_forward, // netfilter, for both families; loaded as settings.forward_hook asks
    tc_forward, // TC ingress, in its place
    hold,       // netfilter; -1 before 6.4
    cg_mkdir,   // raw tracepoint cgroup_mkdir
    cg_rmdir,
    owners,      // iter/task_file
    packet_find, // iter/task_file: who holds a packet socket
    lsm_create,  // these three only where the kernel takes BPF LSM programs
    lsm_receive,
    lsm_sendmsg,
    seed,         // XDP, never attached: puts one sp_flow into the table when test-run
    sweep,        // XDP, never attached: frees expired flows of some sets when test-run
    peers_see,    // iter/bpf_sk_storage_map: counts connections anew; -1 when refused
    peers_settle, // XDP, never attached: makes that the count, of some sets
};

// What the backfill of owners makes of the sockets it meets.
enum class KeepRunning : unsigned char { no, yes };

struct LoadOptions {
    // flow_sets and flow_max too; forward_hook is what is wished for: a kernel that has no
    // netfilter programs gets SP_FORWARD_TC_INGRESS.
    sp_settings settings{};
    // Directory on a bpffs whose "maps" folder is reused where it exists and made
    // otherwise; empty: nothing is pinned (tests, asking).
    std::string pin_dir;
};

// Owns every fd; closing them takes down what is neither attached nor pinned.
class Programs {
  public:
    // Errors carry the verifier's log, and a hint for no BTF, no permission, no bpffs.
    [[nodiscard]] static Result<Programs> load(const LoadOptions& options);
    // What stands under the pins, without loading anything: a NIC's programs, and the
    // maps that describe NICs. The rest is -1. not_found when no wall stands.
    [[nodiscard]] static Result<Programs> open_standing(const std::string& pin_dir);
    Programs(Programs&&) noexcept;
    Programs& operator=(Programs&&) noexcept;
    ~Programs();

    [[nodiscard]] const Maps& maps() const;
    // -1 when this kernel lacks it.
    [[nodiscard]] int fd(Program program) const;
    // Of a map by its name; negative when there is none, and for open_standing's.
    [[nodiscard]] int map_fd(const std::string& name) const;
    // Pins what is not pinned there (any more): the maps, and a NIC's programs.
    // How many those were.
    [[nodiscard]] Result<unsigned> pin_again(const std::string& pin_dir) const;
    // Pins a NIC's programs, in place of those of an earlier process.
    [[nodiscard]] Status pin_programs(const std::string& pin_dir) const;
    // Who judges what is routed, once the hooks are attached.
    [[nodiscard]] sp_forward_hook forward_hook() const;
    // Before the owners iterator is read.
    void keep_running(KeepRunning keep);
    // What this kernel should have taken and did not, and the verifier's word for it; "" when
    // it took all that it has hooks for.
    [[nodiscard]] const std::string& refusal() const;
    // What the verifier said when it took all but the LSM programs; "" when it took those too.
    [[nodiscard]] const std::string& lsm_refusal() const;
    // How often the LSM programs were asked about a packet socket.
    [[nodiscard]] std::uint64_t sockets_asked() const;

  private:
    struct Impl;
    explicit Programs(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sallyport
