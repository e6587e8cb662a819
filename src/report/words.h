// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the forms of a report say in the same words.
#include "report/report.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::report {

// Of somebody else's words, and of ours with theirs in them: bytes that are shown.
inline constexpr std::size_t kNameMost = 200, kSentenceMost = 2000;

// A table: who came most, headed by what they are.
struct Table {
    std::string_view title;
    std::string_view what; // of a name: "source"
    const Ranks* ranks;
};
[[nodiscard]] std::vector<Table> tables_of(const Report& report);

// "2026-01-02 03:04", UTC.
[[nodiscard]] std::string minute_text(WallTime at);
// "1,234,567"
[[nodiscard]] std::string grouped(std::uint64_t number);
// "+50 %", "-12 %", "the same", "new": against the span before.
[[nodiscard]] std::string trend_text(std::uint64_t now, std::uint64_t before);
// What a reader must know of how complete this is, a sentence each.
[[nodiscard]] std::vector<std::string> caveats(const Report& report);
// The one thing to be read when nothing else is.
[[nodiscard]] std::string headline(const Report& report);
// "Counts may be short by up to 12." and "3 more": "" where there is nothing to say.
[[nodiscard]] std::string rest_of(const Ranks& ranks);

} // namespace sallyport::report
