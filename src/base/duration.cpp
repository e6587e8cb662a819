// SPDX-License-Identifier: Apache-2.0
// Spans of time and rates as users write them.
#include "base/duration.h"

#include <array>
#include <charconv>
#include <optional>

namespace sallyport {

namespace {

struct Unit {
    std::string_view letter;
    std::string_view name;
    std::int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits = {{
    {"d", "day", 86400},
    {"h", "hour", 3600},
    {"m", "minute", 60},
    {"s", "second", 1},
}};
constexpr std::int64_t kLongest = 100ll * 365 * 86400;

// A whole number without sign at the front of `text`, and what is left.
struct Counted {
    std::uint64_t number;
    std::string_view rest;
};
std::optional<Counted> take_number(std::string_view text) {
    Counted counted{};
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    const char* const end = text.data() + text.size();
    const std::from_chars_result result = std::from_chars(text.data(), end, counted.number);
    if (result.ec != std::errc{}) return std::nullopt;
    counted.rest = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
    return counted;
}

std::string shown(std::string_view text) {
    return "\"" + std::string(text.substr(0, 40)) + (text.size() > 40 ? "..." : "") + "\"";
}

} // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
    const std::optional<Counted> counted = take_number(text);
    for (const Unit& unit : kUnits) {
        if (!counted || counted->rest != unit.letter) continue;
        if (counted->number > static_cast<std::uint64_t>(kLongest / unit.seconds))
            return fail(ErrorKind::invalid_input, shown(text) + " is longer than 100 years");
        return std::chrono::seconds(static_cast<std::int64_t>(counted->number) * unit.seconds);
    }
    return fail(ErrorKind::invalid_input, shown(text) + " is not a duration",
                "a number and s, m, h or d: \"90s\", \"5m\", \"2h\", \"7d\"");
}

std::string to_string(std::chrono::seconds duration) {
    const std::int64_t seconds = duration.count();
    for (const Unit& unit : kUnits)
        if (seconds != 0 && seconds % unit.seconds == 0)
            return std::to_string(seconds / unit.seconds) + std::string(unit.letter);
    return "0s";
}

Result<Rate> parse_rate(std::string_view text) {
    const std::optional<Counted> counted = take_number(text);
    if (counted && counted->rest.starts_with('/')) {
        const std::string_view per = counted->rest.substr(1);
        if (counted->number >= 1 && counted->number <= UINT32_MAX && !per.empty() &&
            per.front() >= '0' && per.front() <= '9') {
            const std::chrono::seconds span = SP_TRY(parse_duration(per));
            if (span < std::chrono::seconds(1))
                return fail(ErrorKind::invalid_input, shown(text) + ": the span is out of range");
            return Rate{.count = static_cast<std::uint32_t>(counted->number), .per = span};
        }
        for (const Unit& unit : kUnits) {
            if (per != unit.letter && per != unit.name) continue;
            if (counted->number < 1 || counted->number > UINT32_MAX)
                return fail(ErrorKind::invalid_input, shown(text) + ": the number is out of range");
            return Rate{.count = static_cast<std::uint32_t>(counted->number),
                        .per = std::chrono::seconds(unit.seconds)};
        }
    }
    return fail(ErrorKind::invalid_input, shown(text) + " is not a rate",
                "a number, a slash and a span: \"20/minute\", \"20/30s\"");
}

} // namespace sallyport
