// SPDX-License-Identifier: Apache-2.0
// Our hooks: is each there, does it run our program, and does the kernel say so at the place
// itself?
#include "cli/drift_machine.h"
#include "cli/drift_world.h"
#include "daemon/wall.h"
#include "kernel/attached.h"
#include "kernel/cgroups.h"
#include "kernel/filters.h"
#include "kernel/hooks.h"
#include "kernel/link.h"
#include "kernel/packet_sockets.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

struct Wanted {
    const char* pin;
    const char* program;
};

constexpr Wanted kCgroupHooks[] = {
    {"sock_create", "sp_sock_create"},   {"sock_ops", "sp_sock_ops"},
    {"cgroup_ingress", "sp_cg_ingress"}, {"connect4", "sp_connect4"},
    {"connect6", "sp_connect6"},         {"sendmsg4", "sp_sendmsg4"},
    {"sendmsg6", "sp_sendmsg6"},         {"cgroup_egress", "sp_cg_egress"},
};
constexpr Wanted kTracepoints[] = {{"cgroup_mkdir", "sp_cg_mkdir"},
                                   {"cgroup_rmdir", "sp_cg_rmdir"}};
constexpr Wanted kPacketHooks[] = {{"lsm_create", "sp_lsm_create"},
                                   {"lsm_receive", "sp_lsm_receive"},
                                   {"lsm_sendmsg", "sp_lsm_sendmsg"}};
constexpr Wanted kNetfilter[] = {
    {"forward4", "sp_nf_forward"}, {"forward6", "sp_nf_forward"},   {"hold_in4", "sp_nf_hold"},
    {"hold_in6", "sp_nf_hold"},    {"hold_forward4", "sp_nf_hold"}, {"hold_forward6", "sp_nf_hold"},
};

class HooksCheck {
  public:
    HooksCheck(const StandingWall& wall, drift::Report& report) : wall_(wall), report_(report) {
        std::error_code error;
        for (fs::directory_iterator at(wall.layout + "/links", error), end; !error && at != end;
             at.increment(error))
            left_.insert(pin_of_file(at->path().filename()));
    }

    void cgroup() {
        const Result<Cgroup> where = open_cgroup(find_cgroup_mount(), wall_.enforced.cgroup);
        if (!where) return add(wall_.enforced.cgroup, where.error().text(), where.error().hint);
        const std::vector<AttachedProgram> there =
            attached_to_cgroup(where->directory.get(), CgroupView::own);
        for (const Wanted& hook : kCgroupHooks) {
            const std::uint32_t program = link(hook.pin, hook.program);
            const auto at = std::ranges::find_if(there, [&](const AttachedProgram& one) {
                return one.id == program && one.where == hook.pin;
            });
            if (program != 0 && at == there.end())
                add(hook.pin, "it is not attached to " + wall_.enforced.cgroup, wall_.mend());
        }
        for (const Wanted& hook : kTracepoints) static_cast<void>(link(hook.pin, hook.program));
    }
    void packets() {
        const bool wanted = (wall_.slot.flags & SP_SLOT_PACKET_DENY) != 0 && lsm_obstacle().empty();
        for (const Wanted& hook : kPacketHooks)
            if (wanted || left_.contains(hook.pin)) static_cast<void>(link(hook.pin, hook.program));
    }
    void nic(const Interface& nic) {
        const std::vector<AttachedProgram> there = attached_to_nic(nic.index);
        std::string xdp = "xdp-native-" + nic.name;
        if (!left_.contains(xdp)) xdp = "xdp-generic-" + nic.name;
        if (is_left_shut(xdp))
            add(xdp,
                "the program that shuts a NIC for a moment, until its guard stands, is there "
                "still: nothing comes in at " +
                    nic.name,
                wall_.mend());
        stands(xdp, link(xdp, "sp_xdp_in", "sp_xdp_shut"), there, "XDP", nic.name);
        const std::string tcx = "tcx-" + nic.name;
        if (left_.contains(tcx)) {
            stands(tcx, link(tcx, "sp_tc_egress"), there, "TCX egress", nic.name);
            return;
        }
        report_.compared.hooks++;
        if (!filter_stands(nic.index, false))
            add("tc " + nic.name, "no program of ours is at its TC egress", wall_.mend());
    }
    void netfilter() {
        if (wall_.settings.forward_hook != SP_FORWARD_NETFILTER) return;
        for (const Wanted& hook : kNetfilter) {
            std::string pin;
            for (int at = 0; at < kNetfilterPlaces; at++)
                if (const std::string name = fmt::format("{}-{}", hook.pin, at);
                    left_.contains(name))
                    pin = name;
            if (pin.empty()) {
                report_.compared.hooks++;
                add(hook.pin, "it is not pinned, and so not attached", wall_.mend());
                continue;
            }
            const auto state = netfilter_state(pin, path_of(pin));
            const std::uint32_t program = link(pin, hook.program);
            if (program != 0 && (!state || !state->attached))
                add(pin, "the link has lost its hook", wall_.mend());
        }
    }
    // A NIC that was renamed or let go is ours as well, as long as its pins stand.
    void rest() {
        for (const std::string& pin : left_) {
            if (pin.starts_with("xdp-") || pin.starts_with("tcx-"))
                add(pin, "it guards a NIC that the policy in force does not name", wall_.mend());
            else
                add(pin, "a link that this version does not make",
                    "see what it is: bpftool link show pinned " + path_of(pin));
        }
    }
    [[nodiscard]] bool has_pin(const std::string& pin) const { return left_.contains(pin); }

  private:
    [[nodiscard]] std::string path_of(const std::string& pin) const {
        return wall_.layout + "/links/" + file_of_pin(pin);
    }
    void add(const std::string& about, std::string text, std::string next) {
        report_.findings.push_back({.id = "hook",
                                    .about = about,
                                    .level = drift::Level::drift,
                                    .text = std::move(text),
                                    .details = {},
                                    .more = 0,
                                    .next = std::move(next)});
    }
    // The id of what it runs; 0 when that was found wanting, and told.
    std::uint32_t link(const std::string& pin, const std::string& program,
                       const std::string& other = {}) {
        left_.erase(pin);
        report_.compared.hooks++;
        const Result<Link> held = Link::open(path_of(pin));
        if (!held) {
            add(pin,
                held.error().kind == ErrorKind::not_found ? "it is not pinned, and so not attached"
                                                          : held.error().text(),
                wall_.mend());
            return 0;
        }
        const std::uint32_t id = held->live_program();
        if (id == 0) {
            add(pin, "the link has lost its hook", wall_.mend());
            return 0;
        }
        const std::string name = program_name(id);
        const bool is_named = name == program || (!other.empty() && name == other);
        if (!is_named || !uses_map_of(id, wall_.maps.ids)) {
            add(pin,
                fmt::format("it runs program {} (\"{}\") and not {} over our maps", id, name,
                            program),
                "bpftool prog show id " + std::to_string(id) + " has more; " + wall_.mend());
            return 0;
        }
        return id;
    }
    // Looked at twice: a NIC that has just come is shut for some ten milliseconds.
    [[nodiscard]] bool is_left_shut(const std::string& pin) const {
        const auto is_shut = [&] {
            const Result<Link> held = Link::open(path_of(pin));
            const std::uint32_t id = held ? held->live_program() : 0;
            return id != 0 && program_name(id) == "sp_xdp_shut" && uses_map_of(id, wall_.maps.ids);
        };
        if (!is_shut()) return false;
        let_it_settle();
        return is_shut();
    }
    void stands(const std::string& pin, std::uint32_t program,
                const std::vector<AttachedProgram>& there, const std::string& where,
                const std::string& nic) {
        const bool found = std::ranges::any_of(there, [&](const AttachedProgram& one) {
            return one.id == program && one.where.ends_with(where);
        });
        if (program != 0 && !found)
            add(pin,
                fmt::format("the kernel runs another program, or none, at {}'s {}", nic, where),
                wall_.mend());
    }

    const StandingWall& wall_;
    drift::Report& report_;
    std::set<std::string> left_; // pins that nothing has asked for yet
};

} // namespace

void compare_hooks(const StandingWall& wall, drift::Report& report) {
    HooksCheck check(wall, report);
    check.cgroup();
    for (const Interface& one : wall.interfaces) {
        const bool is_kept = !wall.is_to_guard(one) && (check.has_pin("xdp-native-" + one.name) ||
                                                        check.has_pin("xdp-generic-" + one.name));
        if (is_kept || wall.is_to_guard(one)) check.nic(one);
    }
    check.netfilter();
    check.packets();
    check.rest();
}

} // namespace sallyport
