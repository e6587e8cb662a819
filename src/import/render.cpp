// SPDX-License-Identifier: Apache-2.0
#include "import/render.h"

#include "base/text.h"
#include "import/limits_text.h"
#include "import/spell.h"

#include <algorithm>
#include <set>

namespace sallyport::imported {

namespace {

constexpr std::size_t kFewNetworks = 4; // are written in the rule
constexpr std::size_t kNameMax = 64;

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + imported::quoted(word);
    return "[" + text + "]";
}

std::string numbers(const std::vector<Range>& ranges) {
    std::string text;
    for (const Range& range : ranges) {
        const auto low = std::to_string(static_cast<unsigned>(range.low));
        text += text.empty() ? "" : ", ";
        text +=
            range.low == range.high
                ? low
                : imported::quoted(low + "-" + std::to_string(static_cast<unsigned>(range.high)));
    }
    return "[" + text + "]";
}

bool is_whole(const std::map<Family, RangeSet>& peers, Family family) {
    const auto its = peers.find(family);
    return its != peers.end() && its->second.covers(all_of(Dim::src, family));
}

class Writer {
  public:
    explicit Writer(const Draft& draft) : draft_(draft) {}

    std::string text() {
        std::string rules;
        for (const DraftRule& rule : draft_.rules) rules += "\n" + rule_text(rule);
        std::string out = head();
        if (!zones_.empty()) out += "\n[zones]\n" + zones_;
        return out + essentials() + rules;
    }

  private:
    std::string head() const {
        return "# Imported from " + one_line(draft_.source) +
               ". Read it, then: sallyport check FILE\n"
               "# Answers to what is open pass by themselves. All interfaces are guarded, as\n"
               "# netfilter does: name the NICs alone if what comes by others may pass.\n"
               "schema = 1\n\n[host]\ninterfaces = " +
               joined(draft_.interfaces) + "\n";
    }

    std::string essentials() const {
        std::string text = "\n[essentials]\nping = \"none\" # but by rules below\n";
        if (!draft_.icmp_errors)
            text += "icmp-errors = false # not every RELATED ICMP error is accepted\n";
        if (!draft_.neighbours)
            text += "neighbour-discovery = false # ICMPv6 133 to 136 are not accepted from all\n";
        return text;
    }

    std::string rule_text(const DraftRule& rule) {
        const Opening& from = rule.opening;
        std::string text = comments(rule);
        text += from.deny ? "[[deny]]\n" : std::string("[[") + to_string(rule.direction) + "]]\n";
        text += "name = " + imported::quoted(unique(name_of(rule))) + "\n";
        if (from.deny) text += std::string("direction = \"") + to_string(rule.direction) + "\"\n";
        if (rule.direction != Direction::egress) text += peers("from", rule.from, from);
        if (rule.direction != Direction::ingress) text += peers("to", rule.to, from);
        if (!rule.proto.empty())
            text += "proto = " +
                    (std::isdigit(static_cast<unsigned char>(rule.proto.front())) != 0
                         ? rule.proto
                         : imported::quoted(rule.proto)) +
                    "\n";
        if (!rule.ports.empty()) text += "ports = " + numbers(rule.ports) + "\n";
        if (!rule.types.empty()) text += "types = " + types(rule.types) + "\n";
        if (!rule.interfaces.empty()) text += "interfaces = " + joined(rule.interfaces) + "\n";
        if (rule.user) text += "user = " + std::to_string(*rule.user) + "\n";
        text += limit_text(from.limits, rule.from.contains(Family::v6));
        if (from.log_new && !from.deny) text += "log = \"new\"\n";
        return text;
    }

    static std::string types(const std::vector<Range>& ranges) {
        std::vector<Range> single;
        for (const Range& range : ranges)
            for (Wide type = range.low; type <= range.high; ++type) single.push_back({type, type});
        return numbers(single);
    }

    static std::string comments(const DraftRule& rule) {
        const Opening& from = rule.opening;
        std::string text = "# ";
        if (from.line != 0) text += "line " + std::to_string(from.line) + ": ";
        text += one_line(from.text) + "\n";
        if (from.is_policy && !from.deny)
            text += "# OPEN: the source accepts whatever it does not drop. Replace this rule.\n";
        for (const unsigned line : from.less_by)
            text += "# less what line " + std::to_string(line) + " drops\n";
        for (std::size_t i = 0; i < from.limits.size(); ++i)
            text += "# limited by line " + std::to_string(from.limit_lines[i]) + ": " +
                    limit_comment(from.limits[i]) + "\n";
        return text;
    }

    static std::string name_of(const DraftRule& rule) {
        const Opening& from = rule.opening;
        if (!from.name.empty()) return one_line(from.name, kNameMax - 12);
        const std::string chain = one_line(from.chain, 32);
        if (from.line == 0 && !from.is_policy) return chain;
        if (from.line == 0) return std::string(to_string(rule.direction)) + " open";
        return chain + (from.is_policy ? " policy" : " line " + std::to_string(from.line));
    }

    std::string unique(const std::string& name) {
        std::string tried = name;
        for (unsigned next = 2; !names_.insert(tried).second; ++next)
            tried = name + " (" + std::to_string(next) + ")";
        return tried;
    }

    // "from = ...": nothing where a deny rule means any.
    std::string peers(const std::string& key, const std::map<Family, RangeSet>& peers,
                      const Opening& from) {
        if (is_whole(peers, Family::v4) && is_whole(peers, Family::v6))
            return from.deny ? "" : key + " = \"any\"\n";
        std::vector<std::string> in;
        std::vector<std::string> except;
        for (const auto& [family, set] : peers) {
            if (is_whole(peers, family)) {
                in.emplace_back(family == Family::v4 ? "0.0.0.0/0" : "::/0");
                continue;
            }
            const Networks its = networks_of(set, family);
            in.insert(in.end(), its.in.begin(), its.in.end());
            except.insert(except.end(), its.except.begin(), its.except.end());
        }
        if (except.empty() && in.size() <= kFewNetworks) return key + " = " + joined(in) + "\n";
        return key + " = " + imported::quoted(zone(peers, in, except, from)) + "\n";
    }

    std::string zone(const std::map<Family, RangeSet>& peers, const std::vector<std::string>& in,
                     const std::vector<std::string>& except, const Opening& from) {
        const std::string is =
            except.empty() ? joined(in)
                           : "{ networks = " + joined(in) + ", except = " + joined(except) + " }";
        const auto known = zone_names_.find(is);
        if (known != zone_names_.end()) return known->second;
        std::string name = "line-" + std::to_string(from.line);
        for (const auto& [family, sets] : draft_.sets)
            for (const auto& [its_name, set] : sets)
                if (peers.size() == 1 && peers.contains(family) && peers.at(family) == set)
                    name = "set-" + one_line(its_name, 40);
        std::string tried = name;
        for (unsigned next = 2; !used_zones_.insert(tried).second; ++next)
            tried = name + "-" + std::to_string(next);
        zone_names_.emplace(is, tried);
        zones_ += imported::quoted(tried) + " = " + is + "\n";
        return tried;
    }

    const Draft& draft_;
    std::string zones_;
    std::map<std::string, std::string> zone_names_; // by what they are
    std::set<std::string> used_zones_;
    std::set<std::string> names_;
};

// Rules of one opening, by protocol.
std::vector<DraftRule> by_protocol(const Opening& opening, Direction direction, Family family) {
    DraftRule rule{.direction = direction,
                   .opening = opening,
                   .from = {},
                   .to = {},
                   .proto = {},
                   .ports = {},
                   .types = {},
                   .interfaces = {},
                   .user = {}};
    rule.from[family] = opening.box[Dim::src];
    rule.to[family] = opening.box[Dim::dst];
    const Box all = openers(direction, family);
    const Dim by = direction == Direction::egress ? Dim::out : Dim::in;
    if (!opening.box[by].covers(all[by]))
        rule.interfaces = globs_of(opening.box[by]).value_or(std::vector<std::string>{});
    if (opening.box[Dim::service].covers(all[Dim::service])) {
        rule.proto = opening.deny ? "" : "any";
        return {rule};
    }
    std::vector<DraftRule> rules;
    const auto protocols = protocols_of(opening.box[Dim::service], family);
    for (const Protocol& protocol : protocols.value_or(std::vector<Protocol>{})) {
        DraftRule its = rule;
        its.proto = protocol_name(protocol.number);
        if (protocol.number == kIcmp4 || protocol.number == kIcmp6) {
            its.types = protocol.ports;
            const Wide echo = protocol.number == kIcmp4 ? 8 : 128;
            if (its.types.size() == 1 && its.types.front() == Range{echo, echo}) {
                its.proto = "icmp"; // without types: echo request, in either family
                its.types.clear();
            }
        } else if (!protocol.is_whole) {
            its.ports = protocol.ports;
            if (its.ports.front().low == 0) its.ports.front().low = 1; // 0 is no port of a policy
            if (its.ports.front().high == 0) its.ports.erase(its.ports.begin());
            if (its.ports.empty()) continue;
        }
        rules.push_back(std::move(its));
    }
    return rules;
}

bool is_same(const DraftRule& a, const DraftRule& b) {
    const Opening& x = a.opening;
    const Opening& y = b.opening;
    return a.direction == b.direction && x.deny == y.deny && x.line == y.line && x.text == y.text &&
           a.proto == b.proto && a.ports == b.ports && a.types == b.types &&
           a.interfaces == b.interfaces && a.user == b.user && x.limits == y.limits &&
           x.log_new == y.log_new;
}

void add_rule(Draft& draft, DraftRule rule, Family family) {
    for (DraftRule& known : draft.rules)
        if (is_same(known, rule) && !known.from.contains(family)) {
            known.from.merge(rule.from);
            known.to.merge(rule.to);
            return;
        }
    draft.rules.push_back(std::move(rule));
}

} // namespace

void add_opening(Draft& draft, Opening opening, Direction direction, Family family) {
    const RangeSet users = opening.box[Dim::user];
    for (DraftRule& rule : by_protocol(opening, direction, family)) {
        if (users.covers(all_of(Dim::user, family))) {
            add_rule(draft, std::move(rule), family);
            continue;
        }
        for (const Range& range : users.ranges())
            for (Wide user = range.low; user <= range.high; ++user) {
                rule.user = static_cast<std::uint32_t>(user);
                add_rule(draft, rule, family);
            }
    }
}

std::string render_policy(const Draft& draft) {
    return Writer(draft).text();
}

} // namespace sallyport::imported
