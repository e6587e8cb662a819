// SPDX-License-Identifier: Apache-2.0
#include "diff/content.h"

#include <fmt/format.h>

namespace sallyport::diff {

using sallyport::to_string; // of durations

namespace {

Content content_of(const Rule& rule, const Space& space, Sets& sets) {
    Content its;
    its.direction = rule.direction;
    its.deny = rule.deny;
    its.identity = rule.identity;
    its.log_new = rule.log_new;
    its.limit = rule.limit;
    for (std::size_t i = 0; i < space.interfaces().count(); ++i) {
        const bool is_here =
            rule.interfaces.empty() || space.interfaces().is_matched(i, rule.interfaces);
        its.interfaces.push_back(is_here);
        if (!is_here) continue;
        its.from.push_back(sets.id_of(rule.from, i));
        if (rule.direction == Direction::egress) its.to.push_back(sets.id_of(rule.to, i));
    }
    if (rule.direction == Direction::forward) its.to.push_back(sets.id_of(rule.to, std::nullopt));
    for (const ServiceCell& cell : space.services())
        its.services.push_back(holds(rule.services, cell, rule.deny));
    return its;
}

} // namespace

const Content& Contents::of(const Rule& rule) {
    const auto at = known_.find(&rule);
    return at != known_.end()
               ? at->second
               : known_.emplace(&rule, content_of(rule, space_, sets_)).first->second;
}

std::string text_of(const std::optional<Limit>& limit) {
    if (!limit) return "none";
    std::string text;
    if (limit->rate.count != 0)
        text = fmt::format("{}/{} burst {} a /{} or /{}{}", limit->rate.count,
                           to_string(limit->rate.per), limit->burst, limit->prefix4, limit->prefix6,
                           limit->window ? ", by window" : "");
    if (limit->total)
        text += fmt::format("{}{}/{} of all together", text.empty() ? "" : ", ",
                            limit->total->count, to_string(limit->total->per));
    if (limit->connections != 0)
        text +=
            fmt::format("{}{} connections at once", text.empty() ? "" : ", ", limit->connections);
    return text + (limit->cookies ? "" : ", no SYN cookies");
}

} // namespace sallyport::diff
