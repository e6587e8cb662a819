// SPDX-License-Identifier: Apache-2.0
#include "event/recent.h"

#include "sallyport/abi/types.h"

#include <algorithm>

namespace sallyport {
namespace {

std::size_t cost_of(const Recent::Kept& kept) {
    std::size_t bytes = sizeof kept + kept.event.cmdline.size() + kept.event.exe.size() +
                        kept.event.cgroup.size() + kept.event.detail.size();
    if (kept.capture) bytes += kept.capture->bytes.size();
    if (kept.line) bytes += kept.line->size();
    if (kept.whole) bytes += kept.whole->size();
    return bytes;
}

} // namespace

void Recent::keep(Kept kept, std::chrono::steady_clock::time_point now) {
    const bool is_arrival = kept.event.direction == SP_INGRESS && is_about_packet(kept.event);
    Lane& lane = lanes_[is_arrival ? 0 : 1];
    kept.number = ++last_;
    kept.at = now;
    kept.bytes = cost_of(kept);
    lane.bytes += kept.bytes;
    lane.kept.push_back(std::move(kept));
    while (lane.bytes > most_bytes_) {
        lane.bytes -= lane.kept.front().bytes;
        lane.kept.pop_front();
        ++lane.gone;
    }
}

Recent::Place Recent::since(std::chrono::steady_clock::time_point from) const {
    Place place;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const Lane& lane = lanes_[i];
        const auto first = std::ranges::lower_bound(lane.kept, from, {}, &Kept::at);
        place.at[i] = lane.gone + static_cast<std::uint64_t>(first - lane.kept.begin());
    }
    return place;
}

Recent::Step Recent::next(Place& place) const {
    Step step;
    std::size_t from = 0;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const Lane& lane = lanes_[i];
        if (place.at[i] < lane.gone) {
            step.missed += lane.gone - place.at[i];
            place.at[i] = lane.gone;
        }
        const std::uint64_t at = place.at[i] - lane.gone;
        if (at >= lane.kept.size()) continue;
        const Kept& kept = lane.kept[static_cast<std::size_t>(at)];
        if (step.kept != nullptr && step.kept->number < kept.number) continue;
        step.kept = &kept;
        from = i;
    }
    if (step.kept != nullptr) ++place.at[from];
    return step;
}

} // namespace sallyport
