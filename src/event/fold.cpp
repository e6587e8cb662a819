// SPDX-License-Identifier: Apache-2.0
// A list in the order of deadlines and an index into it. A thing costs memory
// from its first event until a time has passed without one.
#include "event/fold.h"

#include "sallyport/abi/types.h"

#include <functional>

namespace sallyport {

std::size_t Fold::KeyHash::operator()(const Key& key) const {
    const auto mix = [](std::uint64_t hash, std::uint64_t word) {
        hash ^= word + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
        return hash * 0xd6e8feb86659fd93ull;
    };
    std::uint64_t hash = static_cast<std::uint64_t>(key.kind) << 48 |
                         static_cast<std::uint64_t>(key.direction) << 40 |
                         static_cast<std::uint64_t>(key.reason) << 32 |
                         static_cast<std::uint64_t>(key.proto) << 24 | (key.exfil ? 1u << 16 : 0u) |
                         key.port;
    for (const std::size_t half : {0u, 8u}) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 8; ++i) word = word << 8 | key.remote.bytes[half + i];
        hash = mix(hash, word);
    }
    hash = mix(hash, key.pid);
    hash = mix(hash, key.cgroup_id);
    return static_cast<std::size_t>(mix(hash, std::hash<std::string>{}(key.comm)));
}

Fold::Fold(std::chrono::nanoseconds repeat, std::size_t max_keys)
    : repeat_(repeat), max_keys_(max_keys) {}

Fold::Key Fold::key_of(const Event& event) {
    Key key;
    key.kind = static_cast<std::uint16_t>(event.kind);
    key.direction = event.direction.value_or(0xff);
    key.reason = event.reason;
    key.proto = event.proto.value_or(0xff);
    key.exfil = event.exfil;
    key.port = event.dst_port.value_or(event.icmp_type.value_or(0));
    if (event.socket_family != 0) key.port = event.socket_family; // of a socket: it has no port
    key.remote = remote_of(event).value_or(Address{});
    if (event.direction != SP_EGRESS) return key;
    if (event.pid)
        key.pid = *event.pid;
    else {
        key.cgroup_id = event.cgroup_id;
        key.comm = event.comm;
    }
    return key;
}

// Nearly always at the end: the time is the same for all unless a reload changed it.
void Fold::insert_by_deadline(Held held) {
    auto place = line_.end();
    while (place != line_.begin() && std::prev(place)->until > held.until) --place;
    const auto at = line_.insert(place, std::move(held));
    index_[at->key] = at;
}

std::vector<Event> Fold::add(Event event, SteadyTime now) {
    std::vector<Event> out;
    const bool is_folded_kind =
        event.kind == EventKind::drop || event.kind == EventKind::would_drop;
    if (!is_folded_kind || repeat_.count() <= 0) {
        out.push_back(std::move(event));
        return out;
    }
    const Key key = key_of(event);
    const auto known = index_.find(key);
    if (known != index_.end() && now < known->second->until) {
        known->second->count += event.repeats;
        known->second->last = std::make_unique<Event>(std::move(event));
        ++folded_;
        return out;
    }
    if (known != index_.end()) {
        if (auto count = release(known->second)) out.push_back(std::move(*count));
    } else if (index_.size() >= max_keys_ && !line_.empty()) {
        if (auto count = release(line_.begin())) out.push_back(std::move(*count));
    }
    out.push_back(std::move(event));
    if (max_keys_ != 0)
        insert_by_deadline({.key = key, .until = now + repeat_, .count = 0, .last = nullptr});
    return out;
}

std::optional<Event> Fold::release(Line::iterator held) {
    std::optional<Event> count;
    if (held->last != nullptr) {
        count = std::move(*held->last);
        count->repeats = held->count;
    }
    index_.erase(held->key);
    line_.erase(held);
    return count;
}

std::vector<Event> Fold::due(SteadyTime now) {
    std::vector<Event> out;
    // A thing that goes on starts another time from now, behind all that are
    // due, so that the loop ends.
    while (!line_.empty() && line_.front().until <= now) {
        Key key = line_.front().key;
        auto count = release(line_.begin());
        if (!count) continue;
        out.push_back(std::move(*count));
        if (repeat_.count() > 0)
            insert_by_deadline(
                {.key = std::move(key), .until = now + repeat_, .count = 0, .last = nullptr});
    }
    return out;
}

std::optional<SteadyTime> Fold::next_deadline() const {
    if (line_.empty()) return std::nullopt;
    return line_.front().until;
}

std::vector<Event> Fold::flush() {
    std::vector<Event> out;
    while (!line_.empty())
        if (auto count = release(line_.begin())) out.push_back(std::move(*count));
    return out;
}

} // namespace sallyport
