// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where published events go. A sink never blocks and never fails its caller:
// what it cannot take it counts.
#include "event/capture.h"
#include "event/event.h"

#include <string>

namespace sallyport {

class EventSink {
  public:
    EventSink() = default;
    EventSink(const EventSink&) = delete;
    EventSink& operator=(const EventSink&) = delete;
    virtual ~EventSink() = default;
    // `line` is the event as to_json_line() writes it, made once for all sinks, without what only
    // root may read (for_everybody()).
    virtual void take(const Event& event, const std::string& line) = 0;
};

// Where packets go that an event is about, each of them, however many are alike.
class PacketSink {
  public:
    PacketSink() = default;
    PacketSink(const PacketSink&) = delete;
    PacketSink& operator=(const PacketSink&) = delete;
    virtual ~PacketSink() = default;
    // The event has its names, and no number of its own.
    virtual void take_packet(Event event, Capture capture) = 0;
    // A `lost` event about packets.
    virtual void take_packet_loss(Event event) = 0;
};

} // namespace sallyport
