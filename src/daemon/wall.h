// SPDX-License-Identifier: Apache-2.0
#pragma once
// The wall: the programs at their hooks and the policy in force. Owned by one
// thread. Raising it is all or nothing; changing its policy is build, then one
// store; whatever fails leaves what stood.
#include "base/result.h"
#include "compile/map_image.h"
#include "daemon/auto_bans.h"
#include "daemon/ban_lists.h"
#include "daemon/bans.h"
#include "daemon/daemon.h"
#include "daemon/enforced.h"
#include "daemon/kernel_settings.h"
#include "daemon/owner.h"
#include "daemon/vlan_offloads.h"
#include "daemon/wall_news.h"
#include "event/limited.h"
#include "kernel/cgroups.h"
#include "kernel/hooks.h"
#include "kernel/interfaces.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "policy/policy.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sallyport {

class Wall {
  public:
    // Nothing of this version's layout stands: builds everything, from programs to the first
    // policy. An error leaves nothing behind. The wall of another version stands till each
    // hook has the new program, and stays when there is an error before that.
    struct Raising {
        Running running = Running::judge;
        // NICs that are missing, or refuse the hooks, keep nobody from all else.
        bool waits_for_nics = false;
    };
    [[nodiscard]] static Result<Wall> raise(Pins pins, const PolicySource& source,
                                            const Raising& how, const std::string& state_dir,
                                            WallNews& news);
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
    // The same of what the policy on trial falls back to.
    void know_fallback(const Policy& policy) {
        if (trial_) trial_->policy = policy;
    }
    // How a policy comes into force.
    struct Change {
        // Not zero: on trial for so long. The programs go back by themselves when it is not
        // confirmed by then; no socket is ended and no NIC let go before it is.
        std::chrono::milliseconds trial{0};
        // Asked when the policy is in its slot and nothing has changed yet; empty: nobody is.
        std::function<Status(std::uint32_t slot)> may_switch;
        bool waits_for_nics = false; // as raise()
    };
    // All or nothing; an error leaves the old policy in force. conflict while one is on trial.
    [[nodiscard]] Status change(const PolicySource& source, const Change& how, WallNews& news);
    // The same for a panic, which is a trial that cannot be confirmed; it ends one that runs.
    // `time` 0: until it is ended. Already in one: conflict.
    [[nodiscard]] Status panic(const PolicySource& source, std::chrono::milliseconds time,
                               WallNews& news);
    // The policy on trial stays. not_found: there is none; conflict: it came too late.
    [[nodiscard]] Status confirm(WallNews& news);
    // Back to the policy before the one on trial. not_found: there is none.
    [[nodiscard]] Status end_trial(WallNews& news);
    // The policy on trial and what it falls back to; nullptr: none is.
    struct Trial {
        Enforced good;
        std::optional<Policy> policy; // of `good`; empty when it is not known
    };
    [[nodiscard]] const std::optional<Policy>& policy() const { return policy_; }
    [[nodiscard]] const Trial* trial() const { return trial_ ? &*trial_ : nullptr; }
    // The programs have gone back already.
    [[nodiscard]] bool trial_is_over() const;
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
    // Every second: frees expired flows, in parts; now and then counts connections anew.
    void sweep();
    // Detaches and unpins everything.
    [[nodiscard]] Status take_down();

    [[nodiscard]] const Programs& programs() const { return programs_; }
    [[nodiscard]] const Enforced& enforced() const { return enforced_; }
    [[nodiscard]] std::vector<HookState> hooks() const { return hooks_.states(); }
    [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }
    // Guarded NICs whose policy covers their VLANs, since XDP does not see the tags.
    [[nodiscard]] std::vector<std::string> covers_vlans() const;
    [[nodiscard]] bool guards(const std::string& name) const { return is_guarded(name); }
    // "" when it is not known (any more).
    [[nodiscard]] std::string rule_name(std::uint32_t generation, std::uint32_t rule) const;
    // What a rule's limit counts as one source; its defaults when the policy is not known.
    [[nodiscard]] SourceWidth source_width(const std::string& rule) const;
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
    [[nodiscard]] Status take_over(const PolicySource& source, std::uint32_t slot,
                                   const MapImage& image, const Cgroup& cgroup, KeepRunning keep,
                                   WallNews& news);
    [[nodiscard]] Status withdraw();
    // Only where a host that is shut is left: which cgroup that was over nobody has chosen.
    [[nodiscard]] Status check_may_move(const std::string& cgroup, const Change& how) const;
    [[nodiscard]] Status move_to_cgroup(const std::string& path, WallNews& news);
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
    enum class As : unsigned char { policy, panic }; // as the slot says in the kernel
    [[nodiscard]] Result<std::uint32_t> load_policy_into_slot(const PolicySource& source, As as,
                                                              MapImage& image);
    // Renamed NICs that no glob names go with the next policy, not when one is compiled anew.
    enum class Kept : unsigned char { go, stay };
    struct Switch {
        Kept kept = Kept::go;
        std::chrono::milliseconds trial{0}; // milliseconds::max(): without an end
        bool panic = false;
    };
    [[nodiscard]] Status switch_to(const PolicySource& source, std::uint32_t slot,
                                   const MapImage& image, WallNews& news, const Switch& how);
    [[nodiscard]] Status move_word(std::uint32_t slot, const Switch& how) const;
    void settle_interfaces(WallNews& news);
    [[nodiscard]] Status adopt_trial(WallNews& news);
    [[nodiscard]] Result<std::uint32_t> next_generation() const;
    // The record of what comes is on disk before it is in force, and is the record
    // once it is: whoever is killed between the two is adopted by either name.
    void note_next(const PolicySource& source, const MapImage& image, Kept kept, WallNews& news);
    void note_switched(WallNews& news);
    // Not to get the hooks is no failure: the policy holds without them, and says so.
    void deny_packet_sockets(WallNews& news);
    void cut_running(const Policy& policy, WallNews& news);
    void open_bans(WallNews& news);
    void use_bans_of(const Policy& policy, WallNews& news);
    void ban_by_proofs(WallNews& news);
    void step_lists(WallNews& news);
    void keep_running_flows();
    [[nodiscard]] bool is_guarded(const std::string& name) const;

    Pins pins_;
    Programs programs_;
    std::vector<Programs> retired_; // whose maps are held by number all over the daemon
    Hooks hooks_;
    std::string state_dir_;
    std::string cgroup_mount_;
    Enforced enforced_;
    Enforced next_; // between note_next and note_switched
    std::optional<Trial> trial_;
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
    std::uint32_t recount_in_ = 0; // calls of sweep()
    std::shared_ptr<OwnerNames> owners_;
    std::unique_ptr<Bans> bans_;
    BanLists ban_lists_;
    std::unique_ptr<AutoBans> auto_bans_;
    std::optional<Proofs> proofs_;
    std::uint32_t banning_by_ = 0; // the generation whose settings auto_bans_ has
};

// Those of the host's own namespace.
[[nodiscard]] std::vector<Address> own_addresses(const std::vector<Interface>& interfaces);

// Where cgroup2 is mounted, by /proc/self/mountinfo; "" when nowhere.
[[nodiscard]] std::string find_cgroup_mount();

} // namespace sallyport
