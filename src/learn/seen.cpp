// SPDX-License-Identifier: Apache-2.0
#include "learn/seen.h"

#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport::learn {
namespace {

constexpr std::uint8_t kIcmp4 = 1, kTcp = 6, kIcmp6 = 58;
constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;
constexpr std::size_t kManyClosed = 5; // ports that nobody serves, of one source
constexpr std::size_t kManyPorts = 16; // any, where it is not known what is served
constexpr std::size_t kSourcesKept = 8;
constexpr std::size_t kServedMost = 65536;
constexpr std::size_t kUnitMost = 123; // as a policy takes it

bool is_icmp(std::uint8_t proto) {
    return proto == kIcmp4 || proto == kIcmp6;
}

// Replies: whoever asked had to be allowed.
bool is_icmp_reply(const Event& event) {
    static constexpr std::array<std::uint8_t, 4> k4{0, 14, 16, 18};
    if (!event.icmp_type) return false;
    if (*event.proto == kIcmp6) return *event.icmp_type == 129;
    return *event.proto == kIcmp4 && std::ranges::find(k4, *event.icmp_type) != k4.end();
}

// A name that a rule may have, of a unit that will be called so again: scopes are numbered.
bool is_lasting_unit(const std::string& unit) {
    return unit.size() > 8 && unit.size() <= kUnitMost && unit.ends_with(".service") &&
           std::ranges::all_of(unit, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == '@' || c == ':' || c == '\\';
           });
}

// An event as its opener would tell it.
struct Told {
    Address source, destination;
    // Of what was opened, or the ICMP type; 0 for protocols without. None: it has no port that a
    // rule can name, which is port 0 or one that was not told.
    std::optional<std::uint16_t> port;
    bool is_turned = false; // the packet was an answer
};

// Of what is cut, and of answers to what was refused, the direction is that of the opening,
// whichever way the packet went.
bool is_turned(const Event& event) {
    if (!event.hook) return false;
    switch (static_cast<Direction>(*event.direction)) {
    case Direction::ingress:
        return *event.hook != SP_HOOK_XDP && *event.hook != SP_HOOK_HOLD;
    case Direction::egress:
        return *event.hook == SP_HOOK_XDP;
    case Direction::forward:
        return false;
    }
    return false;
}

Told told_of(const Event& event) {
    Told told{
        .source = *event.src, .destination = *event.dst, .port = 0, .is_turned = is_turned(event)};
    const bool is_opposite = told.is_turned && !is_icmp(*event.proto);
    if (is_opposite) std::swap(told.source, told.destination);
    if (is_icmp(*event.proto)) {
        told.port = event.icmp_type;
    } else if (has_ports(*event.proto)) {
        told.port = is_opposite ? event.src_port : event.dst_port;
        if (told.port == 0) told.port = std::nullopt;
    }
    return told;
}

} // namespace

const Served* find_served(const std::vector<Served>& served, std::uint8_t proto,
                          const Address& address, std::uint16_t port) {
    for (const Served& one : served)
        if (one.proto == proto && one.low <= port && port <= one.high &&
            (address.is_v4() ? one.v4 : one.v6) && (!one.at || *one.at == address))
            return &one;
    return nullptr;
}

void count(Aside& aside, const Event& event, const std::optional<Address>& source) {
    if (aside.events == 0) aside.first = event.at;
    aside.events += event.repeats;
    aside.last = std::max(aside.last, event.at);
    if (!source || aside.sources.contains(*source)) return;
    if (aside.sources.size() < kSourcesKept)
        aside.sources.insert(*source);
    else
        aside.has_more = true;
}

void Seen::serve(const std::vector<Served>& served) {
    knows_served_ = true;
    for (const Served& one : served)
        if (served_.size() < kServedMost && std::ranges::find(served_, one) == served_.end())
            served_.push_back(one);
}

void Seen::add_loss(std::string sentence) {
    if (std::ranges::find(losses_, sentence) == losses_.end()) losses_.push_back(sentence);
}

std::vector<std::string> Seen::losses() const {
    std::vector<std::string> all = losses_;
    if (lost_ != 0) all.push_back(fmt::format("{} events were lost on their way", lost_));
    if (gaps_ != 0) all.push_back(fmt::format("{} lines of the stream are missing", gaps_));
    if (restarts_ != 0) all.push_back("the daemon was restarted: what it did not see is missing");
    if (unreadable_ != 0) all.push_back(fmt::format("{} lines could not be read", unreadable_));
    return all;
}

// What the stream says of itself.
void Seen::follow(const Event& event) {
    if (event.seq != 0) {
        if (seq_ != 0 && event.seq > seq_ + 1) gaps_ += event.seq - seq_ - 1;
        if (event.seq <= seq_) ++restarts_;
        seq_ = event.seq;
    }
    if (event.kind == EventKind::lost) lost_ += std::max<std::uint64_t>(event.count, 1);
    if (event.kind == EventKind::policy && events_ != 0 && event.state &&
        *event.state != EventState::confirmed && *event.state != EventState::refused)
        add_loss("the policy was switched in this time: not all was judged by the one below");
    if (event.kind == EventKind::hook && event.state == EventState::lost)
        add_loss("a hook was lost for a time, and judged nothing then");
}

void Seen::add(const Event& event) {
    follow(event);
    if (event.kind == EventKind::opened && !event.rule.empty() &&
        (admitted_.contains(event.rule) || admitted_.size() < bounds_.services))
        admitted_[event.rule] += event.repeats;
    if (event.kind == EventKind::drop) drops_ += event.repeats;
    if (event.kind != EventKind::would_drop) return;
    if (events_ == 0) first_ = event.at;
    events_ += event.repeats;
    last_ = std::max(last_, event.at);
    const bool is_known =
        event.direction && *event.direction <= SP_FORWARD && event.proto && event.src && event.dst;
    if (is_known && (event.reason == SP_REASON_NO_RULE || event.reason == SP_REASON_CUT))
        return take(event);
    const Refused key{event.direction && *event.direction <= SP_FORWARD
                          ? static_cast<Direction>(*event.direction)
                          : Direction::ingress,
                      event.reason, event.rule};
    const bool has_room = refused_.contains(key) || refused_.size() < bounds_.refused;
    count(has_room ? refused_[key] : no_room_, event, remote_of(event));
}

// A datagram back of a conversation that the other end, or this one, has begun.
bool Seen::is_answer(const Event& event) const {
    if (is_icmp_reply(event)) return true;
    if (*event.proto == kTcp || !event.src_port) return false;
    const Address none{};
    switch (static_cast<Direction>(*event.direction)) {
    case Direction::ingress:
        return open_.contains({Direction::egress, *event.proto, *event.src, none, *event.src_port});
    case Direction::egress:
        return open_.contains(
            {Direction::ingress, *event.proto, *event.dst, none, *event.src_port});
    case Direction::forward:
        return open_.contains(
            {Direction::forward, *event.proto, *event.dst, *event.src, *event.src_port});
    }
    return false;
}

void Seen::take(const Event& event) {
    const auto direction = static_cast<Direction>(*event.direction);
    const Told told = told_of(event);
    const bool is_segment =
        *event.proto == kTcp && event.tcp_flags && (*event.tcp_flags & (kSyn | kAck)) != kSyn;
    // Which end of a routed connection has opened it is not told but by its first segment.
    if (is_answer(event) ||
        (direction == Direction::forward && (is_segment || event.reason == SP_REASON_CUT)))
        return;
    const bool opens = event.reason == SP_REASON_NO_RULE && !told.is_turned && !is_segment;
    if (!told.port) return set_aside(event, told.source, told.destination, opens);
    Service service{
        .direction = direction, .proto = *event.proto, .port = *told.port, .unit = {}, .user = {}};
    Peer peer{.remote = direction == Direction::egress ? told.destination : told.source,
              .to = direction == Direction::forward ? told.destination : Address{},
              .interface =
                  direction == Direction::egress || told.is_turned ? std::string() : event.iface};
    if (direction == Direction::egress) {
        if (is_lasting_unit(event.unit))
            service.unit = event.unit;
        else
            service.user = event.uid;
    }
    if (direction == Direction::ingress) {
        const bool is_served =
            !knows_served_ || !has_ports(*event.proto) ||
            find_served(served_, *event.proto, told.destination, service.port) != nullptr;
        if (opens && (!is_served || !knows_served_))
            touch(told.source, {*event.proto, service.port});
        if (!is_served) {
            const Port port{*event.proto, service.port};
            const bool has_room = closed_.contains(port) || closed_.size() < bounds_.closed_ports;
            if (opens) count(has_room ? closed_[port] : no_room_, event, told.source);
            return;
        }
    }
    put(service, peer, event, opens);
}

void Seen::set_aside(const Event& event, const Address& source, const Address& destination,
                     bool opens) {
    const auto direction = static_cast<Direction>(*event.direction);
    // Nobody serves port 0: who asks for it, probes.
    if (direction == Direction::ingress && opens && event.dst_port == 0 && has_ports(*event.proto))
        touch(source, {*event.proto, 0});
    count(portless_[{direction, *event.proto}], event,
          direction == Direction::egress ? destination : source);
}

void Seen::touch(const Address& source, Port port) {
    if (touched_.size() >= bounds_.touching && !touched_.contains(source)) return;
    std::set<Port>& ports = touched_[source];
    if (ports.size() < (knows_served_ ? kManyClosed : kManyPorts)) ports.insert(port);
}

bool Seen::is_scanner(const Address& source) const {
    const auto at = touched_.find(source);
    return at != touched_.end() && at->second.size() >= (knows_served_ ? kManyClosed : kManyPorts);
}

void Seen::put(const Service& service, const Peer& peer, const Event& event, bool opens) {
    auto of = services_.find(service);
    if (of == services_.end()) {
        if (services_.size() >= bounds_.services || peers_ >= bounds_.peers)
            return count(no_room_, event, peer.remote);
        of = services_.emplace(service, Peers{}).first;
    }
    Peers& peers = of->second;
    auto at = peers.find(peer);
    // Its answers, and what runs already, do not name the interface.
    if (at == peers.end() && peer.interface.empty()) {
        const auto near = peers.lower_bound(peer);
        if (near != peers.end() && near->first.remote == peer.remote && near->first.to == peer.to)
            at = near;
    }
    if (at == peers.end()) {
        if (peers.size() >= bounds_.peers_each) return count(crowds_[service], event, peer.remote);
        if (peers_ >= bounds_.peers) return count(no_room_, event, peer.remote);
        ++peers_;
        at = peers.emplace(peer, Tally{}).first;
        at->second.first = event.at;
        open_.insert({service.direction, service.proto, peer.remote, peer.to, service.port});
    }
    Tally& tally = at->second;
    (opens ? tally.events : tally.running) += event.repeats;
    tally.is_asked_twice =
        tally.is_asked_twice || event.hook == SP_HOOK_CONNECT || event.hook == SP_HOOK_SENDMSG;
    tally.is_exfil = tally.is_exfil || event.exfil;
    tally.first = std::min(tally.first, event.at);
    tally.last = std::max(tally.last, event.at);
    if (tally.comm.empty()) tally.comm = event.comm;
    if (tally.cgroup.empty()) tally.cgroup = event.cgroup;
    if (!tally.uid) tally.uid = event.uid;
}

} // namespace sallyport::learn
