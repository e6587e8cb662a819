// SPDX-License-Identifier: Apache-2.0
// Programs of others at our places: who runs before ours may change what ours sees, who runs
// behind it may change what ours let pass. What else decides here, doctor knows.
#include "cli/doctor_facts.h"
#include "cli/drift_world.h"
#include "daemon/wall.h"
#include "doctor/verdicts.h"
#include "kernel/attached.h"
#include "kernel/cgroups.h"
#include "kernel/map.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;
using drift::Finding;
using drift::Level;

constexpr std::size_t kCgroupsMost = 8192;
constexpr std::size_t kShown = 10;

class Foreign {
  public:
    Foreign(const StandingWall& wall, drift::Report& report) : wall_(wall), report_(report) {}

    void on_guarded(const Interface& nic) {
        const std::vector<AttachedProgram> there = attached_to_nic(nic.index);
        for (std::size_t i = 0; i < there.size(); i++) {
            if (is_ours(there[i])) continue;
            add(nic.name,
                fmt::format("{} at {}, {}", who(there[i]), there[i].where, place(there, i)),
                next_of(there[i], nic.name));
        }
    }
    // What lies below a guarded interface sees its packets first.
    void below(const Interface& lower, const std::string& guarded) {
        for (const AttachedProgram& one : attached_to_nic(lower.index))
            if (!is_ours(one) && !one.where.ends_with("egress"))
                add(lower.name,
                    fmt::format("{} at {}, before {} which lies above it", who(one), one.where,
                                guarded),
                    next_of(one, lower.name));
    }
    void on_cgroup() {
        const Result<Cgroup> where = open_cgroup(find_cgroup_mount(), wall_.enforced.cgroup);
        if (!where) return; // told among the hooks
        const std::vector<AttachedProgram> there =
            attached_to_cgroup(where->directory.get(), CgroupView::effective);
        for (std::size_t i = 0; i < there.size(); i++)
            if (!is_ours(there[i]))
                add(wall_.enforced.cgroup,
                    fmt::format("{} at {}, {}", who(there[i]), there[i].where, place(there, i)),
                    fmt::format("see who attached it: bpftool prog show id {}; bpftool cgroup tree",
                                there[i].id));
    }
    // Below ours a program can refuse more, as systemd's IPAddressDeny does: no drift.
    void below_cgroup() {
        Finding note = noted("cgroups", "programs of others are attached below [host] cgroup",
                             "bpftool cgroup tree has all of them");
        const std::string top = find_cgroup_mount() + wall_.enforced.cgroup;
        std::error_code error;
        std::size_t looked = 0;
        for (fs::recursive_directory_iterator at(top, error), end;
             !error && at != end && looked < kCgroupsMost; at.increment(error)) {
            std::error_code gone;
            if (!at->is_directory(gone) || at->is_symlink(gone)) continue;
            looked++;
            const Fd cgroup(open(at->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (!cgroup) continue;
            for (const AttachedProgram& one : attached_to_cgroup(cgroup.get(), CgroupView::own))
                if (!is_ours(one))
                    detail(note,
                           fmt::format("{}: {} at {}", at->path().string(), who(one), one.where));
        }
        if (!note.details.empty()) report_.findings.push_back(std::move(note));
    }
    // Of any namespace, so that what is found may be no neighbour of ours at all.
    void in_netfilter() {
        Finding note = noted("netfilter",
                             "BPF programs of others are at netfilter's hooks, in this "
                             "network namespace or another",
                             "bpftool link show has them");
        for (const NetfilterProgram& one : netfilter_programs())
            if (!is_ours(one.program))
                detail(note, fmt::format("{} at family {}, hook {}, priority {}", who(one.program),
                                         one.family, one.hook, one.priority));
        if (!note.details.empty()) report_.findings.push_back(std::move(note));
    }
    void other_firewalls() {
        std::vector<doctor::Finding> neighbours;
        doctor::examine_neighbours(read_firewall_facts(), neighbours);
        for (const doctor::Finding& one : neighbours) {
            if (one.id != "firewall" || one.level == doctor::Level::ok) continue;
            Finding note = noted(one.about, one.text, one.next);
            report_.findings.push_back(std::move(note));
        }
    }

  private:
    [[nodiscard]] bool is_ours(const AttachedProgram& one) const {
        return one.id != 0 && uses_map_of(one.id, wall_.maps.ids);
    }
    [[nodiscard]] static std::string who(const AttachedProgram& one) {
        if (one.id == 0) return fmt::format("a filter \"{}\" of somebody else", one.name);
        return fmt::format("program {} (\"{}\") of somebody else", one.id, one.name);
    }
    [[nodiscard]] std::string place(const std::vector<AttachedProgram>& there,
                                    std::size_t at) const {
        for (std::size_t i = 0; i < there.size(); i++)
            if (there[i].where == there[at].where && is_ours(there[i]))
                return at < i ? "before ours" : "behind ours";
        if (there[at].where.ends_with("XDP")) return "where ours should be";
        if (there[at].where.ends_with("ingress") && there[at].where != "cgroup_ingress")
            return "behind our XDP program";
        return "beside ours";
    }
    [[nodiscard]] static std::string next_of(const AttachedProgram& one, const std::string& nic) {
        std::string see = fmt::format("bpftool net show dev {}", nic);
        if (one.where == "native XDP")
            return see + "; to remove it: ip link set dev " + nic + " xdpdrv off";
        if (one.where == "generic XDP")
            return see + "; to remove it: ip link set dev " + nic + " xdpgeneric off";
        if (one.where.starts_with("clsact"))
            return fmt::format("tc filter show dev {} {}", nic, one.where.substr(7));
        return see + "; who attached it can take it away";
    }
    void add(const std::string& about, std::string text, std::string next) {
        report_.findings.push_back({.id = "foreign",
                                    .about = about,
                                    .level = Level::drift,
                                    .text = std::move(text),
                                    .details = {},
                                    .more = 0,
                                    .next = std::move(next)});
    }
    [[nodiscard]] static Finding noted(std::string about, std::string text, std::string next) {
        return {.id = "foreign",
                .about = std::move(about),
                .level = Level::note,
                .text = std::move(text),
                .details = {},
                .more = 0,
                .next = std::move(next)};
    }
    static void detail(Finding& note, std::string line) {
        if (note.details.size() < kShown)
            note.details.push_back(std::move(line));
        else
            note.more++;
    }

    const StandingWall& wall_;
    drift::Report& report_;
};

} // namespace

void find_foreign(const StandingWall& wall, drift::Report& report) {
    Foreign find(wall, report);
    for (const Interface& nic : wall.interfaces) {
        if (!wall.is_to_guard(nic)) continue;
        find.on_guarded(nic);
        for (const Interface& other : wall.interfaces)
            if (other.index != nic.index && !wall.is_to_guard(other) &&
                (other.master == nic.index || other.index == nic.lower))
                find.below(other, nic.name);
    }
    find.on_cgroup();
    find.below_cgroup();
    find.in_netfilter();
    find.other_firewalls();
}

} // namespace sallyport
