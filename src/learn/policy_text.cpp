// SPDX-License-Identifier: Apache-2.0
#include "learn/policy_text.h"

#include "base/result.h"
#include "base/text.h"
#include "event/names.h"
#include "learn/words.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sallyport::learn {
namespace {

constexpr std::size_t kListed = 100; // of each kind that is left out; JSON has all
constexpr std::array kWhys{Why::closed_port, Why::scanner,      Why::one_off, Why::stranger,
                           Why::too_many,    Why::other_reason, Why::no_port, Why::no_room};

std::string times(std::uint64_t count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string head_text(const Findings& findings, const Place& place) {
    std::string text = fmt::format("# The policy of {}, and below it what was learned of {}:\n",
                                   one_line(place.file), one_line(place.source));
    if (place.events == 0)
        text += "# nothing was seen that it would have refused.\n";
    else
        text += fmt::format("# {} events, {} to {}.\n", place.events, time_text(place.first),
                            time_text(place.last));
    for (const std::string& loss : findings.losses) text += "# NOT WHOLE: " + one_line(loss) + "\n";
    if (!place.knows_served)
        text += "# NOT KNOWN: who listens there; probes are told from clients by how much they "
                "touch alone.\n";
    text += "# Read each rule below; whoever was at work here while it was learned is let in.\n"
            "# Then: sallyport check FILE; and when it says what you mean, mode = \"enforce\".\n";
    if (!place.hits) return text + "#\n";
    std::vector<std::string> idle;
    for (const auto& [rule, hits] : *place.hits)
        if (hits == 0)
            idle.push_back(one_line(rule, 64));
        else
            text +=
                fmt::format("# Used meanwhile: rule {}, {} packets\n", one_line(rule, 64), hits);
    for (const std::string& rule : idle) text += "# Not used meanwhile: rule " + rule + "\n";
    return text + "#\n";
}

std::string words(const std::vector<std::string>& peers) {
    return peers.size() == 1 ? toml_string(peers.front()) : toml_list(peers);
}

std::string list_or_zone(const std::vector<std::string>& peers) {
    // A lone network is a list too; a lone zone, or "any", a word.
    const bool is_network = peers.size() == 1 && parse_prefix(peers.front()).has_value();
    return is_network ? toml_list(peers) : words(peers);
}

std::string protocol_text(const LearnedRule& rule) {
    const Service& service = rule.service;
    constexpr std::uint8_t kIcmp4 = 1, kIcmp6 = 58;
    const bool is_icmp = service.proto == kIcmp4 || service.proto == kIcmp6;
    if (is_icmp && service.port == (service.proto == kIcmp4 ? 8 : 128)) return "proto = \"icmp\"\n";
    if (is_icmp) return fmt::format("proto = {}\ntypes = [{}]\n", service.proto, service.port);
    std::string text;
    switch (service.proto) {
    case 6:
        text = "proto = \"tcp\"\n";
        break;
    case 17:
        text = "proto = \"udp\"\n";
        break;
    case 132:
        text = "proto = \"sctp\"\n";
        break;
    default:
        text = fmt::format("proto = {}\n", service.proto);
    }
    if (!has_ports(service.proto)) return text;
    std::vector<std::uint16_t> ports;
    for (const LearnedPort& one : rule.ports) {
        SP_CHECK(one.port != 0); // it names none
        ports.push_back(one.port);
    }
    SP_CHECK(!ports.empty()); // without `ports` the rule would be for all of them
    return text + fmt::format("ports = [{}]\n", fmt::join(ports, ", "));
}

std::string port_text(Service service, const LearnedPort& one) {
    service.port = one.port;
    std::string text = "# " + service_text(service);
    if (service.direction == Direction::egress) text += " by " + owner_text(service);
    text += one.openings == 0 ? std::string(": open since before")
                              : fmt::format(": opened {}", times(one.openings));
    return text + fmt::format(", first {}, last {}\n", time_text(one.first), time_text(one.last));
}

std::string rule_text(const LearnedRule& rule) {
    const Service& service = rule.service;
    std::string text = "\n";
    for (const LearnedPort& one : rule.ports) text += port_text(service, one);
    text += fmt::format("# as {}\n", fmt::join(rule.examples, "; "));
    for (const std::string& warning : rule.warnings) text += "# ATTENTION: " + warning + "\n";
    text +=
        fmt::format("[[{}]]\nname = {}\n", to_string(service.direction), toml_string(rule.name));
    if (!rule.from.empty()) text += "from = " + list_or_zone(rule.from) + "\n";
    if (!rule.to.empty()) text += "to = " + list_or_zone(rule.to) + "\n";
    text += protocol_text(rule);
    if (!rule.interfaces.empty()) text += "interfaces = " + toml_list(rule.interfaces) + "\n";
    if (!service.unit.empty())
        text += "unit = " + toml_string(service.unit) + "\n";
    else if (service.user)
        text += fmt::format("user = {}\n", *service.user);
    return text;
}

std::string left_text(const Findings& findings) {
    if (findings.left.empty()) return {};
    std::string text = "\n# ---- left out\n";
    for (const Why why : kWhys) {
        const std::size_t all = findings.left_for(why);
        if (all == 0) continue;
        text += fmt::format("#\n# {}\n", meaning_of(why));
        std::size_t listed = 0;
        for (const LeftOut& one : findings.left) {
            if (one.why != why || listed++ >= kListed) continue;
            text += fmt::format("#   {}, {}, first {}, last {}\n", one_line(one.what, 300),
                                times(one.events), time_text(one.first), time_text(one.last));
        }
        if (all > kListed) text += fmt::format("#   and {} more\n", all - kListed);
    }
    return text;
}

nlohmann::ordered_json or_null(const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

nlohmann::ordered_json to_json(const LearnedRule& rule) {
    const Service& service = rule.service;
    nlohmann::ordered_json ports = nlohmann::ordered_json::array();
    if (has_ports(service.proto))
        for (const LearnedPort& one : rule.ports) ports.push_back(one.port);
    return {
        {"name", rule.name},
        {"direction", to_string(service.direction)},
        {"proto", proto_name(service.proto)},
        {"port", rule.ports.empty() ? service.port : rule.ports.front().port},
        {"ports", std::move(ports)},
        {"unit", or_null(service.unit)},
        {"user", service.user ? nlohmann::ordered_json(*service.user) : nlohmann::ordered_json()},
        {"from", rule.from},
        {"to", rule.to},
        {"interfaces", rule.interfaces},
        {"openings", rule.openings},
        {"running", rule.running},
        {"first", time_text(rule.first)},
        {"last", time_text(rule.last)},
        {"examples", rule.examples},
        {"warnings", rule.warnings}};
}

} // namespace

std::string policy_text(std::string_view current, const Findings& findings, const Place& place) {
    constexpr std::string_view kMark = "\xef\xbb\xbf"; // it may only stand at the very beginning
    if (current.starts_with(kMark)) current.remove_prefix(kMark.size());
    std::string text = head_text(findings, place);
    text += current;
    if (!text.ends_with('\n')) text += '\n';
    text += "\n# ---- learned\n";
    if (findings.rules.empty()) text += "# Nothing: no rule is to be added.\n";
    for (const LearnedRule& rule : findings.rules) text += rule_text(rule);
    return text + left_text(findings);
}

std::string summary(const Findings& findings, const Place& place) {
    std::string text = fmt::format("sallyport: {} rules learned of {} events",
                                   findings.rules.size(), place.events);
    std::string left;
    for (const Why why : kWhys)
        if (const std::size_t count = findings.left_for(why))
            left +=
                fmt::format("{}{} {}", left.empty() ? "; left out: " : ", ", count, to_string(why));
    text += left;
    for (const std::string& loss : findings.losses)
        text += "\nsallyport: not whole: " + one_line(loss);
    return text;
}

nlohmann::ordered_json to_json(const Findings& findings, const Place& place) {
    nlohmann::ordered_json rules = nlohmann::ordered_json::array();
    for (const LearnedRule& rule : findings.rules) rules.push_back(to_json(rule));
    nlohmann::ordered_json left = nlohmann::ordered_json::array();
    for (const LeftOut& one : findings.left)
        left.push_back({{"why", to_string(one.why)},
                        {"what", one.what},
                        {"count", one.events},
                        {"first", time_text(one.first)},
                        {"last", time_text(one.last)}});
    nlohmann::ordered_json hits = nullptr;
    if (place.hits) {
        hits = nlohmann::ordered_json::object();
        for (const auto& [rule, count] : *place.hits) hits[rule] = count;
    }
    return {{"file", place.file},
            {"source", place.source},
            {"events", place.events},
            {"first", or_null(place.events == 0 ? "" : time_text(place.first))},
            {"last", or_null(place.events == 0 ? "" : time_text(place.last))},
            {"whole", findings.losses.empty()},
            {"losses", findings.losses},
            {"listeners_known", place.knows_served},
            {"rules", std::move(rules)},
            {"left_out", std::move(left)},
            {"used", std::move(hits)}};
}

} // namespace sallyport::learn
