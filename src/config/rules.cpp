// SPDX-License-Identifier: Apache-2.0
// Rules: [[ingress]], [[egress]], [[forward]] and [[deny]].
#include "config/rules.h"

#include "base/text.h"
#include "config/cgroups.h"
#include "config/interfaces.h"
#include "config/limits.h"
#include "config/rule_doubles.h"
#include "config/services.h"

#include <algorithm>
#include <map>

namespace sallyport::config {

namespace {

enum class Section : std::uint8_t { ingress, egress, forward, deny };

struct RuleTable {
    const Value* table;
    Section section;
};

// The tables of one section; both [[ingress]] and ingress = [{...}] are lists.
std::vector<RuleTable> tables_of(Fields& root, const char* key, Section section) {
    std::vector<RuleTable> tables;
    const Value* const list = root.get(key);
    if (list == nullptr) return tables;
    if (list->kind != ValueKind::list) {
        root.findings().error(root.table().find(key)->place, quoted(key) + " is a list of rules",
                              std::string("write [[") + key + "]] above each");
        return tables;
    }
    for (const Value& item : list->items)
        if (item.kind == ValueKind::table)
            tables.push_back({.table = &item, .section = section});
        else
            root.findings().error(item.place, quoted(key) + " is a list of rules, and this is " +
                                                  kind_name(item.kind));
    return tables;
}

class RuleReader {
  public:
    RuleReader(const RuleTable& source, Zones& zones, const ParseWorld& world, Findings& findings)
        : section_(source.section), zones_(zones), world_(world), findings_(findings),
          fields_(*source.table, title_of(source), findings) {}

    [[nodiscard]] Rule read() {
        Rule rule;
        rule.line = fields_.table().place.line;
        rule.deny = section_ == Section::deny;
        rule.name = name();
        const std::optional<Direction> direction = direction_of();
        rule.direction = direction.value_or(Direction::ingress);
        rule.from = peers("from", direction);
        rule.to = peers("to", direction);
        rule.services =
            read_services(fields_, rule.deny ? RuleKind::deny : RuleKind::allow, direction, world_);
        if (const Value* globs = fields_.get("interfaces"))
            rule.interfaces = interface_globs(*globs, "interfaces", findings_);
        rule.identity = identity(direction);
        rule.log_new = log_new();
        rule.limit = limit(direction, rule.services);
        fields_.finish();
        return rule;
    }

  private:
    static std::string title_of(const RuleTable& source) {
        const Entry* const name = source.table->find("name");
        if (name != nullptr && name->value.kind == ValueKind::string && !name->value.text.empty())
            return "rule " + quoted(name->value.text.substr(0, 64));
        switch (source.section) {
        case Section::ingress:
            return "this [[ingress]]";
        case Section::egress:
            return "this [[egress]]";
        case Section::forward:
            return "this [[forward]]";
        case Section::deny:
            return "this [[deny]]";
        }
        return "this rule";
    }

    [[nodiscard]] std::string name() {
        const Value* const value = fields_.need("name");
        if (value == nullptr || !has_kind(*value, ValueKind::string, "name", findings_)) return {};
        return is_good_name(value->text, value->place, "rule", findings_) ? value->text
                                                                          : std::string();
    }

    // Nothing after an error.
    [[nodiscard]] std::optional<Direction> direction_of() {
        if (section_ != Section::deny) {
            fields_.not_here({"direction"}, "the section says it");
            if (section_ == Section::forward) return Direction::forward;
            return section_ == Section::ingress ? Direction::ingress : Direction::egress;
        }
        if (fields_.need("direction", "write direction = \"ingress\", \"egress\" or \"forward\"") ==
            nullptr)
            return std::nullopt;
        return fields_.choice<std::optional<Direction>>("direction", std::nullopt,
                                                        {{"ingress", Direction::ingress},
                                                         {"egress", Direction::egress},
                                                         {"forward", Direction::forward}});
    }

    // The peers by `key`, "from" or "to"; only forward rules have both.
    [[nodiscard]] PeerSet peers(const std::string& key, std::optional<Direction> direction) {
        if (direction == (key == "from" ? Direction::egress : Direction::ingress)) {
            fields_.not_here({key}, key == "from" ? "egress is always from this host"
                                                  : "ingress is always to this host");
            return {};
        }
        const Value* const value = section_ == Section::deny ? fields_.get(key) : fields_.need(key);
        if (value == nullptr) return section_ == Section::deny ? any_peer() : PeerSet{};
        const std::size_t errors = findings_.errors();
        PeerSet set = zones_.peers(*value, key);
        if (set.parts.empty() && findings_.errors() == errors)
            findings_.warning(value->place,
                              fields_.title() + " can never match: " + quoted(key) + " is nobody");
        if (direction == Direction::forward && key == "to" && is_bound(set))
            findings_.error(value->place, fields_.title() + " sends to a zone with \"interfaces\"",
                            "where routed traffic leaves is not known when it is judged: name the "
                            "networks without the interface");
        return set;
    }

    static bool is_bound(const PeerSet& set) {
        return std::any_of(set.parts.begin(), set.parts.end(),
                           [](const PeerPart& part) { return !part.interfaces.empty(); });
    }

    [[nodiscard]] Identity identity(std::optional<Direction> direction) {
        if (direction == Direction::ingress || direction == Direction::forward) {
            fields_.not_here({"unit", "user", "cgroup"}, "only egress has a process");
            return {};
        }
        Identity identity;
        const Value* const unit = fields_.get("unit", ValueKind::string);
        const Value* const cgroup = fields_.get("cgroup", ValueKind::string);
        if (unit != nullptr && is_good_unit(*unit, findings_)) identity.unit = unit->text;
        if (cgroup != nullptr && is_good_cgroup(*cgroup, findings_)) identity.cgroup = cgroup->text;
        if (unit != nullptr && cgroup != nullptr)
            findings_.error(fields_.table().find("cgroup")->place,
                            fields_.title() + " has both \"unit\" and \"cgroup\"",
                            "one of them says it all");
        if (const Value* user = fields_.get("user")) identity.user = user_of(*user);
        return identity;
    }

    [[nodiscard]] std::optional<std::uint32_t> user_of(const Value& value) {
        constexpr std::int64_t kLast = UINT32_MAX - 1; // the one above is "no user"
        if (value.kind == ValueKind::integer) {
            if (value.number >= 0 && value.number <= kLast)
                return static_cast<std::uint32_t>(value.number);
            findings_.error(value.place, "a user id must be from 0 to " + std::to_string(kLast));
            return std::nullopt;
        }
        if (value.kind != ValueKind::string) {
            findings_.error(value.place, std::string("\"user\" must be a name or a number, not ") +
                                             kind_name(value.kind));
            return std::nullopt;
        }
        const bool sound = !value.text.empty() && value.text.find('\0') == std::string::npos;
        const std::optional<std::uint32_t> id = sound ? world_.user_id(value.text) : std::nullopt;
        if (!id)
            findings_.error(value.place, "unknown user " + quoted(value.text),
                            "create the user first, or give its number without quotes");
        return id;
    }

    [[nodiscard]] bool log_new() {
        if (section_ == Section::deny) {
            fields_.not_here({"log"}, "every refusal is reported");
            return false;
        }
        return fields_.choice<bool>("log", false, {{"new", true}});
    }

    [[nodiscard]] std::optional<Limit> limit(std::optional<Direction> direction,
                                             const Services& services) {
        if (section_ != Section::deny && direction == Direction::ingress)
            return read_limit(fields_, services);
        fields_.not_here({"max-connections"},
                         "connections are counted by the sockets of this host: only [[ingress]] "
                         "has them");
        fields_.not_here({"limit", "burst", "limit-window", "limit-total", "limit-prefix4",
                          "limit-prefix6", "syn-cookies"},
                         "only what [[ingress]] lets in has a limit");
        return std::nullopt;
    }

    Section section_;
    Zones& zones_;
    const ParseWorld& world_;
    Findings& findings_;
    Fields fields_;
};

// Where a rule's name stands.
Place name_place(const Value& table) {
    const Entry* const name = table.find("name");
    return name == nullptr ? table.place : name->value.place;
}

} // namespace

std::vector<Rule> read_rules(Fields& root, Zones& zones, const ParseWorld& world) {
    std::vector<RuleTable> tables = tables_of(root, "ingress", Section::ingress);
    for (const RuleTable& table : tables_of(root, "egress", Section::egress))
        tables.push_back(table);
    for (const RuleTable& table : tables_of(root, "forward", Section::forward))
        tables.push_back(table);
    for (const RuleTable& table : tables_of(root, "deny", Section::deny)) tables.push_back(table);
    std::sort(tables.begin(), tables.end(), [](const RuleTable& a, const RuleTable& b) {
        return a.table->place < b.table->place;
    });

    std::vector<Rule> rules;
    std::map<std::string, unsigned> lines; // of names
    RuleDoubles doubles;
    for (const RuleTable& table : tables) {
        Rule rule = RuleReader(table, zones, world, root.findings()).read();
        const Place place = name_place(*table.table);
        if (!rule.name.empty()) {
            const auto [first, fresh] = lines.try_emplace(rule.name, rule.line);
            if (!fresh)
                root.findings().error(place, "a rule " + quoted(rule.name) +
                                                 " is there already, in line " +
                                                 std::to_string(first->second));
        }
        // A rule that could not be read is no measure for others.
        if (!root.findings().has_error())
            if (const std::string shadow = doubles.shadow(rule); !shadow.empty())
                root.findings().warning(place, shadow);
        rules.push_back(std::move(rule));
    }
    return rules;
}

} // namespace sallyport::config
