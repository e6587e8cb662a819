// SPDX-License-Identifier: Apache-2.0
#include "config/icmp_types.h"
#include "event/names.h"
#include "explain/advice.h"
#include "sallyport/abi/event.h"

#include <fmt/format.h>

namespace sallyport::explain {
namespace {

// Names come from arguments: as a TOML basic string takes them.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            result += c;
    }
    return result + "\"";
}

Direction direction_of(std::uint32_t direction) {
    if (direction == SP_EGRESS) return Direction::egress;
    return direction == SP_FORWARD ? Direction::forward : Direction::ingress;
}

std::string proto_word(std::uint8_t proto) {
    if (is_icmp(proto)) return "\"icmp\"";
    if (proto == 136) return "\"udp-lite\""; // the policy's word
    return has_ports(proto) ? quoted(proto_name(proto)) : fmt::format("{}", proto);
}

std::string wish_for(const AskedPacket& packet, Direction direction) {
    const std::string service =
        has_ports(packet.proto) ? fmt::format("{} {}", proto_name(packet.proto), packet.dst_port)
        : is_icmp(packet.proto) ? fmt::format("icmp {}", packet.icmp_type)
                                : fmt::format("protocol {}", packet.proto);
    const bool names_source = direction == Direction::ingress;
    return fmt::format("{} {} {}", service, names_source ? "from" : "to",
                       sallyport::to_string(names_source ? packet.src : packet.dst));
}

bool is_echo_request(const AskedPacket& packet) {
    return packet.icmp_type == (packet.proto == 1 ? 8 : 128);
}

} // namespace

std::string smallest_rule(std::uint32_t direction, const AskedPacket& packet, const Sender& sender,
                          const PolicyPlace& place) {
    const Direction rules = direction_of(direction);
    if (is_icmp(packet.proto) &&
        !config::why_icmp_opens_nothing(rules, packet.proto, packet.icmp_type).empty())
        return {};
    if (has_ports(packet.proto) && packet.dst_port == 0) return {};
    std::string rule = fmt::format("[[{}]]\nname  = {}\n", sallyport::to_string(rules),
                                   quoted(place.free_name(wish_for(packet, rules))));
    if (rules != Direction::egress)
        rule += fmt::format("from  = [\"{}\"]\n", sallyport::to_string(packet.src));
    if (rules != Direction::ingress)
        rule += fmt::format("to    = [\"{}\"]\n", sallyport::to_string(packet.dst));
    rule += fmt::format("proto = {}\n", proto_word(packet.proto));
    if (has_ports(packet.proto)) rule += fmt::format("ports = [{}]\n", packet.dst_port);
    if (is_icmp(packet.proto) && !is_echo_request(packet))
        rule += fmt::format("types = [{}]\n", packet.icmp_type);
    if (rules != Direction::egress) return rule;
    if (!sender.unit.empty())
        rule += fmt::format("unit  = {}\n", quoted(sender.unit));
    else if (!sender.cgroup.empty() && sender.cgroup != "/")
        rule += fmt::format("cgroup = {}\n", quoted(sender.cgroup));
    if (sender.user) rule += fmt::format("user  = {}\n", *sender.user);
    return rule;
}

} // namespace sallyport::explain
