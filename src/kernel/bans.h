// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bans in the kernel: the tries, the bitmap in front of them and the word that says which
// of its levels are in use.
#include "bans/ban_bits.h"
#include "bans/ban_gate.h"
#include "bans/ban_table.h"
#include "base/fd.h"
#include "base/result.h"
#include "kernel/maps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// What take_changes() said, in its order: entries that are made or changed, then the bits, then
// entries that go. An error leaves some of it undone; all of it may be written again.
[[nodiscard]] Status write_bans(const Maps& maps, const std::vector<BanEntry>& changes,
                                BanBits& bits, std::size_t active);
// The same onto maps that stand with entries of their own, which a daemon before this one
// made: what is banned both before and after is so all the time, and what `changes` does not
// name goes.
[[nodiscard]] Status take_over_bans(const Maps& maps, const std::vector<BanEntry>& changes,
                                    BanBits& bits, std::size_t active);
// What stands there, masks left out: for who has nothing else to go by.
[[nodiscard]] Result<std::vector<BanEntry>> read_bans(const Maps& maps);
// The same with masks.
[[nodiscard]] Result<std::vector<BanEntry>> read_ban_entries(const Maps& maps);
[[nodiscard]] Result<BanGate> read_ban_gate(const Maps& maps);
// How many the last writer counted; those that have ended since, without a daemon, too. 0 where
// there are no maps of bans.
[[nodiscard]] Result<std::uint64_t> count_bans(const Maps& maps);

// The maps of bans of a wall that stands, without loading anything; not_found when there is
// none, or one of a version that knew no bans.
struct StandingBans {
    std::vector<Fd> held;
    Maps maps;
};
[[nodiscard]] Result<StandingBans> open_standing_bans(const std::string& layout_dir);

} // namespace sallyport
