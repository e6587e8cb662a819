// SPDX-License-Identifier: Apache-2.0
#include "event/limited.h"

#include "sallyport/abi/reason.h"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::chrono::nanoseconds kLeastQuiet = std::chrono::seconds(10);

// As the programs count: behind NAT64 each address is a source, whatever the width.
Prefix source_of(const Address& address, SourceWidth width) {
    static const Prefix kNat64 = prefix_of(Address{{0, 0x64, 0xff, 0x9b}}, 96);
    if (address.is_v4()) return prefix_of(address, 96u + width.prefix4);
    return prefix_of(address, kNat64.covers(address) ? 128u : width.prefix6);
}

Event begin_of(const Event& refusal) {
    Event event;
    event.at = refusal.at;
    event.kind = EventKind::limit;
    event.state = EventState::begins;
    event.direction = refusal.direction;
    event.generation = refusal.generation;
    if (refusal.kind == EventKind::would_drop) event.detail = "observed only, nothing is refused";
    return event;
}

} // namespace

Limited::Limited(std::chrono::nanoseconds repeat, std::size_t max_sources, std::size_t max_begins)
    : quiet_(std::max(repeat, kLeastQuiet)), max_sources_(max_sources), max_begins_(max_begins) {}

void Limited::set_repeat(std::chrono::nanoseconds repeat) {
    quiet_ = std::max(repeat, kLeastQuiet);
}

bool Limited::is_refusal(const Event& event) {
    return event.reason == SP_REASON_OVER_LIMIT && event.src &&
           (event.kind == EventKind::drop || event.kind == EventKind::would_drop);
}

bool Limited::has_room(SteadyTime now) {
    if (now - begins_since_ >= quiet_) {
        begins_since_ = now;
        begins_ = 0;
    }
    if (begins_ >= max_begins_ || index_.size() >= max_sources_) return false;
    ++begins_;
    return true;
}

std::optional<Event> Limited::add(const Event& event, SourceWidth width, SteadyTime now) {
    if (!is_refusal(event)) return std::nullopt;
    Key key{event.rule, source_of(*event.src, width)};
    auto known = index_.find(key);
    const bool is_beyond = known == index_.end() && !has_room(now);
    if (is_beyond) {
        key = {};
        known = index_.find(key);
    }
    std::optional<Event> begins;
    if (known == index_.end()) {
        begins = begin_of(event);
        if (is_beyond) {
            begins->direction.reset();
            begins->detail = "more sources than are told one by one";
        } else {
            begins->rule = event.rule;
            begins->src = event.src;
            begins->network = key.second;
        }
        line_.push_back({.key = key, .told = *begins, .last = now, .last_at = event.at});
        known = index_.emplace(std::move(key), std::prev(line_.end())).first;
    }
    Held& held = *known->second;
    held.last = now;
    held.last_at = event.at;
    held.count += event.repeats;
    line_.splice(line_.end(), line_, known->second);
    return begins;
}

Event Limited::release(Line::iterator held) {
    Event ends = std::move(held->told);
    ends.state = EventState::ends;
    ends.at = held->last_at;
    ends.count = held->count;
    index_.erase(held->key);
    line_.erase(held);
    return ends;
}

std::vector<Event> Limited::due(SteadyTime now) {
    std::vector<Event> out;
    while (!line_.empty() && now - line_.front().last >= quiet_)
        out.push_back(release(line_.begin()));
    return out;
}

std::vector<Event> Limited::flush() {
    std::vector<Event> out;
    while (!line_.empty()) out.push_back(release(line_.begin()));
    return out;
}

} // namespace sallyport
