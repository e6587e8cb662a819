// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jail and its filter as they were read, from fail2ban's files or from our policy:
// plain values, nothing compiled.
#include "jail/note.h"
#include "policy/peers.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::jail {

struct Pattern {
    std::string text;
    Origin origin;      // of its key
    std::string key;    // "failregex"
    unsigned index = 1; // which one of its key
};

// Does <HOST> match names too? They are never looked up; a failure by a name is
// reported and bans nobody.
enum class Names : std::uint8_t { match, refuse };

struct FilterSettings {
    std::string name;
    std::optional<Pattern> prefregex;
    std::vector<Pattern> failregex;
    std::vector<Pattern> ignoreregex;
    std::vector<Pattern> datepatterns;             // empty: fail2ban's default detectors
    std::vector<std::vector<std::string>> journal; // each as journalctl takes it
    unsigned max_lines = 1;
    Origin max_lines_origin;
    Names names = Names::match;
    std::optional<int> zone_minutes; // east of UTC, for dates without a zone; none: local
};

struct LogPath {
    std::string glob;
    bool tail = false; // begin at its end
    bool operator==(const LogPath&) const = default;
};

// bantime.increment: who comes back is banned for longer.
struct BanGrowth {
    bool on = false;
    double factor = 1;
    std::vector<double> multipliers; // empty: doubled each time
    std::optional<std::chrono::seconds> most;
    std::chrono::seconds random{0};
    bool over_all_jails = false;
    bool operator==(const BanGrowth&) const = default;
};

struct JailSettings {
    std::string name;
    Origin origin;
    FilterSettings filter;
    std::vector<LogPath> logs;
    bool from_journal = false;
    unsigned max_retry = 5;
    std::chrono::seconds find_time{600};
    std::optional<std::chrono::seconds> ban_time = std::chrono::seconds(600); // none: no end
    BanGrowth growth;
    PeerSet ignored; // never banned by this jail
    bool ignore_self = true;
    unsigned ipv6_length = 64; // how much of an IPv6 source is one source
};

// Do they say the same, wherever it was written?
[[nodiscard]] bool is_same(const JailSettings& a, const JailSettings& b);

} // namespace sallyport::jail
