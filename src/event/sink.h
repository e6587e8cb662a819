// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where published events go. A sink never blocks and never fails its caller:
// what it cannot take it counts.
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

} // namespace sallyport
