// SPDX-License-Identifier: Apache-2.0
#include "audit/nat.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace sallyport::audit {
namespace {

using Json = nlohmann::json;

std::optional<std::uint16_t> port_of(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

std::optional<std::uint8_t> proto_of(std::string_view name) {
    if (name == "tcp") return kTcp;
    if (name == "udp") return kUdp;
    if (name == "sctp") return kSctp;
    if (name == "udplite") return kUdpLite;
    return std::nullopt;
}

// "10.0.0.2:80", "[fd00::2]:80", "10.0.0.2", ":8080", "127.0.0.0/8": what it names.
struct Target {
    std::optional<Address> address;
    std::uint16_t port = 0;
};
std::optional<Target> target_of(std::string_view text) {
    Target target;
    std::string_view host = text;
    const std::size_t colon = text.rfind(':');
    const bool is_bare_v6 = text.find(':') != colon && !text.starts_with('[');
    if (colon != text.npos && !is_bare_v6) {
        const auto port = port_of(text.substr(colon + 1));
        if (!port) return std::nullopt;
        target.port = *port;
        host = text.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return target;
    target.address = parse_address(host);
    return target.address ? std::optional(target) : std::nullopt;
}

// One expression of a rule of nft's. False: it changes what the rule means in a way unknown.
bool read_match(const Json& match, Publication& one) {
    if (match.value("op", "") != "==") return true; // "iifname != docker0": wider is told
    const Json& left = match.at("left");
    const Json& right = match.at("right");
    if (left.contains("payload")) {
        const std::string protocol = left["payload"].value("protocol", "");
        const std::string field = left["payload"].value("field", "");
        if (field == "dport") {
            const auto proto = proto_of(protocol);
            if (!proto && protocol != "th") return false;
            if (proto) one.proto = *proto;
            if (right.is_number_unsigned())
                one.low = one.high = right.get<std::uint16_t>();
            else if (right.contains("range"))
                one.low = right["range"].at(0), one.high = right["range"].at(1);
            else
                return false;
        } else if (field == "daddr" && right.is_string()) {
            one.at = parse_address(right.get<std::string>());
            if (!one.at) return false;
        }
        return true;
    }
    if (left.contains("meta") && right.is_string()) {
        const std::string key = left["meta"].value("key", "");
        if (key == "iifname" || key == "iif") one.interface = right;
        if (key == "l4proto") {
            const auto proto = proto_of(right.get<std::string>());
            if (proto) one.proto = *proto;
        }
    }
    return true;
}

enum class Reading { nothing, publishes, not_understood, foreign };

Reading read_rule(const Json& expressions, Publication& one) {
    bool is_understood = true;
    for (const Json& expression : expressions) {
        if (expression.contains("xt")) return Reading::foreign;
        if (expression.contains("match"))
            is_understood = read_match(expression["match"], one) && is_understood;
        const bool is_dnat = expression.contains("dnat");
        if (!is_dnat && !expression.contains("redirect")) continue;
        const Json& target = expression[is_dnat ? "dnat" : "redirect"];
        if (target.is_object()) {
            if (target.contains("addr") && !target["addr"].is_string())
                return Reading::not_understood;
            if (target.contains("port") && !target["port"].is_number_unsigned())
                return Reading::not_understood;
            if (target.contains("addr")) one.to = parse_address(target["addr"].get<std::string>());
            if (target.contains("port")) one.to_port = target["port"].get<std::uint16_t>();
        }
        if (one.low == 0 || !is_understood || (is_dnat && !one.to)) return Reading::not_understood;
        return Reading::publishes;
    }
    return Reading::nothing;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        if (end != 0) words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

Reading read_iptables(const std::vector<std::string_view>& words, Publication& one) {
    bool is_understood = true, is_target = false, is_redirect = false;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string_view key = words[i], value = words[i + 1];
        const bool is_not = i > 0 && words[i - 1] == "!";
        if (key == "-j")
            is_target = value == "DNAT" || value == "REDIRECT", is_redirect = value == "REDIRECT";
        if (key == "-p") {
            const auto proto = proto_of(value);
            if (proto) one.proto = *proto;
            is_understood = is_understood && proto && !is_not;
        }
        if (key == "-i" && !is_not) one.interface = value;
        if (key == "-d" && !is_not) {
            one.at = parse_address(value.substr(0, value.find('/')));
            const bool is_host =
                value.find('/') == value.npos || value.ends_with("/32") || value.ends_with("/128");
            is_understood = is_understood && one.at && is_host;
        }
        if (key == "--dports") is_understood = false;
        if (key == "--dport") {
            const std::size_t colon = value.find(':');
            const auto low = port_of(value.substr(0, colon));
            const auto high = colon == value.npos ? low : port_of(value.substr(colon + 1));
            is_understood = is_understood && low && high && !is_not;
            if (low && high) one.low = *low, one.high = *high;
        }
        if (key == "--to-destination") {
            const auto target = target_of(value);
            if (target) one.to = target->address, one.to_port = target->port;
            is_understood = is_understood && target;
        }
        if (key == "--to-ports") {
            const auto port = port_of(value);
            if (port) one.to_port = *port;
            is_understood = is_understood && port;
        }
    }
    if (!is_target) return Reading::nothing;
    return is_understood && one.low != 0 && (is_redirect || one.to) ? Reading::publishes
                                                                    : Reading::not_understood;
}

void note(NatRules& rules, Reading reading, Publication one) {
    switch (reading) {
    case Reading::nothing:
        return;
    case Reading::publishes:
        rules.published.push_back(std::move(one));
        return;
    case Reading::not_understood:
        ++rules.not_understood;
        return;
    case Reading::foreign:
        ++rules.foreign;
        return;
    }
}

} // namespace

std::optional<NatRules> nat_of_nft(std::string_view text) {
    const Json document = Json::parse(text, nullptr, false);
    if (!document.is_object() || !document.contains("nftables")) return std::nullopt;
    NatRules rules;
    for (const Json& object : document["nftables"]) {
        if (!object.contains("rule") || !object["rule"].contains("expr")) continue;
        Publication one;
        one.by = "nftables";
        Reading reading = Reading::not_understood;
        try { // a shape that we do not know
            reading = read_rule(object["rule"]["expr"], one);
        } catch (const Json::exception&) {
            reading = Reading::not_understood;
        }
        note(rules, reading, std::move(one));
    }
    return rules;
}

NatRules nat_of_iptables(std::string_view text) {
    NatRules rules;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.starts_with("-A ")) continue;
        Publication one;
        one.by = "iptables";
        const Reading reading = read_iptables(words_of(line), one);
        note(rules, reading, std::move(one));
    }
    return rules;
}

std::optional<Publication> nat_of_docker_proxy(const std::vector<std::string>& argv) {
    Publication one;
    one.by = "docker-proxy";
    std::optional<std::uint16_t> from, to;
    for (std::size_t i = 0; i + 1 < argv.size(); ++i) {
        if (argv[i] == "-proto") one.proto = proto_of(argv[i + 1]).value_or(0);
        if (argv[i] == "-host-ip") one.at = parse_address(argv[i + 1]);
        if (argv[i] == "-host-port") from = port_of(argv[i + 1]);
        if (argv[i] == "-container-ip") one.to = parse_address(argv[i + 1]);
        if (argv[i] == "-container-port") to = port_of(argv[i + 1]);
    }
    if (one.proto == 0 || !from || !to || !one.to) return std::nullopt;
    if (one.at && (*one.at == Address{} || *one.at == Address::v4(0))) one.at.reset();
    one.low = one.high = *from;
    one.to_port = *to;
    return one;
}

} // namespace sallyport::audit
