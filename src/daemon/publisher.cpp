// SPDX-License-Identifier: Apache-2.0
#include "daemon/publisher.h"

#include "daemon/wall.h"
#include "event/decode.h"
#include "event/json.h"
#include "kernel/namespaces.h"
#include "sallyport/abi/event.h"

#include <cstring>
#include <ctime>
#include <unistd.h>

namespace sallyport {
namespace {

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

// Records bear CLOCK_MONOTONIC; asked each time, so that a stepped clock is followed.
std::chrono::nanoseconds monotonic_to_wall() {
    timespec wall{};
    timespec monotonic{};
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return std::chrono::seconds(wall.tv_sec - monotonic.tv_sec) +
           std::chrono::nanoseconds(wall.tv_nsec - monotonic.tv_nsec);
}

WallTime now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

} // namespace

Publisher::Publisher(const Wall& wall, OwnerNames owners, std::chrono::seconds repeat)
    : wall_(wall), owners_(std::move(owners)), fold_(repeat), limited_(repeat), host_(host_name()),
      host_netns_(netns_cookie().value_or(0)) {}

Event Publisher::named(Event event) {
    if (event.ifindex != 0 && event.hook != SP_HOOK_CGROUP)
        event.iface = wall_.interface_name(event.ifindex);
    // An index of another namespace would name the wrong interface.
    if (event.hook == SP_HOOK_CGROUP && event.ifindex != 0 && !event.pid)
        event.iface = wall_.interface_name(event.ifindex);
    event.rule = wall_.rule_name(event.generation, event.rule_number);
    name_ends(event);
    return owners_.complete(std::move(event));
}

// The ends that may be somebody else's: of what is routed both.
void Publisher::name_ends(Event& event) const {
    if (!tell_names_) return;
    const SteadyTime at = std::chrono::steady_clock::now();
    if (event.dst && event.direction != SP_INGRESS) event.dst_name = names_.name_of(*event.dst, at);
    if (event.src && event.direction != SP_EGRESS) event.src_name = names_.name_of(*event.src, at);
}

void Publisher::tell_names(bool wanted) {
    tell_names_ = wanted;
    if (!wanted) names_.forget_all();
}

void Publisher::take_answer(std::span<const std::byte> record) {
    if (tell_names_) names_.take_record(record);
}

void Publisher::take_record(std::span<const std::byte> record) {
    Result<Event> event = decode_event(record, monotonic_to_wall());
    if (!event) return; // of a program newer than this daemon; its counters still tell
    if (std::optional<Sighting> seen = sightings_.add(*event)) show(*std::move(seen));
    // Named before it is folded: the process may be gone when the count comes.
    const SteadyTime at = std::chrono::steady_clock::now();
    if (Limited::is_refusal(*event)) say_limited(*event, at);
    for (Event& ready : fold_.add(*std::move(event), at)) publish(named(std::move(ready)));
}

void Publisher::take_capture(std::span<const std::byte> record) {
    Result<Capture> capture = decode_capture(record);
    if (!capture) return;
    if (std::optional<Sighting> seen = sightings_.add(*std::move(capture))) show(*std::move(seen));
}

void Publisher::show(Sighting sighting) {
    if (packets_ == nullptr) return;
    Event event = named(std::move(sighting.event));
    event.host = host_;
    packets_->take_packet(std::move(event), std::move(sighting.capture));
}

void Publisher::say_lost_packets(std::uint64_t total) {
    if (total <= told_packets_ || packets_ == nullptr) return;
    Event event;
    event.at = now();
    event.host = host_;
    event.kind = EventKind::lost;
    event.lost_by = LostBy::ring_full;
    event.count = total - told_packets_;
    told_packets_ = total;
    packets_->take_packet_loss(std::move(event));
}

void Publisher::say_limited(const Event& refusal, SteadyTime at) {
    Event event = refusal;
    event.rule = wall_.rule_name(refusal.generation, refusal.rule_number);
    std::optional<Event> begins = limited_.add(event, wall_.source_width(event.rule), at);
    if (begins) publish(*std::move(begins));
}

void Publisher::publish(Event event) {
    event.seq = ++seq_;
    event.host = host_;
    const std::string line = to_json_line(event.cmdline.empty() ? event : for_everybody(event));
    for (EventSink* sink : sinks_) sink->take(event, line);
}

void Publisher::say_lost(LostBy by, std::uint64_t total, std::uint64_t& told) {
    if (total <= told) return;
    Event event;
    event.at = now();
    event.kind = EventKind::lost;
    event.lost_by = by;
    event.count = total - told;
    told = total;
    publish(std::move(event));
}

void Publisher::tick(const Counters& counters) {
    const SteadyTime at = std::chrono::steady_clock::now();
    for (Event& ready : fold_.due(at)) publish(named(std::move(ready)));
    for (Event& ready : limited_.due(at)) publish(std::move(ready));
    if (at - lost_said_ < std::chrono::seconds(1)) return;
    lost_said_ = at;
    say_losses(counters);
}

void Publisher::forget_losses(const Counters& counters) {
    told_full_ = counters.counts[SP_COUNT_EVENTS_LOST];
    told_rate_ = counters.counts[SP_COUNT_EVENTS_HELD];
    told_packets_ = counters.counts[SP_COUNT_CAPTURES_LOST];
}

void Publisher::say_losses(const Counters& counters) {
    say_lost(LostBy::ring_full, counters.counts[SP_COUNT_EVENTS_LOST], told_full_);
    say_lost(LostBy::over_rate, counters.counts[SP_COUNT_EVENTS_HELD], told_rate_);
    say_lost_packets(counters.counts[SP_COUNT_CAPTURES_LOST]);
}

void Publisher::flush() {
    for (Event& ready : fold_.flush()) publish(named(std::move(ready)));
    for (Event& ready : limited_.flush()) publish(std::move(ready));
}

void Publisher::say_policy(EventState state, const std::string& detail) {
    Event event;
    event.at = now();
    event.kind = EventKind::policy;
    event.state = state;
    event.file = wall_.enforced().file;
    event.sha256 = wall_.enforced().sha256;
    event.generation = wall_.enforced().generation;
    event.detail = detail;
    publish(std::move(event));
}

void Publisher::say_hook(const HookNews& news) {
    Event event;
    event.at = now();
    event.kind = EventKind::hook;
    event.state = news.state;
    event.iface = news.iface;
    event.detail = news.why.empty() ? news.hook : news.hook + ": " + news.why;
    event.generation = wall_.enforced().generation;
    publish(std::move(event));
}

void Publisher::say_ban(const BanNews& news) {
    Event event;
    event.at = now();
    event.kind = news.banned ? EventKind::ban : EventKind::unban;
    event.network = news.network;
    // For who filters by address.
    if (news.network && news.network->length == 128) event.src = news.network->base;
    event.origin = news.origin;
    if (news.duration)
        event.seconds = static_cast<std::uint64_t>((news.duration->count() + 999) / 1000);
    event.count = news.network ? 0 : news.count;
    event.detail = news.detail;
    publish(std::move(event));
}

Event Publisher::socket_event(const sp_found_socket& socket) {
    Event event;
    event.at = now();
    event.kind = EventKind::socket;
    event.state = EventState::found;
    event.direction = SP_EGRESS;
    event.hook = SP_HOOK_SOCKET;
    event.socket_family = socket.family;
    event.qdisc_bypass = socket.bypass == SP_BYPASS_YES;
    event.ethertype = socket.protocol;
    event.pid = socket.pid;
    event.uid = socket.uid;
    event.comm.assign(socket.comm, strnlen(socket.comm, sizeof socket.comm));
    event.cgroup_id = socket.cgroup;
    event.generation = wall_.enforced().generation;
    if (socket.netns == host_netns_)
        event.iface = wall_.interface_name(socket.ifindex);
    else
        event.detail = "in another network namespace";
    return owners_.complete(std::move(event));
}

} // namespace sallyport
