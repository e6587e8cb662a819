// SPDX-License-Identifier: Apache-2.0
#include "config/limits.h"

#include <algorithm>
#include <netinet/in.h>

namespace sallyport::config {

namespace {

constexpr std::uint32_t kMostCount = 1'000'000;    // in any span: an interval of 1 us at the least
constexpr std::uint32_t kMostInWindow = 60'000;    // counted in 16 bits
constexpr std::uint32_t kMostConnections = 60'000; // half-open ones are counted in 16 bits
constexpr std::chrono::hours kMostAhead{24 * 366};

std::optional<Rate> read_rate(Fields& rule, std::string_view key) {
    const Value* const value = rule.get(key, ValueKind::string);
    if (value == nullptr) return std::nullopt;
    const Result<Rate> rate = parse_rate(value->text);
    if (!rate) {
        rule.findings().error(value->place, rate.error().message, rate.error().hint);
        return std::nullopt;
    }
    if (rate->count > kMostCount) {
        rule.findings().error(value->place, quoted(key) + " must be at most " +
                                                std::to_string(kMostCount) + " in its span");
        return std::nullopt;
    }
    return *rate;
}

// The others say how; without a limit there is nothing to say.
void refuse_alone(Fields& rule, bool counts) {
    const auto refuse = [&rule](const char* key, const std::string& without, const char* hint) {
        if (const Value* const value = rule.get(key))
            rule.findings().error(
                value->place, rule.title() + " has " + quoted(key) + " and no " + without, hint);
    };
    for (const char* const key : {"burst", "limit-window", "limit-total", "syn-cookies"})
        refuse(key, "\"limit\"", "write limit = \"20/minute\", say, beside it");
    if (counts) return;
    for (const char* const key : {"limit-prefix4", "limit-prefix6"})
        refuse(key, "\"limit\" or \"max-connections\"",
               "write limit = \"20/minute\" or max-connections = 10, say, beside it");
}

void check_window(Fields& rule, const Value& place, const Limit& limit) {
    if (rule.get("burst") != nullptr)
        rule.findings().error(place.place,
                              rule.title() + " has both \"burst\" and "
                                             "\"limit-window\"",
                              "a window holds its number, at once or not: leave out the burst");
    if (limit.rate.count > kMostInWindow)
        rule.findings().error(place.place, "a window holds at most " +
                                               std::to_string(kMostInWindow) + " connections");
}

// 0: it does not count.
std::uint32_t read_connections(Fields& rule, const Services& services) {
    if (rule.get("max-connections") == nullptr) return 0;
    const bool tcp = !services.any_protocol &&
                     std::ranges::all_of(services.ranges, [](const ServiceRange& range) {
                         return range.proto == IPPROTO_TCP;
                     });
    if (!tcp)
        rule.findings().error(rule.table().find("max-connections")->place,
                              rule.title() + " has \"max-connections\" and is not of TCP alone",
                              "only TCP has connections that end: write a rule of its own with "
                              "proto = \"tcp\"");
    return rule.number("max-connections", 0, 1, kMostConnections);
}

void read_prefixes(Fields& rule, Limit& limit) {
    limit.prefix4 = static_cast<std::uint8_t>(rule.number("limit-prefix4", 32, 0, 32));
    limit.prefix6 = static_cast<std::uint8_t>(rule.number("limit-prefix6", 64, 0, 128));
}

} // namespace

std::optional<Limit> read_limit(Fields& rule, const Services& services) {
    Limit limit;
    limit.connections = read_connections(rule, services);
    const std::optional<Rate> rate = read_rate(rule, "limit");
    if (!rate) {
        if (rule.table().find("limit") == nullptr) refuse_alone(rule, limit.connections != 0);
        if (limit.connections == 0) return std::nullopt;
        read_prefixes(rule, limit);
        return limit;
    }
    limit.rate = *rate;
    limit.burst = rule.number("burst", rate->count, 1, kMostCount);
    if (limit.burst > 1 && limit.burst * (rate->per / 1.0 / rate->count) > kMostAhead)
        rule.findings().error(rule.table().find("limit")->value.place,
                              rule.title() + " has a burst that takes longer than a year to "
                                             "come back");
    limit.window = rule.flag("limit-window", false);
    if (limit.window) check_window(rule, rule.table().find("limit-window")->value, limit);
    read_prefixes(rule, limit);
    limit.total = read_rate(rule, "limit-total");
    limit.cookies = rule.choice("syn-cookies", true, {{"auto", true}, {"off", false}});
    return limit;
}

} // namespace sallyport::config
