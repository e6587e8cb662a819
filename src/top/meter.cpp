// SPDX-License-Identifier: Apache-2.0
#include "top/meter.h"

namespace sallyport::top {

void Meter::take(Passed totals, SteadyTime now) {
    const std::optional<SteadyTime> before = at_;
    const Passed last = totals_;
    at_ = now;
    totals_ = totals;
    packets_ = bytes_ = 0;
    if (!before || now <= *before) return;
    const double seconds = std::chrono::duration<double>(now - *before).count();
    if (totals.packets >= last.packets && totals.bytes >= last.bytes) {
        packets_ = static_cast<double>(totals.packets - last.packets) / seconds;
        bytes_ = static_cast<double>(totals.bytes - last.bytes) / seconds;
    }
    history_.push_back(packets_);
    if (history_.size() > kHistory) history_.pop_front();
}

} // namespace sallyport::top
