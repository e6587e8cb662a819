// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is limited, out of the refusals of limits: a `limit` event when a source's first new
// connection is refused by a rule, and one with the count when none was for a while.
//
// A flood from many sources must not become a flood of these: at most `max_sources` are
// followed, and at most `max_begins` of them are told within a quiet time. What is beyond
// is one more source, without an address and a rule, until nothing is beyond for a while.
#include "event/event.h"
#include "event/fold.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// What of an address is a source.
struct SourceWidth {
    std::uint8_t prefix4 = 32;
    std::uint8_t prefix6 = 64;
};

class Limited {
  public:
    // A source is limited no longer when nothing of it was refused for [events] repeat, and
    // for no less than 10 s.
    explicit Limited(std::chrono::nanoseconds repeat, std::size_t max_sources = 4096,
                     std::size_t max_begins = 256);
    void set_repeat(std::chrono::nanoseconds repeat);

    // Is it a refusal of a limit? Of anything else add() makes nothing.
    [[nodiscard]] static bool is_refusal(const Event& event);
    // `event` bears its rule's name. What is to be published before it: that somebody begins
    // to be limited, or nothing.
    [[nodiscard]] std::optional<Event> add(const Event& event, SourceWidth width, SteadyTime now);
    // Those that have ceased to be. Each bears the time of the last refusal.
    [[nodiscard]] std::vector<Event> due(SteadyTime now);
    // All, for a clean end; empty afterwards.
    [[nodiscard]] std::vector<Event> flush();

    [[nodiscard]] std::size_t size() const { return index_.size(); }

  private:
    using Key = std::pair<std::string, std::optional<Prefix>>; // rule, source; none: what is beyond
    struct Held {
        Key key;
        Event told; // as it began
        SteadyTime last;
        WallTime last_at;
        std::uint64_t count = 0;
    };
    using Line = std::list<Held>; // the one whose last refusal is the oldest first
    [[nodiscard]] bool has_room(SteadyTime now);
    [[nodiscard]] Event release(Line::iterator held);

    std::chrono::nanoseconds quiet_;
    std::size_t max_sources_;
    std::size_t max_begins_;
    std::size_t begins_ = 0; // since begins_since_
    SteadyTime begins_since_{};
    Line line_;
    std::map<Key, Line::iterator> index_;
};

} // namespace sallyport
