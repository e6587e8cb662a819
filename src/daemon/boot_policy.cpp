// SPDX-License-Identifier: Apache-2.0
#include "daemon/boot_policy.h"

#include "daemon/console.h"
#include "daemon/enforced.h"
#include "daemon/history.h"
#include "daemon/panic.h"
#include "daemon/shut_policy.h"
#include "daemon/wall.h"

#include <filesystem>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace sallyport {
namespace {

bool is_same(const PolicySource& a, const PolicySource& b) {
    return a.sha256 == b.sha256 && a.text && b.text && a.text->files == b.text->files;
}

// Which NICs and whose processes, when the last policy itself cannot say.
Policy what_is_known(const std::string& state_dir, const std::optional<PolicySource>& file) {
    std::optional<Policy> known;
    const Result<std::optional<Enforced>> record = load_settled(state_dir);
    if (record && *record && !(*record)->interfaces.empty()) known = bare_policy(**record);
    PeerSet admin;
    const auto learn = [&](const Policy& policy) {
        if (!known) known = policy;
        if (admin.parts.empty()) admin = policy.admin;
    };
    const PolicyHistory history(state_dir);
    for (const HistoryEntry& entry : history.entries())
        if (entry.is_good())
            if (const Result<PolicySource> kept = history.load(entry)) learn(kept->policy);
    if (file) learn(file->policy);
    if (!known) {
        Enforced nothing;
        nothing.interfaces = {"*"};
        nothing.flow_max = Flows{}.max;
        known = bare_policy(nothing);
    }
    known->admin = std::move(admin);
    return *std::move(known);
}

} // namespace

BootPolicy boot_shut(const std::string& state_dir, const std::optional<PolicySource>& file,
                     std::string why) {
    Policy known = what_is_known(state_dir, file);
    const std::string mount = find_cgroup_mount();
    known.host.cgroup = nearest_cgroup(known.host.cgroup, [&mount](const std::string& cgroup) {
        std::error_code error;
        return std::filesystem::is_directory(mount + cgroup, error);
    });
    return {.from = BootPolicy::From::shut,
            .source = shut_policy(known, machine_login_ports()),
            .why = std::move(why)};
}

BootPolicy boot_policy(const std::string& state_dir, const std::optional<PolicySource>& file) {
    const PolicyHistory history(state_dir);
    // The settled record is of no trial: who confirmed it may have died before he could say so.
    const Result<std::optional<Enforced>> record = load_settled(state_dir);
    if (record && *record)
        if (const Status ended = history.note_confirmed(**record); !ended)
            spdlog::warn("{}", ended.error().text());
    const Status listed = history.check_listable();
    if (!listed) return boot_shut(state_dir, file, listed.error().text());
    const std::optional<HistoryEntry> good = history.last_good();
    const std::vector<std::uint32_t> unreadable = history.unreadable();
    if (history.was_taken_down() || (!good && unreadable.empty()))
        return {.from = BootPolicy::From::file, .source = file, .why = ""};
    // Newer, and nobody can say whether it was good.
    if (!unreadable.empty() && (!good || unreadable.front() > good->number))
        return boot_shut(state_dir, file,
                         fmt::format("the record of policy {} in {}/policies cannot be read",
                                     unreadable.front(), state_dir));
    Result<PolicySource> kept = history.load(*good);
    if (!kept) return boot_shut(state_dir, file, kept.error().text());
    if (file && !is_same(*file, *kept))
        spdlog::warn("{} is not the last good policy, number {}, applied {}: that one is taken; "
                     "to load the file: sallyport apply {}",
                     file->file, good->number, good->applied, file->file);
    else if (!file)
        spdlog::warn("the policy file is of no use; the last good policy, number {}, is taken",
                     good->number);
    return {.from = BootPolicy::From::kept, .source = *std::move(kept), .why = ""};
}

void say_shut(const BootPolicy& boot, const std::string& policy_file) {
    const Policy& policy = boot.source->policy;
    std::set<std::uint16_t> ports;
    for (const Rule& rule : policy.rules)
        for (const ServiceRange& range : rule.services.ranges) ports.insert(range.low);
    const std::string text =
        fmt::format("THE LAST GOOD POLICY CANNOT BE USED: {}\n"
                    "this host is shut, in and out, but for {}\n"
                    "next: log in and look at sallyport history; then sallyport rollback N, or "
                    "sallyport apply {}",
                    boot.why, who_may_enter(policy, ports), policy_file);
    spdlog::critical("{}", text);
    say_on_console(text);
}

} // namespace sallyport
