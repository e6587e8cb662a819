// SPDX-License-Identifier: Apache-2.0
// Jails by their names.
#include "diff/networks.h"
#include "diff/setting.h"
#include "diff/words.h"

#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace sallyport::diff {
namespace {

using sallyport::to_string; // of durations

// A jail spares a source wherever it comes in: interfaces do not count, nor does any order. A
// source may be a whole network, which is spared where it touches a part, unless one prefix that
// is cut out of the part holds all of it. So how a part is cut counts besides what is left.
struct Spared {
    SetId all = Sets::kEmpty;
    std::set<std::pair<SetId, std::set<Prefix>>> cut; // parts and what is cut out of them
};

Spared spared_by(const JailRule& jail, Sets& sets) {
    Spared spared;
    AddressSet sum;
    for (const PeerPart& part : jail.except.parts) {
        AddressSet its = AddressSet::of(*part.networks);
        std::set<Prefix> out;
        for (const PrefixList& except : part.except) out.insert(except->begin(), except->end());
        const SetId whole = sets.id_of(its);
        for (const PrefixList& except : part.except)
            its = audit::without(its, AddressSet::of(*except));
        sum = audit::either(sum, its);
        if (!out.empty()) spared.cut.emplace(whole, std::move(out));
    }
    spared.all = sets.id_of(std::move(sum));
    return spared;
}

// All but whom it spares. A member that is added does not compile until it is told of here.
auto values_of(const JailRule& jail) {
    const auto& [name, logs, journals, match, ignore, date_pattern, filter, max_retry, find_time,
                 ban_time, growing, ban_time_max, except, ipv6_prefix, line] = jail;
    return std::tie(logs, journals, match, ignore, date_pattern, filter, max_retry, find_time,
                    ban_time, growing, ban_time_max, ipv6_prefix);
}

std::string text_of(const JailRule& jail) {
    return fmt::format(
        "log {}; journal {}; match {}; ignore {}; dates {}; filter {}; "
        "{} in {} for {}{}{}; IPv6 by /{}",
        quoted(jail.logs), quoted(jail.journals), quoted(jail.match), quoted(jail.ignore),
        quoted(jail.date_pattern), quoted({jail.filter}), jail.max_retry, to_string(jail.find_time),
        jail.ban_time ? to_string(*jail.ban_time) : "ever", jail.growing ? ", growing" : "",
        jail.ban_time_max ? ", at most " + to_string(*jail.ban_time_max) : "", jail.ipv6_prefix);
}

using Jails = std::map<std::string, const JailRule*>;

Jails jails_of(const Policy& policy) {
    Jails jails;
    for (const JailRule& jail : policy.jails) jails.emplace(jail.name, &jail);
    return jails;
}

} // namespace

void compare_jails(const Policy& before, const Policy& after, Sets& sets,
                   std::vector<SettingChange>& changes) {
    Jails left = jails_of(before);
    const auto alone = [&](const JailRule& jail) {
        return text_of(jail) + "; spares " + describe(sets[spared_by(jail, sets).all], {});
    };
    for (const auto& [name, jail] : jails_of(after)) {
        const std::string key = "jail " + name;
        const auto at = left.find(name);
        if (at == left.end()) {
            changes.push_back({.key = key, .before = "", .after = alone(*jail)});
            continue;
        }
        const JailRule& was = *at->second;
        if (values_of(was) != values_of(*jail))
            changes.push_back({.key = key, .before = text_of(was), .after = text_of(*jail)});
        const Spared spared = spared_by(was, sets);
        const Spared spares = spared_by(*jail, sets);
        tell_sets(key + ", except", sets.without(spared.all, spares.all),
                  sets.without(spares.all, spared.all), sets, changes);
        if (spared.all == spares.all && spared.cut != spares.cut)
            changes.push_back({.key = key + ", except",
                               .before = "the same addresses",
                               .after = "the same, but cut out otherwise, which a jail may tell "
                                        "when it judges whole networks"});
        left.erase(at);
    }
    for (const auto& [name, jail] : left)
        changes.push_back({.key = "jail " + name, .before = alone(*jail), .after = ""});
}

} // namespace sallyport::diff
