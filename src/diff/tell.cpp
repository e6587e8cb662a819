// SPDX-License-Identifier: Apache-2.0
#include "diff/tell.h"

#include "base/text.h"
#include "diff/networks.h"
#include "diff/words.h"

#include <fmt/format.h>
#include <set>

namespace sallyport::diff {
namespace {

using nlohmann::ordered_json;

// A zone whose networks differ by interface has no set of its own.
ZoneSets sets_of(const std::vector<Zone>& zones) {
    ZoneSets sets;
    std::set<std::string> seen;
    for (const Zone& zone : zones) {
        audit::AddressSet sum;
        bool is_by_interface = false;
        for (const PeerPart& part : zone.peers.parts) {
            is_by_interface = is_by_interface || !part.interfaces.empty();
            audit::AddressSet its = audit::AddressSet::of(*part.networks);
            for (const PrefixList& except : part.except)
                its = without(its, audit::AddressSet::of(*except));
            sum = either(sum, its);
        }
        if (!is_by_interface && seen.insert(zone.name).second) sets.emplace_back(zone.name, sum);
    }
    return sets;
}

std::string quoted_names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        if (!text.empty()) text += ", ";
        text += name.starts_with("[") ? escaped(name) : "\"" + escaped(name) + "\"";
    }
    return text;
}

std::string line_of(const Region& region, const Space& space, const ZoneSets& zones) {
    std::string line = fmt::format("  {:<7}  {}", to_string(region.direction),
                                   joined(describe(space.services(), region.services)));
    if (region.direction != Direction::egress) line += "  from " + describe(region.from, zones);
    if (region.direction != Direction::ingress) line += "  to " + describe(region.to, zones);
    const std::string interfaces = space.interfaces().describe(region.interfaces);
    if (!interfaces.empty()) line += "  on " + interfaces;
    if (region.direction == Direction::egress) {
        const std::string who = space.identities().describe(region.identities);
        if (!who.empty()) line += "  for " + who;
    }
    line = escaped(line);
    if (!region.by.empty()) line += "  by " + quoted_names(region.by);
    if (!region.instead_of.empty()) line += "  instead of " + quoted_names(region.instead_of);
    return line + "\n";
}

std::string is_felt(const RuleChange& one) {
    if (one.kind == RuleChange::Kind::moved || one.is_felt == true) return "";
    if (!one.is_felt) return " (what it allows or forbids is not compared)";
    return one.touches_limit ? " (opens and shuts nothing, but limits may count otherwise)"
                             : " (allows and forbids nothing that is not so already)";
}

std::string line_of(const RuleChange& one) {
    std::string line =
        fmt::format("  {:<7}  {:<7}  {} \"{}\"", to_string(one.kind), to_string(one.direction),
                    one.deny ? "deny" : "allow", escaped(one.name));
    if (one.kind == RuleChange::Kind::renamed)
        return line + ", before \"" + escaped(one.was) + "\": the same in meaning\n";
    if (!one.fields.empty()) line += ": " + escaped(fmt::format("{}", fmt::join(one.fields, "; ")));
    return line + is_felt(one) + "\n";
}

const char* word(Mode mode) {
    return mode == Mode::observe ? "observe" : "enforce";
}

// What is to be said before all else of a policy that drops nothing.
const char* of_modes(Mode before, Mode after) {
    if (before == Mode::enforce && after == Mode::enforce) return "";
    if (before == Mode::enforce)
        return "\nEVERYTHING IS NEWLY ALLOWED: host.mode was enforce and is observe, which drops "
               "nothing.\nBelow is what the rules would do if they were enforced.\n";
    if (after == Mode::enforce)
        return "\nAll that no rule allows is newly forbidden: host.mode was observe, which drops "
               "nothing.\nBelow is what the rules would have done if they had been enforced.\n";
    return "\nBoth drop nothing: host.mode is observe. Below is what the rules would do if they "
           "were\nenforced.\n";
}

// The last line.
const char* in_short(const Difference& difference) {
    if (!difference.is_any()) return "\nno difference in meaning\n";
    if (!difference.allowed.empty() || !difference.forbidden.empty() ||
        !difference.egress_is_compared || !difference.every_interface_is_compared ||
        difference.mode_before != difference.mode_after)
        return "";
    if (!difference.may_change_what_passes()) return "\nnothing is newly allowed or forbidden\n";
    return "\nthe rules allow what they allowed; what is told above may still let more or less "
           "pass\n";
}

std::string none(const std::string& value) {
    return value.empty() ? "none" : escaped(value);
}

ordered_json networks(const audit::AddressSet& set, const ZoneSets& zones) {
    const NetworkNames names = name_networks(set, zones);
    return {{"any_but", names.is_any},
            {"zones", names.zones},
            {"networks", names.prefixes},
            {"left_out", names.left_out}};
}

ordered_json object_of(const Region& region, const Space& space, const ZoneSets& zones) {
    ordered_json object{{"direction", to_string(region.direction)},
                        {"services", describe(space.services(), region.services)}};
    if (region.direction != Direction::egress) object["from"] = networks(region.from, zones);
    if (region.direction != Direction::ingress) object["to"] = networks(region.to, zones);
    const auto text = [](const std::string& words) {
        return words.empty() ? ordered_json(nullptr) : ordered_json(words);
    };
    object["interfaces"] = text(space.interfaces().describe(region.interfaces));
    if (region.direction == Direction::egress)
        object["for"] = text(space.identities().describe(region.identities));
    object["by"] = region.by;
    object["instead_of"] = region.instead_of;
    return object;
}

ordered_json object_of(const RuleChange& one) {
    ordered_json object{{"change", to_string(one.kind)},
                        {"name", one.name},
                        {"direction", to_string(one.direction)},
                        {"deny", one.deny},
                        {"fields", one.fields},
                        {"felt", one.is_felt ? ordered_json(*one.is_felt) : ordered_json(nullptr)},
                        {"touches_limit", one.touches_limit}};
    if (one.kind == RuleChange::Kind::renamed) object["was"] = one.was;
    return object;
}

} // namespace

std::string to_text(const Difference& difference, const Space& space,
                    const std::vector<Zone>& zones, const Titles& titles) {
    const ZoneSets sets = sets_of(zones);
    std::string text =
        fmt::format("from {}\n  to {}\n", escaped(titles.before), escaped(titles.after));
    text += of_modes(difference.mode_before, difference.mode_after);
    const auto tell = [&](const char* title, const std::vector<Region>& regions) {
        if (!regions.empty()) text += fmt::format("\n{}:\n", title);
        for (const Region& region : regions) text += line_of(region, space, sets);
    };
    tell("newly allowed", difference.allowed);
    tell("newly forbidden", difference.forbidden);
    if (!difference.rules.empty()) text += "\nrules:\n";
    for (const RuleChange& one : difference.rules) text += line_of(one);
    if (!difference.settings.empty()) text += "\nsettings:\n";
    for (const SettingChange& one : difference.settings)
        text +=
            fmt::format("  {}: {} -> {}\n", escaped(one.key), none(one.before), none(one.after));
    if (!difference.egress_is_compared)
        text += "\nThe way out is not compared: rules tell too many processes apart.\n";
    if (!difference.every_interface_is_compared)
        text +=
            "\nNot every interface is compared: globs tell too many names apart. What differs on "
            "others is\nnot told.\n";
    text += in_short(difference);
    return text;
}

ordered_json to_json(const Difference& difference, const Space& space,
                     const std::vector<Zone>& zones, const Titles& titles) {
    const ZoneSets sets = sets_of(zones);
    ordered_json object{
        {"before", titles.before},
        {"after", titles.after},
        {"differs", difference.is_any()},
        {"egress_compared", difference.egress_is_compared},
        {"every_interface_compared", difference.every_interface_is_compared},
        {"mode",
         {{"before", word(difference.mode_before)}, {"after", word(difference.mode_after)}}},
        {"allowed", ordered_json::array()},
        {"forbidden", ordered_json::array()},
        {"rules", ordered_json::array()},
        {"settings", ordered_json::array()}};
    for (const Region& region : difference.allowed)
        object["allowed"].push_back(object_of(region, space, sets));
    for (const Region& region : difference.forbidden)
        object["forbidden"].push_back(object_of(region, space, sets));
    for (const RuleChange& one : difference.rules) object["rules"].push_back(object_of(one));
    for (const SettingChange& one : difference.settings)
        object["settings"].push_back(
            {{"key", one.key}, {"before", one.before}, {"after", one.after}});
    return object;
}

} // namespace sallyport::diff
