// SPDX-License-Identifier: Apache-2.0
#pragma once
// A jail over a log that is there already, as if it had been followed: each line's own
// time is the time.
#include "jail/jail.h"

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace sallyport {

struct JudgedLine {
    std::uint64_t number = 0; // from 1
    std::string text;         // at most 512 bytes
    jail::LineResult result;
};

// A line may match and accuse nobody: <F-NOFAIL>, or a failure whose source is not
// known yet.
struct JailRun {
    std::uint64_t lines = 0, matched = 0, accusing = 0, pending = 0, missed = 0, ignored = 0,
                  too_long = 0, too_costly = 0;
    std::vector<std::uint64_t> hits; // of each failregex
    std::vector<std::uint64_t> hits_ignore;
    std::vector<JudgedLine> kept; // matched and ignored ones, and those that were not judged
    std::uint64_t left_off = 0;   // of these, for lack of room
    std::vector<JudgedLine> missed_kept;
    std::vector<jail::BanRequest> bans;
};

inline constexpr std::size_t kJudgedKept = 100'000;

[[nodiscard]] JailRun run_jail(jail::Jail& jail, std::istream& log, jail::LogTime now);

} // namespace sallyport
