// SPDX-License-Identifier: Apache-2.0
#pragma once
// The wall: the programs at their hooks and the policy in force. Owned by one
// thread. Raising it is all or nothing; changing its policy is build, then one
// store; whatever fails leaves what stood.
#include "base/result.h"
#include "compile/map_image.h"
#include "daemon/ban_lists.h"
#include "daemon/bans.h"
#include "daemon/daemon.h"
#include "daemon/enforced.h"
#include "daemon/kernel_settings.h"
#include "daemon/owner.h"
#include "daemon/vlan_offloads.h"
#include "daemon/wall_news.h"
#include "kernel/cgroups.h"
#include "kernel/hooks.h"
#include "kernel/interfaces.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "policy/policy.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sallyport {

class Wall {
  public:
    // Nothing stands: builds everything, from programs to the first policy. An
    // error leaves nothing behind.
    [[nodiscard]] static Result<Wall> raise(Pins pins, const PolicySource& source, Running running,
                                            const std::string& state_dir, WallNews& news);
    // Something stands: takes it over with its policy, replaces the programs in place.
    [[nodiscard]] static Result<Wall> adopt(Pins pins, const std::string& state_dir,
                                            WallNews& news);

    // What `guard NAME` found or did.
    struct Guarded {
        bool guarded = false;
        std::string mode; // of XDP, when it is guarded
        std::string why;  // when it is not, or not as asked for
    };
    // Without a daemon: hooks one NIC with the programs that stand, when it is one to guard.
    [[nodiscard]] static Result<Guarded> guard_one(Pins pins, const std::string& state_dir,
                                                   const std::string& name);
    // The same of a wall that is followed. An error: it is one to guard, and cannot be.
    [[nodiscard]] Result<Guarded> guarded(const std::string& name) const;

    // After adopting: the policy that stands. Needed where rules tell interfaces apart.
    void know(const Policy& policy, WallNews& news);
    // All or nothing; an error leaves the old policy in force.
    [[nodiscard]] Status change(const PolicySource& source, WallNews& news);
    // Interfaces or addresses have changed: guards what matches and is not guarded yet.
    [[nodiscard]] Status follow_interfaces(WallNews& news);
    // Puts back hooks that were detached by force, and pins that were removed. Cheap when
    // there is nothing to do: two system calls a hook, one a map.
    void mend(WallNews& news);
    // Who is banned. What it has to tell is told by tend_bans().
    [[nodiscard]] Bans& bans() { return *bans_; }
    // Ends what is over, follows lists, ends the sockets of who was banned. Every 100 ms or so.
    void tend_bans(WallNews& news);
    // The sockets of who was banned since the last call; how many. None while observing.
    std::size_t cut_banned_now(WallNews& news);
    // Frees expired flows, a part of the table a call.
    void sweep();
    // Detaches and unpins everything.
    [[nodiscard]] Status take_down();

    [[nodiscard]] const Programs& programs() const { return programs_; }
    [[nodiscard]] const Enforced& enforced() const { return enforced_; }
    [[nodiscard]] std::vector<HookState> hooks() const { return hooks_.states(); }
    [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }
    // Guarded NICs whose policy covers their VLANs, since XDP does not see the tags.
    [[nodiscard]] std::vector<std::string> covers_vlans() const;
    // "" when it is not known (any more).
    [[nodiscard]] std::string rule_name(std::uint32_t generation, std::uint32_t rule) const;
    [[nodiscard]] std::string interface_name(unsigned index) const;

  private:
    Wall(Pins pins, Programs programs, std::string state_dir);

    [[nodiscard]] std::vector<GuardedNic> wanted_nics() const;
    [[nodiscard]] Status check_nics(const std::vector<std::string>& globs) const;
    [[nodiscard]] Status read_interfaces();
    [[nodiscard]] Status write_locals();
    [[nodiscard]] Status write_iface(const Interface& interface, std::uint32_t slot,
                                     const MapImage* image);
    [[nodiscard]] Status write_ifaces(std::uint32_t slot, const MapImage* image);
    // What becomes of a NIC that takes no hooks, say for a foreign XDP program.
    enum class OnRefusal : unsigned char { fail, keep_trying };
    [[nodiscard]] Status install(const Cgroup& cgroup, XdpMode mode, OnRefusal how,
                                 KeepRunning keep, WallNews& news);
    [[nodiscard]] Status guard_nics(XdpMode mode, OnRefusal how, WallNews& news);
    void release_nics(WallNews& news);
    void follow_names(WallNews& news);
    void find_pinned_nics(WallNews& news);
    [[nodiscard]] bool matches(const Interface& interface) const;
    [[nodiscard]] const Interface* master_that_covers(const Interface& interface) const;
    [[nodiscard]] bool routes_at_tc() const; // before 6.4
    [[nodiscard]] const Interface& routes_as(const Interface& interface) const;
    // Does something in the policy in force hold on some interfaces only?
    [[nodiscard]] Result<bool> tells_interfaces_apart() const;
    [[nodiscard]] Status shut_until_compiled(sp_iface& entry);
    [[nodiscard]] Result<std::uint32_t> nic_counter_of(const std::string& name);
    void mend_pins(WallNews& news);
    void tell_lost(const std::vector<HookState>& lost, WallNews& news);
    void mend_hooks(const std::vector<HookState>& lost, WallNews& news);
    void save(WallNews& news);
    void judge_routed(WallNews& news);
    void forget_routed();
    [[nodiscard]] Result<std::uint32_t> load_policy_into_slot(const PolicySource& source,
                                                              MapImage& image);
    // Renamed NICs that no glob names go with the next policy, not when one is compiled anew.
    enum class Kept : unsigned char { go, stay };
    [[nodiscard]] Status switch_to(const PolicySource& source, std::uint32_t slot,
                                   const MapImage& image, WallNews& news, Kept kept);
    // The record of what comes is on disk before it is in force, and is the record
    // once it is: whoever is killed between the two is adopted by either name.
    void note_next(const PolicySource& source, const MapImage& image, WallNews& news);
    void note_switched(WallNews& news);
    // Not to get the hooks is no failure: the policy holds without them, and says so.
    void deny_packet_sockets(WallNews& news);
    void cut_running(const Policy& policy, WallNews& news);
    void open_bans(WallNews& news);
    void use_bans_of(const Policy& policy, WallNews& news);
    void keep_running_flows();
    [[nodiscard]] bool is_guarded(const std::string& name) const;

    Pins pins_;
    Programs programs_;
    Hooks hooks_;
    std::string state_dir_;
    std::string cgroup_mount_;
    Enforced enforced_;
    Enforced next_;                // between note_next and note_switched
    std::optional<Policy> policy_; // empty after adopting, until the next change
    std::map<std::uint32_t, std::vector<EnforcedRule>> rules_of_; // by generation, the latest few
    std::vector<Interface> interfaces_;
    VlanOffloads vlan_offloads_;
    KernelSettings settings_;
    std::vector<GuardedNic> guarded_;
    // Guarded ones that no glob names since they were renamed, by index: until the next policy.
    std::set<unsigned> kept_;
    std::map<std::string, std::string> told_; // hooks that were told lost, with the reason told
    bool names_changed_ = false;              // of interfaces, since the policy was compiled
    bool uncompiled_ = false; // an interface is shut until the policy is compiled for it
    std::uint32_t flow_sets_ = 0;
    std::uint32_t sweep_at_ = 0;
    std::shared_ptr<OwnerNames> owners_;
    std::unique_ptr<Bans> bans_;
    BanLists ban_lists_;
};

// Those of the host's own namespace.
[[nodiscard]] std::vector<Address> own_addresses(const std::vector<Interface>& interfaces);

// Where cgroup2 is mounted, by /proc/self/mountinfo; "" when nowhere.
[[nodiscard]] std::string find_cgroup_mount();

} // namespace sallyport
