// SPDX-License-Identifier: Apache-2.0
#include "audit/suggest.h"

#include "audit/text.h"
#include "audit/ways.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

namespace sallyport::audit {
namespace {

constexpr std::uint16_t kDns = 53;
constexpr const char* kProxy = "docker-proxy"; // as the catalogue names it

// Not routed on the internet: RFC 1918, 6598, 4193.
const std::vector<Prefix>& private_networks() {
    static const std::vector<Prefix> kList = [] {
        std::vector<Prefix> list;
        for (const char* text :
             {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"})
            if (const Result<Prefix> parsed = parse_prefix(text)) list.push_back(*parsed);
        return list;
    }();
    return kList;
}

bool is_link_local(const Address& address) {
    return (address.is_v4() && address.v4_value() >> 16 == 0xa9fe) ||
           (!address.is_v4() && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80);
}

// Made for containers and guests, not to the network outside.
bool is_inner(const std::string& name) {
    static const std::vector<std::string> kGlobs{"docker*", "br-*", "veth*",   "virbr*", "cni*",
                                                 "podman*", "lxc*", "lxd*",    "cali*",  "flannel*",
                                                 "vnet*",   "tap*", "cilium*", "vxlan*"};
    return std::ranges::any_of(kGlobs, [&](const auto& g) { return glob_matches(g, name); });
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::vector<std::string> quoted;
    for (const std::string& text : texts) quoted.push_back(fmt::format("\"{}\"", text));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

// A name of an interface can be written as it is; the kernel forbids little more than '/'.
std::string interface_text(const std::string& name) {
    std::string text;
    for (const char c : escaped(name))
        if (c == '"' || c == '\\')
            text += '?';
        else if (c == '*' || c == '[' || c == ']')
            text += '?';
        else
            text += c;
    return text;
}

struct Zones {
    std::vector<std::string> admin, lan;
    std::vector<std::string> lan_nics; // not empty: only there, another NIC is public
};

Zones zones_of(const Machine& machine, const SuggestWorld& world) {
    std::set<Prefix> held;
    std::vector<std::string> inside;
    bool is_public = false;
    for (const Nic& nic : machine.places.front().nics) {
        if (is_inner(nic.name)) continue;
        bool is_private_nic = false;
        for (const Address& address : nic.addresses) {
            if (is_link_local(address)) continue;
            bool is_private = false;
            for (const Prefix& prefix : private_networks())
                if (prefix.covers(address)) held.insert(prefix), is_private = true;
            is_private_nic = is_private_nic || is_private;
            is_public = is_public || !is_private;
        }
        if (is_private_nic) inside.push_back(interface_text(nic.name));
    }
    Zones zones;
    for (const Prefix& prefix : held) zones.lan.push_back(to_string(prefix));
    for (const Address& peer : world.session) zones.admin.push_back(to_string(peer));
    if (zones.admin.empty()) zones.admin = zones.lan;
    if (is_public) zones.lan_nics = inside;
    return zones;
}

// A rule for all that is alike but for its address.
struct Wanted {
    std::string name;
    std::uint8_t proto = 0;
    std::uint16_t port = 0;
    Expose expose = Expose::none;
    std::string about; // for the comment; printable
};

std::string plain_name(const std::string& text) {
    std::string name;
    for (const char c : text)
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')
            name += c;
        else if (c >= 'A' && c <= 'Z')
            name += static_cast<char>(c - 'A' + 'a');
        else if (!name.empty() && name.back() != '-')
            name += '-';
    while (name.ends_with('-')) name.pop_back();
    return name.substr(0, 32);
}

Expose expose_of(const Judged& judged) {
    if (!judged.service) return Expose::none;
    const Service& service = *judged.service;
    if (service.expose != Expose::any) return service.expose;
    // Everybody, only where everybody looks for it.
    return std::ranges::find(service.ports, judged.listener.port) == service.ports.end()
               ? Expose::lan
               : Expose::any;
}

std::vector<Wanted> wanted_of(const Report& report, std::uint64_t host) {
    std::map<std::pair<std::uint8_t, std::uint16_t>, Wanted> found;
    for (const Judged& judged : report.listeners) {
        const bool is_served = judged.state == State::exposed || judged.state == State::open ||
                               judged.state == State::shut;
        if (!is_served) continue;
        std::set<std::uint16_t> ports;
        for (const Publication& one : judged.published) ports.insert(one.low);
        const bool is_elsewhere = judged.listener.place != host;
        if (ports.empty() && !is_elsewhere) ports.insert(judged.listener.port);
        for (const std::uint16_t port : ports) {
            Wanted one{.name = plain_name(judged.service            ? judged.service->name
                                          : judged.listener.process ? judged.listener.process->comm
                                                                    : "unknown"),
                       .proto = judged.listener.proto,
                       .port = port,
                       .expose = expose_of(judged),
                       .about = fmt::format("{}; {}", name_of(judged),
                                            judged.service ? escaped(judged.service->why)
                                                           : "not in the catalogue")};
            // Several on one port: what fewest should reach decides. A proxy stands for another.
            const auto [at, is_new] = found.try_emplace({one.proto, port}, one);
            const bool was_proxy = at->second.name == kProxy;
            if (!is_new && one.name != kProxy && (was_proxy || one.expose < at->second.expose))
                at->second = one;
        }
    }
    std::vector<Wanted> list;
    for (auto& [key, one] : found) list.push_back(std::move(one));
    return list;
}

std::string rule_text(const Wanted& one, const std::string& name, const Zones& zones) {
    std::string from;
    if (one.expose == Expose::admin && !zones.admin.empty()) from = "admin";
    if (one.expose == Expose::lan && !zones.lan.empty()) from = "lan";
    if (one.expose == Expose::any) from = "any";
    const std::string mark = from.empty() ? "# " : "";
    std::string text = fmt::format("\n# {}\n", one.about);
    if (from.empty())
        text += one.expose == Expose::peers
                    ? "# Only the cluster's own machines: name them, then take the marks off.\n"
                    : "# Shut. If somebody needs it, name them, then take the marks off.\n";
    text += fmt::format("{}[[ingress]]\n", mark);
    text += fmt::format("{}name  = \"{}\"\n", mark, name);
    text += fmt::format("{}from  = \"{}\"\n", mark, from.empty() ? "none" : from);
    text += one.proto == kUdpLite ? fmt::format("{}proto = {}\n", mark, one.proto)
                                  : fmt::format("{}proto = \"{}\"\n", mark, proto_name(one.proto));
    text += fmt::format("{}ports = [{}]\n", mark, one.port);
    if (from == "admin" && one.name == "ssh") text += "log   = \"new\"\n";
    return text;
}

std::string head_text(const Machine& machine, const Zones& zones, bool has_session) {
    std::vector<std::string> guarded, inner;
    for (const Nic& nic : machine.places.front().nics)
        (is_inner(nic.name) ? inner : guarded).push_back(interface_text(nic.name));
    if (guarded.empty()) guarded.push_back("en*");
    std::string text =
        "# A policy for this machine as it is. Read each rule, then:\n"
        "#\n"
        "#   sallyport check FILE\n"
        "#\n"
        "# It observes: it judges and reports, and drops nothing. Write mode = \"enforce\" when\n"
        "# what it would drop is what should be dropped. Processes name themselves: that one\n"
        "# looks like a service does not make it one.\n"
        "schema = 1\n\n[host]\n";
    text += fmt::format("interfaces = {}\nmode = \"observe\"\n", quoted_list(guarded));
    if (!inner.empty())
        text += fmt::format("# Not guarded, what comes in there is admitted: {}\n",
                            fmt::join(inner, ", "));
    text += "\n[zones]\n";
    if (!zones.admin.empty())
        text += fmt::format("# {}\nadmin = {}\n",
                            has_session ? "Where your session comes from."
                                        : "No session was found: the private networks here.",
                            quoted_list(zones.admin));
    if (!zones.lan.empty())
        text += zones.lan_nics.empty()
                    ? fmt::format("lan = {}\n", quoted_list(zones.lan))
                    : fmt::format("# Only there: elsewhere these sources can be forged.\n"
                                  "lan = {{ networks = {}, interfaces = {} }}\n",
                                  quoted_list(zones.lan), quoted_list(zones.lan_nics));
    return text;
}

std::string egress_text(const SuggestWorld& world) {
    std::set<std::string> resolvers;
    for (const Address& address : world.resolvers)
        if (!is_loopback(address)) resolvers.insert(to_string(address));
    std::string text = "\n# ---- the way out: 'sallyport tail' in observe mode shows what else is "
                       "needed\n";
    if (resolvers.empty()) return text;
    const std::vector<std::string> list(resolvers.begin(), resolvers.end());
    for (const char* proto : {"udp", "tcp"})
        text += fmt::format("\n[[egress]]\nname  = \"dns-{}\"\nto    = {}\nproto = \"{}\"\n"
                            "ports = [{}]\n",
                            proto, quoted_list(list), proto, kDns);
    return text;
}

} // namespace

std::string suggest(const Report& report, const Machine& machine, const SuggestWorld& world) {
    const Zones zones = zones_of(machine, world);
    std::string text = head_text(machine, zones, !world.session.empty());
    text += "\n# ---- what listens on the network\n";
    std::set<std::string> names{"dns-udp", "dns-tcp"};
    for (const Wanted& one : wanted_of(report, machine.places.front().inode)) {
        std::string name = one.name.empty() ? "unknown" : one.name;
        if (!names.insert(name).second) {
            name += fmt::format("-{}-{}", proto_name(one.proto), one.port);
            names.insert(name);
        }
        text += rule_text(one, name, zones);
    }
    std::string inside;
    for (const Judged& judged : report.listeners)
        if (judged.state == State::loopback &&
            judged.listener.place == machine.places.front().inode)
            inside += fmt::format("#   {} {}: {}\n", proto_name(judged.listener.proto),
                                  escaped(address_text(judged.listener)), name_of(judged));
    if (!inside.empty()) text += "\n# On loopback alone; they need no rule:\n" + inside;
    return text + egress_text(world);
}

} // namespace sallyport::audit
