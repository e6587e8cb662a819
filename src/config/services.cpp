// SPDX-License-Identifier: Apache-2.0
// The keys proto, ports and types of a rule.
#include "config/services.h"

#include "base/text.h"
#include "config/icmp_types.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sallyport::config {

namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kUdpLite = 136;
constexpr std::array kWithPorts = {kTcp, kUdp, kUdpLite, kSctp};
constexpr std::uint16_t kTypeMax = 255;

// What the key proto says, before ports and types narrow it.
struct Protocols {
    std::vector<std::uint8_t> numbers; // empty: any
    std::string name;                  // as the user wrote it; empty: left out
    bool by_name = false;              // "icmp" is echo request only, 1 is all of it
};

struct PortRange {
    std::uint16_t low;
    std::uint16_t high;
};

std::optional<Protocols> protocols_of(const Value& value, Findings& findings) {
    if (value.kind == ValueKind::integer) {
        if (value.number >= 0 && value.number <= 255)
            return Protocols{.numbers = {static_cast<std::uint8_t>(value.number)},
                             .name = std::to_string(value.number),
                             .by_name = false};
        findings.error(value.place, "\"proto\" must be from 0 to 255");
        return std::nullopt;
    }
    if (value.kind != ValueKind::string) {
        findings.error(value.place,
                       std::string("\"proto\" must be a name or a number, not ") +
                           kind_name(value.kind),
                       value.kind == ValueKind::list ? "write a rule for each protocol" : "");
        return std::nullopt;
    }
    const std::array<std::pair<std::string_view, std::vector<std::uint8_t>>, 6> known = {{
        {"tcp", {kTcp}},
        {"udp", {kUdp}},
        {"sctp", {kSctp}},
        {"udp-lite", {kUdpLite}},
        {"icmp", {kIcmp, kIcmp6}},
        {"any", {}},
    }};
    std::vector<std::string> names;
    for (const auto& [name, numbers] : known) {
        if (value.text == name)
            return Protocols{.numbers = numbers, .name = value.text, .by_name = true};
        names.emplace_back(name);
    }
    std::string hint = "known are tcp, udp, udp-lite, sctp, icmp, any and numbers";
    if (const std::string near = nearest(value.text, names); !near.empty())
        hint = "did you mean " + quoted(near) + "?";
    findings.error(value.place, "unknown protocol " + quoted(value.text), std::move(hint));
    return std::nullopt;
}

bool is_number(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint16_t> port_number(std::string_view digits) {
    std::uint16_t port = 0;
    const std::from_chars_result result =
        std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return result.ec == std::errc{} && port > 0 ? std::optional(port) : std::nullopt;
}

class PortReader {
  public:
    PortReader(const Protocols& protocols, const ParseWorld& world, Findings& findings)
        : protocols_(protocols), world_(world), findings_(findings) {}

    [[nodiscard]] std::vector<PortRange> read(const Value& list) {
        std::vector<PortRange> ranges;
        if (list.kind == ValueKind::integer || list.kind == ValueKind::string) {
            const bool number = list.kind == ValueKind::integer;
            findings_.error(
                list.place, std::string("\"ports\" must be a list, not ") + kind_name(list.kind),
                "write [" + (number ? std::to_string(list.number) : quoted(list.text)) + "]");
            return ranges;
        }
        if (!has_kind(list, ValueKind::list, "ports", findings_)) return ranges;
        if (list.items.empty())
            findings_.error(list.place, "\"ports\" must not be empty",
                            "leave it out for all ports");
        for (const Value& item : list.items) {
            const std::vector<PortRange> more = read_item(item);
            ranges.insert(ranges.end(), more.begin(), more.end());
        }
        return ranges;
    }

  private:
    [[nodiscard]] std::vector<PortRange> read_item(const Value& item) {
        if (item.kind == ValueKind::integer) {
            if (item.number >= 1 && item.number <= 65535) {
                const auto port = static_cast<std::uint16_t>(item.number);
                return {{port, port}};
            }
            return out_of_range(item);
        }
        if (item.kind == ValueKind::string) return read_text(item);
        findings_.error(
            item.place,
            std::string("\"ports\" lists numbers, ranges and service names, and this is ") +
                kind_name(item.kind));
        return {};
    }

    [[nodiscard]] std::vector<PortRange> read_text(const Value& item) {
        const std::string_view text = item.text;
        const std::size_t dash = text.find('-');
        const std::string_view first = text.substr(0, dash);
        if (!is_number(first)) return read_service(item);
        const std::string_view last =
            dash == std::string_view::npos ? first : text.substr(dash + 1);
        if (!is_number(last)) {
            findings_.error(item.place, quoted(text) + " is not a range of ports",
                            "write \"8000-8010\"");
            return {};
        }
        const std::optional<std::uint16_t> low = port_number(first);
        const std::optional<std::uint16_t> high = port_number(last);
        if (!low || !high) return out_of_range(item);
        if (*low <= *high) return {{*low, *high}};
        findings_.error(item.place, "the range " + quoted(text) + " is reversed",
                        "write \"" + std::to_string(*high) + "-" + std::to_string(*low) + "\"");
        return {};
    }

    // A service may have another port in each protocol: all of them are meant.
    [[nodiscard]] std::vector<PortRange> read_service(const Value& item) {
        std::vector<PortRange> ranges;
        for (const std::uint8_t proto : protocols_.numbers) {
            const std::optional<std::uint16_t> port = item.text.find('\0') == std::string::npos
                                                          ? world_.service_port(item.text, proto)
                                                          : std::nullopt;
            const auto same = [&](const PortRange& range) { return range.low == *port; };
            if (port && *port > 0 && std::none_of(ranges.begin(), ranges.end(), same))
                ranges.push_back({*port, *port});
        }
        if (ranges.empty())
            findings_.error(item.place, "unknown service " + quoted(item.text),
                            "services are those of /etc/services; a number always does");
        return ranges;
    }

    [[nodiscard]] std::vector<PortRange> out_of_range(const Value& item) {
        findings_.error(item.place, "a port must be from 1 to 65535");
        return {};
    }

    const Protocols& protocols_;
    const ParseWorld& world_;
    Findings& findings_;
};

bool has_ports(const Protocols& protocols) {
    const auto with_ports = [](std::uint8_t number) {
        return std::find(kWithPorts.begin(), kWithPorts.end(), number) != kWithPorts.end();
    };
    return !protocols.numbers.empty() &&
           std::all_of(protocols.numbers.begin(), protocols.numbers.end(), with_ports);
}

bool is_icmp(const Protocols& protocols) {
    return !protocols.numbers.empty() &&
           (protocols.numbers[0] == kIcmp || protocols.numbers[0] == kIcmp6);
}

std::optional<IcmpType> type_of(const Value& item, Findings& findings) {
    if (item.kind == ValueKind::integer) {
        if (item.number >= 0 && item.number <= kTypeMax) {
            const auto type = static_cast<std::uint8_t>(item.number);
            return IcmpType{.v4 = type, .v6 = type};
        }
        findings.error(item.place, "an ICMP type must be from 0 to 255");
    } else if (item.kind == ValueKind::string) {
        if (const std::optional<IcmpType> type = icmp_type(item.text)) return type;
        const std::string near = nearest(item.text, icmp_type_names());
        findings.error(item.place, "unknown ICMP type " + quoted(item.text),
                       near.empty() ? "a number always does"
                                    : "did you mean " + quoted(near) + "?");
    } else {
        findings.error(item.place, std::string("\"types\" lists names and numbers, and this is ") +
                                       kind_name(item.kind));
    }
    return std::nullopt;
}

std::vector<ServiceRange> icmp_ranges(const Value& list, const Protocols& protocols,
                                      Findings& findings) {
    std::vector<ServiceRange> ranges;
    if (!has_kind(list, ValueKind::list, "types", findings)) return ranges;
    if (list.items.empty()) findings.error(list.place, "\"types\" must not be empty");
    for (const Value& item : list.items) {
        const std::optional<IcmpType> type = type_of(item, findings);
        if (!type) continue;
        const std::size_t before = ranges.size();
        for (const std::uint8_t proto : protocols.numbers)
            if (const std::optional<std::uint8_t> number = proto == kIcmp ? type->v4 : type->v6)
                ranges.push_back({.proto = proto, .low = *number, .high = *number});
        if (ranges.size() == before)
            findings.error(item.place,
                           "protocol " + protocols.name + " has no " + quoted(item.text));
    }
    return ranges;
}

// A type that opens nothing in any family that it is named for.
void warn_of_vain_types(const Value& list, const Protocols& protocols, Direction direction,
                        Fields& rule) {
    Findings said("", ""); // what is wrong with the list has been said
    for (const Value& item : list.items) {
        const std::optional<IcmpType> type = type_of(item, said);
        if (!type) continue;
        std::string why;
        bool opens = false;
        for (const std::uint8_t proto : protocols.numbers) {
            const std::optional<std::uint8_t> number = proto == kIcmp ? type->v4 : type->v6;
            if (!number) continue;
            const std::string its = why_icmp_opens_nothing(direction, proto, *number);
            opens = opens || its.empty();
            if (why.empty()) why = its;
        }
        if (opens || why.empty()) continue;
        const std::string name =
            item.kind == ValueKind::string ? quoted(item.text) : std::to_string(item.number);
        rule.findings().warning(item.place,
                                rule.title() + " opens nothing by ICMP type " + name + ": " + why);
    }
}

// All that the protocols have, when neither ports nor types narrow them.
std::vector<ServiceRange> whole(const Protocols& protocols) {
    std::vector<ServiceRange> ranges;
    for (const std::uint8_t proto : protocols.numbers) {
        const bool icmp = proto == kIcmp || proto == kIcmp6;
        if (icmp && protocols.by_name) {
            const std::optional<IcmpType> echo = icmp_type("echo-request");
            const std::uint16_t type = (proto == kIcmp ? echo->v4 : echo->v6).value_or(0);
            ranges.push_back({.proto = proto, .low = type, .high = type});
        } else {
            ranges.push_back(
                {.proto = proto, .low = 0, .high = icmp ? kTypeMax : std::uint16_t{65535}});
        }
    }
    return ranges;
}

} // namespace

Services read_services(Fields& rule, RuleKind kind, std::optional<Direction> direction,
                       const ParseWorld& world) {
    Findings& findings = rule.findings();
    const Value* const proto = kind == RuleKind::deny ? rule.get("proto") : rule.need("proto");
    const Value* const ports = rule.get("ports");
    const Value* const types = rule.get("types");
    Protocols protocols;
    if (proto != nullptr) {
        std::optional<Protocols> named = protocols_of(*proto, findings);
        if (!named) return {};
        protocols = *std::move(named);
    } else if (kind == RuleKind::allow) {
        return {};
    } else if (ports != nullptr) {
        protocols.numbers.assign(kWithPorts.begin(), kWithPorts.end());
    }

    if (types != nullptr && !is_icmp(protocols)) {
        findings.error(rule.table().find("types")->place, "\"types\" needs proto = \"icmp\"");
        return {};
    }
    if (ports != nullptr && !has_ports(protocols)) {
        findings.error(rule.table().find("ports")->place,
                       "protocol " + quoted(protocols.name) + " has no ports",
                       is_icmp(protocols) ? "name ICMP types by \"types\"" : "");
        return {};
    }
    Services services;
    services.any_protocol = protocols.numbers.empty();
    if (ports != nullptr) {
        for (const PortRange& range : PortReader(protocols, world, findings).read(*ports))
            for (const std::uint8_t number : protocols.numbers)
                services.ranges.push_back({.proto = number, .low = range.low, .high = range.high});
    } else if (types != nullptr) {
        services.ranges = icmp_ranges(*types, protocols, findings);
        if (kind == RuleKind::allow && direction)
            warn_of_vain_types(*types, protocols, *direction, rule);
    } else {
        services.ranges = whole(protocols);
    }
    return services;
}

} // namespace sallyport::config
