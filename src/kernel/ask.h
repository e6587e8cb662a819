// SPDX-License-Identifier: Apache-2.0
#pragma once
// Asking is not doing: a second instance of the programs over the maps of a wall, with
// other read-only data. It judges a packet as the wall would and leaves no trace: no entry,
// no token, no count, no event. Of the wall itself nothing is run.
#include "base/result.h"
#include "kernel/programs.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// Which program is asked.
enum class AskAt : std::uint8_t {
    arriving, // XDP of a guarded NIC
    sending,  // the cgroup, for what a process's socket sends
    leaving,  // TC of a guarded NIC, for what nobody's socket sends
    routed,   // the hook for what is routed: netfilter, or TC ingress before 6.4
};

enum class AskFlows : std::uint8_t {
    known, // as the wall knows them
    none,  // as if there were no flow and no socket: may it be opened anew?
};

struct AskOptions {
    std::uint32_t slot = 0; // 0: that of the policy in force when this is loaded
    AskFlows flows = AskFlows::known;
    std::vector<AskAt> at{}; // what will be asked: each program costs its time to load
};

struct Question {
    AskAt at = AskAt::arriving;
    // As the wire shows it: of an Ethernet device with its header, which `sending` and
    // netfilter's `routed` want too, whatever the device is. At least 14 bytes.
    std::span<const std::uint8_t> packet{};
    unsigned ifindex = 0; // where it arrives, or leaves; it must exist in this namespace
    unsigned out = 0;     // routed: where it leaves; 0: not known
    // sending: by whom.
    std::uint64_t cgroup = 0;
    std::uint32_t uid = 0;
};

struct Judgement {
    bool settled = false;        // false: its hook does not judge such a packet
    bool pass = false;           // with a reason: observed, not dropped
    std::uint32_t reason = 0;    // enum sp_reason; 0: none, it may pass
    std::uint32_t direction = 0; // enum sp_direction: by which rules
    std::uint32_t rule = 0;      // rule + 1 of `generation`; 0: none was asked, none matched
    std::uint32_t hook = 0;      // enum sp_hook
    std::uint32_t generation = 0;
    bool opened = false; // an opening that the rule lets in
};

class Asker {
  public:
    // Over what is pinned in this layout directory (layout_dir_of()); not_found when no wall
    // has its pins there.
    [[nodiscard]] static Result<Asker> over_pins(const std::string& layout_dir,
                                                 const AskOptions& options);
    // Over the maps of a wall that this process holds; it may end before the Asker.
    [[nodiscard]] static Result<Asker> over(const Programs& wall, const AskOptions& options);
    Asker(Asker&&) noexcept;
    Asker& operator=(Asker&&) noexcept;
    ~Asker();

    // One at a time. The network namespace must be the wall's.
    [[nodiscard]] Result<Judgement> ask(const Question& question) const;
    // An IP packet as the interface of that index would hand it over, from a neighbour to it
    // or the other way: with an Ethernet header where the link has one.
    [[nodiscard]] Result<std::vector<std::uint8_t>>
    framed(AskAt at, unsigned ifindex, std::span<const std::uint8_t> packet) const;

    [[nodiscard]] std::uint32_t slot() const;
    [[nodiscard]] sp_settings settings() const; // of the wall
    [[nodiscard]] const Maps& maps() const;     // the wall's

  private:
    struct Impl;
    explicit Asker(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sallyport
