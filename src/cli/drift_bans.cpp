// SPDX-License-Identifier: Apache-2.0
// Bans in the kernel against the database and the lists that they come from.
#include "cli/drift_machine.h"
#include "cli/drift_world.h"
#include "daemon/ban_clock.h"
#include "daemon/ban_lists.h"
#include "daemon/ban_store.h"
#include "kernel/bans.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace sallyport {
namespace {

using drift::Differences;

constexpr std::uint64_t kNsInMs = 1000000;
// What the wall clock and the boot's make of one end may differ so much after a restart.
constexpr std::uint64_t kSlackNs = 10'000'000'000ull;

// By the boot's clock; nullopt: it is over.
std::optional<std::uint64_t> end_of(const BanRecord& record, const BanClock& clock) {
    if (record.until_ms == 0) return kForEver;
    const std::uint64_t now = clock.boot_ns();
    if (!record.boot_id.empty() && record.boot_id == clock.boot_id)
        return record.until_boot_ns > now ? std::optional(record.until_boot_ns) : std::nullopt;
    const std::int64_t left = std::min(record.until_ms - clock.wall_ms(), record.given_ms);
    if (left <= 0) return std::nullopt;
    return now + static_cast<std::uint64_t>(left) * kNsInMs;
}

bool is_same_end(std::uint64_t a, std::uint64_t b) {
    if (a == kForEver || b == kForEver) return a == b;
    return (a > b ? a - b : b - a) <= kSlackNs;
}

std::string text_of_end(std::uint64_t until, std::uint64_t now) {
    if (until == kForEver) return "for ever";
    return until <= now ? "over" : fmt::format("for {} s", (until - now) / 1'000'000'000);
}

struct Wanted {
    std::map<Prefix, std::uint64_t> ends; // what the tries should have, masks left out
    std::vector<Prefix> given;            // by somebody's word
};

// As the daemon would have it, but for what lists name of this host or beyond their places.
Result<Wanted> wanted_of(const std::string& file, const BanClock& clock) {
    Wanted wanted;
    BanTable table;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return wanted;
    const BanStore store = SP_TRY(BanStore::open(file));
    table.set_never(SP_TRY(store.never()));
    SP_TRY(store.each([&](const BanRecord& record) {
        const std::optional<std::uint64_t> until = end_of(record, clock);
        if (!until) return;
        table.ban(record.network, *until);
        wanted.given.push_back(record.network);
    }));
    const std::vector<BanList> lists = SP_TRY(store.lists());
    for (const BanList& list : lists)
        if (const Result<std::vector<Prefix>> networks = read_ban_list(list.file))
            for (const Prefix& network : *networks) table.enlist(network);
    for (const BanEntry& entry : table.take_changes())
        if (entry.until_ns && !entry.is_mask) wanted.ends.emplace(entry.prefix, *entry.until_ns);
    return wanted;
}

Result<Differences> compare(const StandingWall& wall, const std::string& file) {
    const BanClock clock = system_ban_clock();
    const Wanted wanted = SP_TRY(wanted_of(file, clock));
    const std::vector<BanEntry> standing = SP_TRY(read_bans(wall.maps.maps));
    const std::uint64_t now = clock.boot_ns();
    Differences found;
    std::map<Prefix, std::uint64_t> have;
    for (const BanEntry& entry : standing) {
        found.seen++;
        const std::uint64_t until = entry.until_ns.value_or(kForEver);
        have.emplace(entry.prefix, until);
        const auto at = wanted.ends.find(entry.prefix);
        if (at == wanted.ends.end()) {
            if (is_later(until, now)) // what is over bans nobody, and waits for the daemon
                found.note(found.extra, fmt::format("too many: {}, {}", to_string(entry.prefix),
                                                    text_of_end(until, now)));
        } else if (!is_same_end(until, at->second)) {
            found.note(found.different,
                       fmt::format("different: {}: {} instead of {}", to_string(entry.prefix),
                                   text_of_end(until, now), text_of_end(at->second, now)));
        }
    }
    for (const Prefix& given : wanted.given)
        if (wanted.ends.contains(given) && !have.contains(given))
            found.note(found.missing, fmt::format("missing: {}", to_string(given)));
    return found;
}

} // namespace

Status compare_bans(const StandingWall& wall, const Paths& paths, drift::Report& report) {
    const Maps& maps = wall.maps.maps;
    if (maps.bans4 < 0 || maps.bans6 < 0) return {}; // told among the pins
    return compare_twice("bans", wall, report,
                         [&] { return compare(wall, paths.state_dir + "/sallyport.db"); });
}

} // namespace sallyport
