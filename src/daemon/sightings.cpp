// SPDX-License-Identifier: Apache-2.0
#include "daemon/sightings.h"

#include "sallyport/abi/event.h"

namespace sallyport {
namespace {

// The others' events are of no packet, or of one that is not kept.
bool has_capture(const Event& event) {
    return event.hook == SP_HOOK_XDP || event.hook == SP_HOOK_CGROUP || event.hook == SP_HOOK_TC ||
           event.hook == SP_HOOK_FORWARD;
}

} // namespace

std::size_t Sightings::Hash::operator()(const Stamp& stamp) const {
    return static_cast<std::size_t>((stamp.at_ns ^ std::uint64_t{stamp.cpu} << 48) *
                                    0x9e3779b97f4a7c15ull);
}

void Sightings::remember(const Stamp& stamp, Half half) {
    if (!halves_.insert_or_assign(stamp, std::move(half)).second) return;
    order_.push_back(stamp);
    while (order_.size() > most_) {
        halves_.erase(order_.front());
        order_.pop_front();
    }
}

std::optional<Sighting> Sightings::add(const Event& event) {
    if (!has_capture(event) || event.stamp.at_ns == 0) return std::nullopt;
    const auto known = halves_.find(event.stamp);
    if (known == halves_.end() || !known->second.capture) {
        remember(event.stamp, {.event = event, .capture = std::nullopt});
        return std::nullopt;
    }
    Sighting both{.event = event, .capture = std::move(*known->second.capture)};
    halves_.erase(known);
    return both;
}

std::optional<Sighting> Sightings::add(Capture capture) {
    const auto known = halves_.find(capture.stamp);
    if (known == halves_.end() || !known->second.event) {
        const Stamp stamp = capture.stamp;
        remember(stamp, {.event = std::nullopt, .capture = std::move(capture)});
        return std::nullopt;
    }
    Sighting both{.event = std::move(*known->second.event), .capture = std::move(capture)};
    halves_.erase(known);
    return both;
}

} // namespace sallyport
