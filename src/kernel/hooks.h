// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every program at its hook. Installing is all or nothing; what stands already
// under a pin is kept and only gets the new program, so that there is no gap.
#include "base/fd.h"
#include "base/result.h"
#include "kernel/link.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "policy/policy.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// One line of `status`: where a program is, or why it is not.
struct HookState {
    std::string hook;  // "xdp", "connect4", ...
    std::string iface; // "" for cgroup hooks
    std::string mode;  // XDP: "native", "generic"; TC: "tcx", "clsact"; else ""
    bool attached = false;
    std::string why; // when not attached, or not as asked for
};

struct GuardedNic {
    std::string name;
    unsigned index = 0;
    bool bare_ip = false; // no Ethernet header: generic XDP only
};

class Hooks {
  public:
    // What judges nothing but must come first: the tracepoints that follow cgroups, and
    // sock_create, which names the owner of each new socket. `cgroup` is a directory.
    [[nodiscard]] Status install_owners(const Programs& programs, const Pins& pins, int cgroup);
    // The cgroup's other programs.
    [[nodiscard]] Status install_cgroup(const Programs& programs, const Pins& pins, int cgroup);
    // XDP and TC on one NIC; TC first, so that no flow is opened that XDP would not know.
    [[nodiscard]] Status install_nic(const Programs& programs, const Pins& pins,
                                     const GuardedNic& nic, XdpMode mode);
    // Takes one NIC's hooks away, its pins too.
    void remove_nic(const Pins& pins, const std::string& name);
    // NICs that bear other names than their pins: these follow.
    [[nodiscard]] Status rename_nics(const Pins& pins, const std::vector<GuardedNic>& now);
    // A hook that should be there and cannot be installed: `states` shows it, `lost` tells of it
    // until it is.
    void miss(HookState state);
    // Pins that somebody has removed, of links that this object still holds: pinned again, and
    // named.
    [[nodiscard]] Result<std::vector<HookState>> pin_again(const Pins& pins) const;
    // Undoes what this object installed anew, and nothing that it adopted.
    void undo(const Pins& pins);

    [[nodiscard]] std::vector<HookState> states() const;
    // Looks at the links and filters themselves: those that have lost their hook.
    [[nodiscard]] std::vector<HookState> lost() const;

  private:
    struct Held {
        std::string pin; // name below links/; "" for clsact
        HookState state;
        std::vector<Link> link;    // none for clsact
        unsigned clsact = 0;       // the interface of a clsact filter, which no link holds
        std::uint32_t program = 0; // what the link must run
        bool fresh = false;        // made by this process
        bool missing = false;      // miss(): there is nothing to hold
        [[nodiscard]] bool has_lost() const;
    };
    [[nodiscard]] Status keep(const Pins& pins, const std::string& pin, HookState state,
                              int program, const std::function<Result<Link>()>& attach);
    [[nodiscard]] Status install_xdp(const Programs& programs, const Pins& pins,
                                     const GuardedNic& nic, XdpMode mode);
    [[nodiscard]] Status install_tc(const Programs& programs, const Pins& pins,
                                    const GuardedNic& nic);
    void forget(const std::string& pin);
    void found(const HookState& state);
    std::vector<Held> held_;
};

// The NICs that have pins, under the names they had when these were made: those whose
// device is in this network namespace. Pins of other devices are removed.
[[nodiscard]] std::vector<GuardedNic> pinned_nics(const Pins& pins);

// The clsact filter of an interface, which has no pin to tell of it; nothing when
// no interface of this network namespace has the name.
[[nodiscard]] std::optional<HookState> clsact_state(const std::string& interface);

// Detaches the clsact filters of every interface (kernels before 6.6 have no TC
// link). Part of taking everything down; nothing to do is no error.
void remove_clsact_filters();

} // namespace sallyport
