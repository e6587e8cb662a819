// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every program at its hook. Installing is all or nothing; what stands already
// under a pin is kept and only gets the new program, so that there is no gap.
#include "base/fd.h"
#include "base/result.h"
#include "kernel/cgroups.h"
#include "kernel/hook_state.h"
#include "kernel/link.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "policy/policy.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// A program at one family's netfilter hook of this network namespace.
struct NetfilterHook {
    const char* name;      // as in HookState; its pins are name-0, name-1, ...
    std::uint32_t family;  // NFPROTO_IPV4, NFPROTO_IPV6
    std::uint32_t where;   // NF_INET_FORWARD, ...
    std::int32_t priority; // the first of kNetfilterPlaces that it may take
};

// A netfilter link takes no other program: the new one is attached beside it, at the
// next place, before the old one goes. So many hooks may meet.
constexpr std::int32_t kNetfilterPlaces = 8;

class Hooks {
  public:
    // What judges nothing but must come first: the tracepoints that follow cgroups, and
    // sock_create, which names the owner of each new socket. A link at another cgroup stands
    // until there is one at this.
    [[nodiscard]] Status install_owners(const Programs& programs, const Pins& pins,
                                        const Cgroup& cgroup);
    // The cgroup's other programs.
    [[nodiscard]] Status install_cgroup(const Programs& programs, const Pins& pins,
                                        const Cgroup& cgroup);
    // Those that refuse packet sockets. The first error, with what could be attached in place.
    [[nodiscard]] Status install_sockets(const Programs& programs, const Pins& pins);
    void remove_sockets(const Pins& pins);
    // Did an earlier daemon attach them?
    [[nodiscard]] static bool has_sockets(const Pins& pins);
    // What holds interfaces shut that should be guarded and are not; not_supported before 6.4.
    [[nodiscard]] Status install_hold(const Programs& programs, const Pins& pins);
    // XDP and TC on one NIC; TC first, so that no flow is opened that XDP would not know.
    [[nodiscard]] Status install_nic(const Programs& programs, const Pins& pins,
                                     const GuardedNic& nic, XdpMode mode);
    // What is routed, as programs.forward_hook() says: netfilter links of both families in
    // this network namespace, at once behind the other filters of FORWARD; else nothing.
    [[nodiscard]] Status install_forward(const Programs& programs, const Pins& pins);
    // Where it is TC ingress: on one interface without guard.
    [[nodiscard]] Status install_forward_on(const Programs& programs, const std::string& name,
                                            unsigned index);
    // Those of all other interfaces are gone with these.
    void forget_forward_but(const std::vector<unsigned>& indexes);
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
        bool ingress = false;      // that filter is on the way in
        std::uint32_t program = 0; // what the link must run
        std::optional<NetfilterPlace> place; // of a netfilter link
        int netfilter = -1;                  // its program
        bool fresh = false;                  // made by this process
        bool missing = false;                // miss(): there is nothing to hold
        [[nodiscard]] bool has_lost() const;
    };
    [[nodiscard]] Status keep(const Pins& pins, const std::string& pin, HookState state,
                              int program, const std::function<Result<Link>()>& attach,
                              std::uint64_t cgroup = 0);
    [[nodiscard]] Status install_xdp(const Programs& programs, const Pins& pins,
                                     const GuardedNic& nic, XdpMode mode);
    [[nodiscard]] Status install_tc(const Programs& programs, const Pins& pins,
                                    const GuardedNic& nic);
    [[nodiscard]] Status install_netfilter(const Pins& pins, const NetfilterHook& hook,
                                           int program);
    void forget(const std::string& pin);
    void found(const HookState& state);
    std::vector<Held> held_;
};

} // namespace sallyport
