// SPDX-License-Identifier: Apache-2.0
// Zones are resolved when they are first asked for, each once; a zone that is
// asked for while it is being read contains itself.
#include "config/zones.h"

#include "base/text.h"
#include "config/interfaces.h"
#include "config/prefix_set.h"
#include "config/zone_file.h"

#include <algorithm>

namespace sallyport::config {

namespace {

constexpr std::size_t kDeepest = 200; // zones within zones
constexpr std::size_t kPartsMax = 4096;

PeerSet set_of(PrefixList networks) {
    PeerSet set;
    if (!networks->empty())
        set.parts.push_back(
            PeerPart{.networks = std::move(networks), .except = {}, .interfaces = {}});
    return set;
}

bool same_part(const PeerPart& a, const PeerPart& b) {
    return a.networks == b.networks && a.except == b.except && a.interfaces == b.interfaces;
}

// The union. Parts that are there already are not added again, or zones of zones
// of zones would double at every step.
PeerSet joined(PeerSet set, const PeerSet& more) {
    for (const PeerPart& part : more.parts)
        if (std::none_of(set.parts.begin(), set.parts.end(),
                         [&](const PeerPart& other) { return same_part(part, other); }))
            set.parts.push_back(part);
    return set;
}

bool is_reserved(std::string_view name) {
    return name == "any" || name == "none";
}

// Was a network meant, rather than the name of a zone?
bool looks_like_network(std::string_view text) {
    return text.find_first_of("/:") != std::string_view::npos ||
           (!text.empty() && text[0] >= '0' && text[0] <= '9' &&
            text.find('.') != std::string_view::npos);
}

} // namespace

std::string beside(const std::string& file, const std::string& path) {
    const std::size_t slash = file.rfind('/');
    if (path.starts_with('/') || slash == std::string::npos) return path;
    return file.substr(0, slash + 1) + path;
}

Zones::Zones(const Value* table, const ParseWorld& world, Findings& findings)
    : world_(world), findings_(findings) {
    if (table == nullptr || !has_kind(*table, ValueKind::table, "zones", findings)) return;
    for (const Entry& entry : table->entries) {
        if (is_reserved(entry.key))
            findings.error(entry.place, quoted(entry.key) + " is taken and cannot name a zone");
        else if (!is_good_name(entry.key, entry.place, "zone", findings))
            continue;
        else if (parse_prefix(entry.key))
            findings.error(entry.place, quoted(entry.key) + " is a network and cannot name a zone");
        else
            zones_[entry.key].entry = &entry;
    }
}

PeerSet Zones::peers(const Value& value, std::string_view key) {
    if (value.kind == ValueKind::string) return item(value, key);
    if (value.kind != ValueKind::list) {
        findings_.error(value.place, quoted(key) +
                                         " must be a zone, a network or a list of these, not " +
                                         kind_name(value.kind));
        return {};
    }
    PeerSet set;
    auto loose = std::make_shared<std::vector<Prefix>>();
    for (const Value& entry : value.items) {
        if (entry.kind == ValueKind::string && entry.text == "none" && value.items.size() > 1)
            findings_.error(entry.place, "\"none\" cannot stand beside others");
        const Result<Prefix> prefix =
            entry.kind == ValueKind::string && !zones_.contains(entry.text)
                ? parse_prefix(entry.text)
                : fail(ErrorKind::invalid_input, {});
        if (prefix)
            loose->push_back(*prefix);
        else
            set = joined(std::move(set), item(entry, key));
        if (set.parts.size() > kPartsMax) {
            findings_.error(entry.place, "the zones of " + quoted(key) + " are of too many parts");
            return {};
        }
    }
    return joined(std::move(set), set_of(std::move(loose)));
}

PeerSet Zones::item(const Value& item, std::string_view key) {
    if (item.kind != ValueKind::string) {
        findings_.error(item.place, quoted(key) + " lists zones and networks, and this is " +
                                        kind_name(item.kind));
        return {};
    }
    if (item.text == "any") return any_peer();
    if (item.text == "none") return {};
    if (zones_.contains(item.text)) return zone_at(item);
    const Result<Prefix> prefix = parse_prefix(item.text);
    if (prefix) return set_of(std::make_shared<const std::vector<Prefix>>(1, *prefix));
    if (looks_like_network(item.text))
        findings_.error(item.place, prefix.error().message, prefix.error().hint);
    else
        unknown(item);
    return {};
}

void Zones::unknown(const Value& name) {
    std::vector<std::string> names{"any", "none"};
    for (const auto& [known, zone] : zones_) names.push_back(known);
    const std::string near = nearest(name.text, names);
    findings_.error(name.place, "unknown zone " + quoted(name.text),
                    near.empty() ? std::string() : "did you mean " + quoted(near) + "?");
}

PeerSet Zones::zone_at(const Value& name) {
    Zone& zone = zones_.find(name.text)->second;
    zone.used = true;
    if (zone.state == State::reading) {
        std::string circle;
        for (auto at = std::find(path_.begin(), path_.end(), name.text); at != path_.end(); ++at)
            circle += quoted(*at) + " uses ";
        findings_.error(name.place, "zone " + quoted(name.text) + " contains itself",
                        circle + quoted(name.text));
        return {};
    }
    if (zone.state == State::unread && path_.size() >= kDeepest) {
        findings_.error(name.place,
                        "zones are nested more than " + std::to_string(kDeepest) + " deep");
        return {};
    }
    if (zone.state == State::unread) read(name.text, zone);
    return zone.peers;
}

void Zones::read(const std::string& name, Zone& zone) {
    zone.state = State::reading;
    path_.push_back(name);
    const Value& value = zone.entry->value;
    if (value.kind == ValueKind::list)
        zone.peers = networks(value, name);
    else if (value.kind == ValueKind::table)
        zone.peers = table_zone(name, value);
    else
        findings_.error(value.place,
                        "zone " + quoted(name) + " must be a list of networks or a table, not " +
                            kind_name(value.kind),
                        value.kind == ValueKind::string ? "write [" + quoted(value.text) + "]"
                                                        : "");
    path_.pop_back();
    zone.state = State::read;
}

PeerSet Zones::table_zone(const std::string& name, const Value& table) {
    Fields fields(table, "zone " + quoted(name), findings_);
    const Value* const list = fields.get("networks", ValueKind::list);
    const Value* const path = fields.get("file", ValueKind::string);
    const Value* const zones = fields.get("zones", ValueKind::list);
    const Value* const except = fields.get("except", ValueKind::list);
    const Value* const interfaces = fields.get("interfaces", ValueKind::list);
    fields.finish();

    PeerSet set;
    if (list != nullptr) set = networks(*list, "networks");
    if (path != nullptr) set = joined(std::move(set), file(*path));
    if (zones != nullptr) set = joined(std::move(set), peers(*zones, "zones"));
    if (table.find("networks") == nullptr && table.find("file") == nullptr &&
        table.find("zones") == nullptr)
        findings_.error(zones_.at(name).entry->place,
                        "zone " + quoted(name) + " needs \"networks\", \"file\" or \"zones\"");
    if (except != nullptr) set = without(std::move(set), *except);
    if (interfaces != nullptr)
        set = only_on(std::move(set), interface_globs(*interfaces, "interfaces", findings_),
                      interfaces->place);
    return set;
}

PeerSet Zones::networks(const Value& list, std::string_view key) {
    auto prefixes = std::make_shared<std::vector<Prefix>>();
    for (const Value* entry : strings_of(list, key, findings_)) {
        const Result<Prefix> prefix = parse_prefix(entry->text);
        if (prefix)
            prefixes->push_back(*prefix);
        else if (zones_.contains(entry->text) || is_reserved(entry->text))
            findings_.error(entry->place,
                            quoted(entry->text) + " is a zone, and this lists networks",
                            "a zone made of zones is { zones = [" + quoted(entry->text) + "] }");
        else
            findings_.error(entry->place, prefix.error().message, prefix.error().hint);
    }
    return set_of(std::move(prefixes));
}

PeerSet Zones::file(const Value& path) {
    if (path.text.empty() || path.text.find('\0') != std::string::npos) {
        findings_.error(path.place, "\"file\" must be a path");
        return {};
    }
    const std::string resolved = beside(findings_.file(), path.text);
    if (const auto known = files_.find(resolved); known != files_.end())
        return set_of(known->second);
    const Result<std::string> text = world_.read_file(resolved);
    auto prefixes = std::make_shared<std::vector<Prefix>>();
    if (text) {
        ZoneFile zone = parse_zone_file(*text, resolved);
        for (Diagnostic& error : zone.errors) findings_.add(std::move(error));
        *prefixes = std::move(zone.networks);
    } else {
        findings_.error(path.place, text.error().text(), text.error().hint);
    }
    files_[resolved] = prefixes;
    return set_of(std::move(prefixes));
}

PeerSet Zones::without(PeerSet set, const Value& except) {
    for (const Value& entry : except.items) {
        if (entry.kind == ValueKind::string && entry.text == "any") {
            findings_.error(entry.place, "\"any\" as an exception leaves nobody");
            continue;
        }
        for (const PrefixList& list : flat(item(entry, "except"), entry.place))
            for (PeerPart& part : set.parts)
                if (std::find(part.except.begin(), part.except.end(), list) == part.except.end())
                    part.except.push_back(list);
    }
    return set;
}

// As lists of networks, which is all that an exception can be.
std::vector<PrefixList> Zones::flat(const PeerSet& set, Place place) {
    std::vector<PrefixList> lists;
    for (const PeerPart& part : set.parts) {
        if (!part.interfaces.empty()) {
            findings_.error(place, "a zone with \"interfaces\" cannot be an exception");
            return {};
        }
        if (part.except.empty()) {
            lists.push_back(part.networks);
            continue;
        }
        std::vector<Prefix> holes;
        for (const PrefixList& hole : part.except)
            holes.insert(holes.end(), hole->begin(), hole->end());
        lists.push_back(
            std::make_shared<const std::vector<Prefix>>(difference(*part.networks, holes)));
    }
    return lists;
}

PeerSet Zones::only_on(PeerSet set, std::vector<std::string> interfaces, Place place) {
    for (PeerPart& part : set.parts) {
        if (!part.interfaces.empty() && part.interfaces != interfaces) {
            findings_.error(place, "a zone within this one has other \"interfaces\" already");
            return {};
        }
        part.interfaces = interfaces;
    }
    return set;
}

PeerSet Zones::named(const std::string& name) const {
    const auto at = zones_.find(name);
    return at == zones_.end() ? PeerSet{} : at->second.peers;
}

void Zones::finish() {
    for (auto& [name, zone] : zones_) {
        if (zone.state == State::unread) read(name, zone);
    }
    if (findings_.has_error()) return; // a zone whose name is misspelt elsewhere is not unused
    for (const auto& [name, zone] : zones_)
        if (!zone.used)
            findings_.warning(zone.entry->place, "zone " + quoted(name) + " is never used");
}

std::vector<NamedZone> Zones::all() const {
    std::vector<NamedZone> named;
    for (const auto& [name, zone] : zones_) named.push_back({.name = name, .peers = zone.peers});
    return named;
}

} // namespace sallyport::config
