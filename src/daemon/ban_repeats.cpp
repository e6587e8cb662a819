// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_repeats.h"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::int64_t kForgetEveryMs = 3600 * 1000;

} // namespace

std::int64_t BanRepeats::remembered_since(std::int64_t now_ms) const {
    return now_ms - Milliseconds(growth_.remember).count();
}

Milliseconds BanRepeats::grown(const BanStore& store, const BanRequest& request,
                               std::int64_t now_ms) const {
    if (!request.grows || !growth_.increment) return *request.duration;
    const Result<BanHistory> history = store.history(request.network);
    if (!history || history->times == 0 || history->last_ms < remembered_since(now_ms))
        return *request.duration;
    const std::size_t place = std::min<std::size_t>(history->times, growth_.multipliers.size() - 1);
    // What was asked for is never made shorter by the bound.
    return std::max<Milliseconds>(
        *request.duration,
        std::min<Milliseconds>(*request.duration * growth_.multipliers[place], growth_.max_time));
}

bool BanRepeats::was_answered(const BanStore& store, const BanRequest& request) {
    if (!request.written_ms) return false;
    const Result<BanHistory> history = store.count(request.origin, request.network);
    return history && history->times != 0 && history->last_ms >= *request.written_ms;
}

void BanRepeats::note(BanStore& store, const BanRequest& request, std::int64_t now_ms) {
    if (!request.grows && !request.is_counted) return;
    const auto one_more = [&](const Result<BanHistory>& read) {
        const BanHistory history = read.value_or(BanHistory{});
        return BanHistory{.times =
                              history.last_ms < remembered_since(now_ms) ? 1 : history.times + 1,
                          .last_ms = now_ms};
    };
    const std::string& origin = request.origin;
    const Prefix& network = request.network;
    if (request.grows)
        static_cast<void>(store.note_history(network, one_more(store.history(network))));
    if (request.is_counted)
        static_cast<void>(
            store.note_count(origin, network, one_more(store.count(origin, network))));
    if (now_ms < forget_at_ms_) return;
    forget_at_ms_ = now_ms + kForgetEveryMs;
    static_cast<void>(store.forget_history(remembered_since(now_ms)));
}

void BanRepeats::note_answered(BanStore& store, const BanRequest& request, std::int64_t now_ms) {
    BanHistory history =
        store.count(request.origin, request.network).value_or(BanHistory{.times = 1});
    history.last_ms = now_ms;
    static_cast<void>(store.note_count(request.origin, request.network, history));
}

void BanRepeats::each_count(const BanStore& store, const std::string& origin, std::int64_t now_ms,
                            const EachCount& call) const {
    static_cast<void>(store.each_count(origin, remembered_since(now_ms), call));
}

} // namespace sallyport
