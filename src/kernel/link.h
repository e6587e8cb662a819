// SPDX-License-Identifier: Apache-2.0
#pragma once
// A BPF link: a program at a hook, for as long as the link is held by a file
// descriptor or a pin. Closing an unpinned one detaches.
#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

// Where in the network namespace of the calling thread a netfilter program runs.
struct NetfilterPlace {
    std::uint32_t family; // NFPROTO_IPV4 or NFPROTO_IPV6; no other has links
    std::uint32_t hook;   // NF_INET_LOCAL_IN, NF_INET_FORWARD
    std::int32_t priority;
};

enum class XdpAttach : unsigned char { native, generic };

class Link {
  public:
    [[nodiscard]] static Result<Link> xdp(int program, unsigned ifindex, XdpAttach how);
    // not_supported before 6.6.
    [[nodiscard]] static Result<Link> tcx_egress(int program, unsigned ifindex);
    // not_supported before 6.4; conflict when that priority is taken.
    [[nodiscard]] static Result<Link> netfilter(int program, const NetfilterPlace& place);
    // Is there a hook at that place? The kernel tells nobody that a netfilter link was
    // detached by force, but refuses a second hook where one stands.
    [[nodiscard]] static bool is_taken(int program, const NetfilterPlace& place);
    [[nodiscard]] static Result<Link> cgroup(int program, int cgroup, int attach_type);
    [[nodiscard]] static Result<Link> tracepoint(int program);
    // A pinned one; not_found when there is no such file.
    [[nodiscard]] static Result<Link> open(const std::string& pin);

    // Replaces the program without a gap.
    [[nodiscard]] Status update(int program) const;
    // An existing pin of that name is replaced.
    [[nodiscard]] Status pin(const std::string& path) const;
    // The device of an XDP or TCX link; 0 when the device is gone, nullopt for other kinds.
    [[nodiscard]] Result<std::optional<unsigned>> ifindex() const;
    // The id of the cgroup that it is at; 0 for other kinds, and when that is gone.
    [[nodiscard]] std::uint64_t cgroup_id() const;
    // The program that it holds.
    [[nodiscard]] Result<Fd> program() const;
    // False when the link has lost its hook: detached by force, or its device or cgroup is gone.
    [[nodiscard]] bool is_live() const;
    // The id of the program it runs; 0 when it has lost its hook.
    [[nodiscard]] std::uint32_t live_program() const;
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    explicit Link(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// Runs an iterator program over everything it iterates; `map`: of those over a map's elements.
[[nodiscard]] Status run_iterator(int program, int map = -1);

} // namespace sallyport
