// SPDX-License-Identifier: Apache-2.0
#include "config/bans.h"

#include "config/ban_after.h"
#include "config/sections.h"

#include <algorithm>

namespace sallyport::config {

namespace {

using std::chrono::days;
using std::chrono::seconds;

std::vector<BanListZone> read_lists(Fields& fields, Zones& zones) {
    std::vector<BanListZone> lists;
    const Value* const names = fields.get("lists");
    if (names == nullptr) return lists;
    for (const Value* name : strings_of(*names, "lists", fields.findings())) {
        if (std::ranges::any_of(lists, [&](const auto& list) { return list.zone == name->text; })) {
            fields.findings().error(name->place, quoted(name->text) + " is there twice");
            continue;
        }
        std::string file = zones.file_of(*name);
        if (!file.empty()) lists.push_back({.zone = name->text, .file = std::move(file)});
    }
    return lists;
}

std::vector<std::uint32_t> read_multipliers(Fields& fields, std::vector<std::uint32_t> otherwise) {
    constexpr std::int64_t kMost = 1'000'000;
    const Value* const list = fields.get("multipliers", ValueKind::list);
    if (list == nullptr) return otherwise;
    std::vector<std::uint32_t> multipliers;
    for (const Value& item : list->items) {
        if (!has_kind(item, ValueKind::integer, "multipliers", fields.findings())) continue;
        if (item.number < 1 || item.number > kMost)
            fields.findings().error(item.place, "a multiplier is from 1 to 1000000");
        else
            multipliers.push_back(static_cast<std::uint32_t>(item.number));
    }
    if (list->items.empty())
        fields.findings().error(list->place, "\"multipliers\" needs at least one number");
    return multipliers;
}

} // namespace

BanRules read_bans(Fields& root, Zones& zones) {
    BanRules bans;
    const Value* const table = root.get("bans", ValueKind::table);
    if (table == nullptr) return bans;
    Fields fields(*table, "[bans]", root.findings());
    if (const Value* never = fields.get("never"))
        bans.never = zones.networks_of(*never, "never", "a ban holds on every interface");
    bans.lists = read_lists(fields, zones);
    bans.growth.increment = fields.flag("increment", bans.growth.increment);
    bans.growth.multipliers = read_multipliers(fields, std::move(bans.growth.multipliers));
    bans.growth.max_time =
        fields.duration("max-time", bans.growth.max_time, seconds(1), days(36500));
    bans.growth.remember =
        fields.duration("remember", bans.growth.remember, seconds(1), days(36500));
    bans.after_limits = read_ban_after(fields, "after-limits");
    bans.after_probes = read_ban_after(fields, "after-probes");
    fields.finish();
    return bans;
}

} // namespace sallyport::config
