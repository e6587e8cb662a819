// SPDX-License-Identifier: Apache-2.0
// Bans in the kernel against the database and the lists that they come from, and what stands in
// front of them against both.
#include "cli/drift_machine.h"
#include "cli/drift_world.h"
#include "daemon/ban_clock.h"
#include "daemon/ban_lists.h"
#include "daemon/ban_store.h"
#include "daemon/ban_types.h"
#include "daemon/wall.h"
#include "kernel/bans.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

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

struct Wanted {
    BanTable table;
    std::map<Prefix, std::uint64_t> ends; // what the tries should have; SP_BAN_NEVER: a mask
    std::vector<std::string> unread;      // files of lists, each with why
    bool lists_fit = true;                // what has no place is known to the daemon alone
};

void enlist(const BanList& list, const std::vector<Address>& own, Wanted& wanted) {
    Result<std::vector<Prefix>> networks = read_ban_list(list.file);
    if (!networks) {
        wanted.unread.push_back(networks.error().text());
        return;
    }
    static_cast<void>(leave_out_never_listed(*networks, own));
    for (const Prefix& network : *networks) wanted.table.enlist(network);
}

// As the daemon would have it.
Result<Wanted> wanted_of(const StandingWall& wall, const std::string& file, const BanClock& clock) {
    Wanted wanted;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return wanted;
    const BanStore store = SP_TRY(BanStore::open(file));
    wanted.table.set_never(SP_TRY(store.never()));
    SP_TRY(store.each([&](const BanRecord& record) {
        if (const std::optional<std::uint64_t> until = end_of(record, clock))
            wanted.table.ban(record.network, *until);
    }));
    const std::vector<BanList> lists = SP_TRY(store.lists());
    const std::vector<Address> own = own_addresses(wall.interfaces);
    for (const BanList& list : lists) enlist(list, own, wanted);
    wanted.lists_fit = wanted.table.listed() <= most_listed_of(SP_BANS_MAX) &&
                       wanted.table.listed() + wanted.table.given() <= SP_BANS_MAX;
    for (const BanEntry& entry : wanted.table.take_changes())
        if (entry.until_ns) wanted.ends.emplace(entry.prefix, *entry.until_ns);
    return wanted;
}

class BansCheck {
  public:
    BansCheck(Wanted wanted, std::uint64_t now) : wanted_(std::move(wanted)), now_(now) {}

    void tries(const std::vector<BanEntry>& standing) {
        std::set<Prefix> have;
        for (const BanEntry& entry : standing) {
            entries.seen++;
            have.insert(entry.prefix);
            const std::uint64_t until = entry.until_ns.value_or(kForEver);
            const auto at = wanted_.ends.find(entry.prefix);
            if (at != wanted_.ends.end())
                compare(entry.prefix, until, at->second);
            else
                nobodys(entry.prefix, until);
        }
        for (const auto& [prefix, until] : wanted_.ends)
            if (!have.contains(prefix)) missing(prefix, until);
    }
    // After tries().
    void gate(const BanGate& gate) {
        BanGateCheck check(gate);
        for (const auto& [prefix, until] : wanted_.ends) look_through(check, prefix);
        for (const Prefix& prefix : others_) look_through(check, prefix);
        for (const Prefix& prefix : idle_) check.explain(prefix);
        for (std::uint32_t level = 0; level < 32; level++)
            if ((check.idle_levels() >> level & 1) != 0)
                state.note(state.extra, fmt::format("too many: level {}", level));
        if (const std::size_t idle = check.idle_bits(); idle != 0) {
            bits.note(bits.extra, fmt::format("too many: {} bits that no ban asks for", idle));
            bits.extra += idle - 1;
        }
        state.seen = 1;
        bits.seen = gate.chunks.size();
    }

    Differences entries, bits, state;

  private:
    void compare(const Prefix& prefix, std::uint64_t have, std::uint64_t want) {
        if (want == SP_BAN_NEVER ? !is_later(have, now_) : is_same_end(have, want)) return;
        entries.note(entries.different,
                     fmt::format("different: {}: {} instead of {}", to_string(prefix),
                                 text_of_end(have), text_of_end(want)));
    }
    // Neither the database nor a list has it.
    void nobodys(const Prefix& prefix, std::uint64_t until) {
        if (until == kForEver && !wanted_.unread.empty()) {
            others_.push_back(prefix); // that file may have named it
        } else if (is_later(until, now_)) {
            idle_.push_back(prefix);
            entries.note(entries.extra,
                         fmt::format("too many: {}, {}", to_string(prefix), text_of_end(until)));
        } else if (const auto around = hidden_ban(prefix)) {
            idle_.push_back(prefix);
            entries.note(entries.extra,
                         fmt::format("too many: {}, {}: it lets in what {} bans", to_string(prefix),
                                     text_of_end(until), to_string(*around)));
        } else {
            idle_.push_back(prefix); // it bans nobody, and waits for the daemon
        }
    }
    // The longest prefix alone is asked: one that is over hides a shorter one that is not.
    [[nodiscard]] std::optional<Prefix> hidden_ban(const Prefix& prefix) const {
        const auto never = wanted_.table.never_within_or_around(prefix);
        if (never && never->length <= prefix.length) return std::nullopt;
        return wanted_.table.banned_around(prefix, now_);
    }
    void missing(const Prefix& prefix, std::uint64_t until) {
        const bool given = wanted_.table.until(prefix).has_value();
        if (until != SP_BAN_NEVER && !given && !wanted_.lists_fit) return;
        const char* who = until == SP_BAN_NEVER ? ", which [bans] never names"
                          : given               ? ""
                                                : ", which a list names";
        entries.note(entries.missing, fmt::format("missing: {}{}", to_string(prefix), who));
    }
    void look_through(BanGateCheck& check, const Prefix& prefix) {
        check.explain(prefix);
        if (!check.has_level_of(prefix) && !has_told(ban_level_of(prefix)))
            state.note(state.missing, fmt::format("missing: level {}, without which {} is not "
                                                  "found, nor others of its length",
                                                  ban_level_of(prefix), to_string(prefix)));
        if (const std::size_t unset = check.unset_bits_of(prefix); unset != 0)
            bits.note(bits.missing,
                      fmt::format("missing: {} of the bits of {}", unset, to_string(prefix)));
    }
    [[nodiscard]] bool has_told(std::uint32_t level) {
        const bool before = (told_levels_ >> level & 1) != 0;
        told_levels_ |= 1u << level;
        return before;
    }
    [[nodiscard]] std::string text_of_end(std::uint64_t until) const {
        if (until == SP_BAN_NEVER) return "never banned";
        if (until == kForEver) return "for ever";
        return until <= now_ ? "over" : fmt::format("for {} s", (until - now_) / 1'000'000'000);
    }

    Wanted wanted_;
    std::uint64_t now_;
    std::vector<Prefix> others_; // ban, and are to be found
    std::vector<Prefix> idle_;   // may have bits, and need none
    std::uint32_t told_levels_ = 0;
};

Result<BansCheck> compare(const StandingWall& wall, const std::string& file,
                          std::vector<std::string>& unread) {
    const Maps& maps = wall.maps.maps;
    const BanClock clock = system_ban_clock();
    Wanted wanted = SP_TRY(wanted_of(wall, file, clock));
    unread = wanted.unread;
    const std::vector<BanEntry> standing = SP_TRY(read_ban_entries(maps));
    BansCheck check(std::move(wanted), clock.boot_ns());
    check.tries(standing);
    if (maps.ban_state >= 0 && maps.ban_bits >= 0) check.gate(SP_TRY(read_ban_gate(maps)));
    return check;
}

void tell_unread(const std::vector<std::string>& unread, drift::Report& report) {
    for (const std::string& why : unread)
        report.findings.push_back({.id = "map",
                                   .about = "bans",
                                   .level = drift::Level::note,
                                   .text = why + ": what a list named before stays banned, and "
                                                 "bans for ever are not compared",
                                   .details = {},
                                   .more = 0,
                                   .next = "mend the file"});
}

} // namespace

Status compare_bans(const StandingWall& wall, const Paths& paths, drift::Report& report) {
    const Maps& maps = wall.maps.maps;
    if (maps.bans4 < 0 || maps.bans6 < 0) return {}; // told among the pins
    const std::string file = paths.state_dir + "/sallyport.db";
    std::vector<std::string> unread;
    std::optional<BansCheck> check;
    for (int looks = 0; looks < 2; looks++) {
        if (looks != 0) let_it_settle();
        check = SP_TRY(compare(wall, file, unread));
        if (check->entries.count() + check->bits.count() + check->state.count() == 0) break;
    }
    tell_differences("bans", check->entries, wall, report);
    if (check->bits.seen != 0) {
        tell_differences("sp_ban_bits", check->bits, wall, report);
        tell_differences("sp_ban_state", check->state, wall, report);
    }
    tell_unread(unread, report);
    return {};
}

} // namespace sallyport
