// SPDX-License-Identifier: Apache-2.0
#include "import/limits_text.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

constexpr std::uint64_t kMostCount = 1'000'000;
constexpr std::uint64_t kMostInWindow = 60'000;

std::string span_of(std::chrono::seconds per) {
    switch (per.count()) {
    case 1:
        return "second";
    case 60:
        return "minute";
    case 3600:
        return "hour";
    case 86400:
        return "day";
    default:
        return std::to_string(per.count()) + "s";
    }
}

std::string line(const char* key, std::uint64_t count, std::chrono::seconds per) {
    return std::string(key) + " = \"" + std::to_string(count) + "/" + span_of(per) + "\"\n";
}

std::string prefixes(const Often& often, bool counts6) {
    std::string text;
    if (often.prefix4 != 32) text += "limit-prefix4 = " + std::to_string(often.prefix4) + "\n";
    if (counts6 && often.prefix6 != 64)
        text += "limit-prefix6 = " + std::to_string(often.prefix6) + "\n";
    return text;
}

std::string numbers(const Often& often) {
    const std::uint64_t count = std::min(often.count, kMostCount);
    const std::uint64_t burst = std::clamp<std::uint64_t>(often.burst, 1, kMostCount);
    switch (often.sort) {
    case Often::Sort::rate:
        return line("limit", count, often.per) +
               (burst == count ? "" : "burst = " + std::to_string(burst) + "\n");
    case Often::Sort::total: {
        // A total's burst is its number: as many, in the time that the bucket takes to fill.
        const auto fill = static_cast<std::uint64_t>(often.per.count()) * burst;
        const std::chrono::seconds per((fill + count - 1) / std::max<std::uint64_t>(1, count));
        return line("limit", burst, per) + line("limit-total", burst, per) +
               "syn-cookies = \"off\"\n";
    }
    case Often::Sort::window:
        return line("limit", std::min(count, kMostInWindow), often.per) + "limit-window = true\n";
    case Often::Sort::connections:
        return "max-connections = " + std::to_string(std::min(count, kMostInWindow)) + "\n";
    }
    return {};
}

} // namespace

std::string limit_text(const std::vector<Often>& limits, bool counts6) {
    std::string text;
    for (const Often& often : limits) text += numbers(often);
    for (const Often& often : limits)
        if (often.sort != Often::Sort::total) return text + prefixes(often, counts6);
    return text;
}

std::string limit_comment(const Often& often) {
    switch (often.sort) {
    case Often::Sort::rate:
        return "of each source";
    case Often::Sort::total:
        return "of all sources together";
    case Often::Sort::window:
        return "of each source; who goes on knocking waits no longer for it";
    case Often::Sort::connections:
        return "open at once, of each source";
    }
    return {};
}

} // namespace sallyport::imported
