// SPDX-License-Identifier: Apache-2.0
#include "audit/judge.h"

#include "audit/ways.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace sallyport::audit {
namespace {

constexpr std::uint16_t kDhcp = 68, kDhcp6 = 546;

Danger one_less(Danger danger) {
    switch (danger) {
    case Danger::critical:
        return Danger::high;
    case Danger::high:
        return Danger::medium;
    case Danger::medium:
    case Danger::low:
        return Danger::low;
    case Danger::none:
        return Danger::none;
    }
    return danger;
}

bool is_dhcp_client(const Listener& listener) {
    return listener.proto == kUdp && listener.port == (listener.address.is_v4() ? kDhcp : kDhcp6);
}

Looks looks_of(const Listener& listener) {
    Looks looks{.exe = {}, .argv = {}, .unit = {}, .proto = listener.proto, .port = listener.port};
    if (!listener.process) return looks;
    looks.exe = listener.process->exe;
    looks.argv = listener.process->argv;
    looks.unit = listener.process->unit;
    looks.is_seen = !looks.exe.empty() || !looks.argv.empty();
    looks.is_root = listener.process->uid == 0;
    return looks;
}

bool open_to_all(const Judged& judged) {
    return std::ranges::any_of(judged.ways, [](const Way& way) { return way.sources.is_any; });
}

bool is_unshielded(const Judged& judged) {
    return std::ranges::any_of(judged.ways,
                               [](const Way& way) { return way.shield == Shield::none; });
}

State state_of(const Judged& judged, const Place& place, bool is_essential) {
    const Listener& listener = judged.listener;
    if (listener.proto == kRaw) return State::raw;
    if (judged.ways.empty() && (is_loopback(listener.address) || listener.interface == "lo"))
        return State::loopback;
    if (judged.ways.empty() && place.nics.empty()) return State::isolated;
    const bool is_declared = !judged.rules.empty() || is_essential;
    if (is_unshielded(judged) && !is_declared) return State::exposed;
    if (!judged.rules.empty() && !judged.ways.empty()) return State::open;
    if (is_essential) return State::essential;
    return judged.ways.empty() ? State::shut : State::open;
}

Danger danger_of(const Judged& judged) {
    if (judged.state != State::exposed && judged.state != State::open) return Danger::none;
    const Danger base = judged.service ? judged.service->danger : Danger::medium;
    return open_to_all(judged) ? base : one_less(base);
}

std::string advice_of(const Judged& judged) {
    if (judged.state == State::exposed)
        return "no rule declares it: bind it to loopback, stop it, or guard the interface and "
               "write an [[ingress]] rule for whom it is for";
    if (judged.state != State::open || !judged.service || !open_to_all(judged)) return {};
    switch (judged.service->expose) {
    case Expose::any:
        return {};
    case Expose::none:
        return "open to everybody; it is best kept to this host";
    case Expose::admin:
    case Expose::peers:
    case Expose::lan:
        return fmt::format("open to everybody; it is best kept to {}",
                           judged.service->expose == Expose::admin   ? "administrators"
                           : judged.service->expose == Expose::peers ? "the cluster's machines"
                                                                     : "the local network");
    }
    return {};
}

} // namespace

const char* to_string(Wall wall) {
    switch (wall) {
    case Wall::none:
        return "none";
    case Wall::observing:
        return "observing";
    case Wall::standing:
        return "standing";
    case Wall::assumed:
        return "assumed";
    }
    return "unknown";
}

bool holds(Wall wall, const Policy& policy) {
    return wall == Wall::standing || (wall == Wall::assumed && policy.host.mode == Mode::enforce);
}

const char* to_string(State state) {
    switch (state) {
    case State::exposed:
        return "exposed";
    case State::open:
        return "open";
    case State::essential:
        return "essential";
    case State::shut:
        return "shut";
    case State::raw:
        return "raw";
    case State::loopback:
        return "loopback";
    case State::isolated:
        return "isolated";
    }
    return "unknown";
}

std::size_t Report::findings() const {
    return static_cast<std::size_t>(std::ranges::count_if(listeners, &Judged::is_finding));
}

Report judge(const Machine& machine, Reach* reach, Wall wall, const Catalogue& catalogue) {
    Report report{.wall = wall, .listeners = {}};
    Ways ways(machine, reach, wall);
    for (const Listener& listener : machine.listeners) {
        Judged judged;
        judged.listener = listener;
        if (const Service* service = recognise(catalogue, looks_of(listener)))
            judged.service = *service;
        judged.ways = ways.to(listener);
        judged.published = ways.published(listener);
        for (const std::size_t index : ways.declared(listener))
            judged.rules.push_back(reach->policy().rules[index].name);
        const bool is_essential =
            reach != nullptr && reach->policy().essentials.dhcp_client && is_dhcp_client(listener);
        judged.state = state_of(judged, ways.place_of(listener), is_essential);
        judged.danger = danger_of(judged);
        judged.advice = advice_of(judged);
        report.listeners.push_back(std::move(judged));
    }
    const auto rank = [&](const Judged& one) {
        return std::tuple(
            one.state, -static_cast<int>(one.danger), !ways.place_of(one.listener).is_host,
            one.listener.place, one.listener.proto, one.listener.port, one.listener.address,
            one.listener.interface, one.listener.is_v6_only, one.listener.uid, one.listener.pids);
    };
    std::ranges::sort(report.listeners,
                      [&](const Judged& a, const Judged& b) { return rank(a) < rank(b); });
    return report;
}

std::string proto_name(std::uint8_t proto) {
    switch (proto) {
    case kTcp:
        return "tcp";
    case kUdp:
        return "udp";
    case kSctp:
        return "sctp";
    case kUdpLite:
        return "udplite";
    case kRaw:
        return "raw";
    default:
        return fmt::to_string(proto);
    }
}

std::string address_text(const Listener& listener) {
    const std::string address = to_string(listener.address);
    const std::string host = listener.address.is_v4() ? address : "[" + address + "]";
    const std::string device = listener.interface.empty() ? "" : "%" + listener.interface;
    if (listener.proto == kRaw) return fmt::format("{}{} protocol {}", host, device, listener.port);
    return fmt::format("{}{}:{}", host, device, listener.port);
}

bool is_dual(const Listener& listener) {
    return listener.address == Address{} && !listener.is_v6_only;
}

} // namespace sallyport::audit
