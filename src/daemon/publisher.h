// SPDX-License-Identifier: Apache-2.0
#pragma once
// From the ring to the readers: decode, name, fold, number, hand to every sink.
#include "daemon/owner.h"
#include "daemon/seen_names.h"
#include "daemon/sightings.h"
#include "event/event.h"
#include "event/fold.h"
#include "event/limited.h"
#include "event/sink.h"
#include "kernel/counters.h"
#include "sallyport/abi/packet_socket.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

class Wall;
struct HookNews;
struct BanNews;

class Publisher {
  public:
    Publisher(const Wall& wall, OwnerNames owners, std::chrono::seconds repeat);

    // Not owned; they outlive the publisher.
    void add_sink(EventSink* sink) { sinks_.push_back(sink); }
    void set_repeat(std::chrono::seconds repeat) {
        fold_.set_repeat(repeat);
        limited_.set_repeat(repeat);
    }

    void tell_command_lines(bool wanted) { owners_.tell_command_lines(wanted); }
    void tell_names(bool wanted);
    // A record of the ring of answers, before those of the events that may be about them.
    void take_answer(std::span<const std::byte> record);
    // A record of the ring.
    void take_record(std::span<const std::byte> record);
    // A record of the ring of captures.
    void take_capture(std::span<const std::byte> record);
    // Not owned; it outlives the publisher.
    void set_packet_sink(PacketSink* sink) { packets_ = sink; }
    // The counts whose time is up, and what the kernel had to lose since the last call.
    void tick(const Counters& counters);
    // Everything held back, for a clean end.
    void flush();
    // What the kernel had to lose since it was last told.
    void say_losses(const Counters& counters);
    // What was lost before this daemon came is not this daemon's news.
    void forget_losses(const Counters& counters);

    void say_policy(EventState state, const std::string& detail);
    void say_hook(const HookNews& news);
    void say_ban(const BanNews& news);
    // A held packet socket as an event, with names.
    [[nodiscard]] Event socket_event(const sp_found_socket& socket);
    void say_socket(const Event& event) { publish(event); }

    [[nodiscard]] std::uint64_t folded() const { return fold_.folded(); }

  private:
    void publish(Event event);
    void show(Sighting sighting);
    void say_lost_packets(std::uint64_t total);
    void say_lost(LostBy by, std::uint64_t total, std::uint64_t& told);
    [[nodiscard]] Event named(Event event);
    void name_ends(Event& event) const;
    void say_limited(const Event& refusal, SteadyTime now);

    const Wall& wall_;
    OwnerNames owners_;
    SeenNames names_;
    bool tell_names_ = true;
    Fold fold_;
    Limited limited_;
    std::vector<EventSink*> sinks_;
    Sightings sightings_;
    PacketSink* packets_ = nullptr;
    std::string host_;
    std::uint64_t host_netns_ = 0;
    std::uint64_t seq_ = 0;
    std::uint64_t told_full_ = 0;
    std::uint64_t told_rate_ = 0;
    std::uint64_t told_packets_ = 0;
    SteadyTime lost_said_{};
};

} // namespace sallyport
