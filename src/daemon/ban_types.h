// SPDX-License-Identifier: Apache-2.0
#pragma once
// What Bans is asked for, and what it says.
#include "base/result.h"
#include "daemon/ban_clock.h"
#include "daemon/ban_news.h"
#include "daemon/ban_store.h"
#include "kernel/maps.h"
#include "policy/policy.h"
#include "sallyport/abi/limits.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

struct BanRequest {
    Prefix network;
    std::optional<Milliseconds> duration{}; // none: until it is lifted
    std::string origin = "hand";            // "jail:NAME" of a jail
    std::string reason{};
    // By hand the last word counts; an automatic ban never shortens one that stands.
    bool grows = false; // longer than `duration` when there were bans before: [bans] increment
    // By origin and network, since the origin asks how often. While its own ban stands there
    // is no other, and none longer: what was in flight when it was made is no new offence.
    bool is_counted = false;
    // Of a jail that reads a log again: when the line was written, in ms of the wall clock.
    // What it has banned since was for it, though it be over, or lifted by hand.
    std::optional<std::int64_t> written_ms{};
    enum class Over : std::uint8_t { replaces, extends } over = Over::replaces;
};

// `was`: it was done before, see written_ms.
enum class BanAnswer : std::uint8_t { banned, stands, was, refused, lifted, not_banned };

// Who ends a ban, and why.
struct BanLifter {
    std::string origin = "hand";
    std::string detail = "lifted by hand";
};

struct BanOutcome {
    BanAnswer answer = BanAnswer::refused;
    std::string why{};                  // of what is refused, or not banned
    std::string next{};                 // what to do then
    std::optional<Milliseconds> left{}; // of the ban that stands now; none: for ever
    std::string not_kept{};             // why it is not on disk (yet); "" when it is
    std::string also{};                 // what else bans it, or part of it: for people
};

struct BanLine {
    BanRecord record;
    std::optional<Milliseconds> left{};
    bool is_masked = false; // it lies within a never zone: nobody is barred by it
};

struct BanPage {
    std::vector<BanLine> lines;
    std::optional<Prefix> next; // there may be more behind it
};

// The world outside, so that tests do without it.
struct BansWorld {
    Maps maps;
    std::string state_dir;
    BanClock clock;
    std::vector<Address> own; // the host's addresses
    std::function<Result<std::vector<Prefix>>(const std::string& file)> read_list;
    std::size_t most = SP_BANS_MAX; // bans; a sixteenth of it is for other than lists
};

// Of so many places, those that lists may take.
[[nodiscard]] constexpr std::size_t most_listed_of(std::size_t most) {
    return most - most / 16;
}

// A list's networks in order, each once, without those that it never bans: what holds an address
// of this host, loopback, groups. How many were left out.
[[nodiscard]] std::size_t leave_out_never_listed(std::vector<Prefix>& networks,
                                                 std::span<const Address> own);

} // namespace sallyport
