// SPDX-License-Identifier: Apache-2.0
#pragma once
// Repeats of the same thing become one line with a count. The first is let
// through at once; what follows within `repeat` is counted and let out as one
// event (the latest of them, `repeats` how many) when the time is up, and so
// on while it goes on. When a time passes with nothing, the thing is forgotten.
//
// The same thing: kind, direction, remote address, protocol, destination port
// (or ICMP type), reason, and for egress the process. Only drop and would-drop
// are folded; the rest passes as it is.
#include "event/event.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport {

using SteadyTime = std::chrono::steady_clock::time_point;

class Fold {
  public:
    // repeat 0: nothing is folded. Holds max_keys things at most; when full, the
    // oldest is let out early.
    explicit Fold(std::chrono::nanoseconds repeat, std::size_t max_keys = 65536);

    // What is to be published now, in order: none, the event itself, or before
    // it a count that had to make room.
    [[nodiscard]] std::vector<Event> add(Event event, SteadyTime now);
    // The counts whose time is up.
    [[nodiscard]] std::vector<Event> due(SteadyTime now);
    // When due() has something to do next; nullopt: nothing is held.
    [[nodiscard]] std::optional<SteadyTime> next_deadline() const;
    // Everything held, for a clean end; empty afterwards.
    [[nodiscard]] std::vector<Event> flush();
    // For what is added from now on.
    void set_repeat(std::chrono::nanoseconds repeat) { repeat_ = repeat; }

    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] std::uint64_t folded() const { return folded_; } // events held back, ever

  private:
    struct Key {
        std::uint16_t kind = 0;
        std::uint8_t direction = 0, reason = 0, proto = 0;
        bool exfil = false;
        std::uint16_t port = 0;
        Address remote;
        std::uint32_t pid = 0;
        std::uint64_t cgroup_id = 0;
        std::string comm; // only when the pid is not known
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };
    struct Held {
        Key key;
        SteadyTime until;
        std::uint64_t count = 0;     // since the last line
        std::unique_ptr<Event> last; // null while count is 0: a flood of strangers stays small
    };
    using Line = std::list<Held>; // by deadline, the next one first
    static Key key_of(const Event& event);
    void insert_by_deadline(Held held);
    // Forgets it; its count, if there is one.
    std::optional<Event> release(Line::iterator held);

    std::chrono::nanoseconds repeat_;
    std::size_t max_keys_;
    Line line_;
    std::unordered_map<Key, Line::iterator, KeyHash> index_;
    std::uint64_t folded_ = 0;
};

} // namespace sallyport
