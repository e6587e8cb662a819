// SPDX-License-Identifier: Apache-2.0
// Signatures lie one after the other in one vector: a million of them cost
// their words and twelve bytes each, not an allocation each.
#include "compile/classes.h"

#include "base/result.h"

#include <algorithm>

namespace sallyport {

namespace {

std::uint32_t hash_of(std::span<const std::uint32_t> words) {
    std::uint64_t hash = words.size() * 0x9e3779b97f4a7c15u + 1;
    for (const std::uint32_t word : words) {
        hash = (hash ^ word) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
    }
    return static_cast<std::uint32_t>(hash);
}

} // namespace

Interner::Interner() : starts_{0}, buckets_(16, 0) {
    id_of({});
}

std::uint32_t Interner::id_of(std::span<const std::uint32_t> words) {
    if (hashes_.size() * 2 >= buckets_.size()) grow();
    const std::uint32_t hash = hash_of(words);
    std::size_t bucket = slot_of(hash);
    for (; buckets_[bucket] != 0; bucket = (bucket + 1) & (buckets_.size() - 1)) {
        const std::uint32_t id = buckets_[bucket] - 1;
        if (hashes_[id] == hash && std::ranges::equal(at(id), words)) return id;
    }
    SP_CHECK(hashes_.size() < UINT32_MAX - 1);
    words_.insert(words_.end(), words.begin(), words.end());
    starts_.push_back(words_.size());
    hashes_.push_back(hash);
    buckets_[bucket] = size();
    return size() - 1;
}

std::uint32_t Interner::id_of_row(std::span<const std::uint32_t> row) {
    while (!row.empty() && row.back() == 0) row = row.first(row.size() - 1);
    return id_of(row);
}

std::span<const std::uint32_t> Interner::at(std::uint32_t id) const {
    SP_CHECK(id < hashes_.size());
    return std::span(words_).subspan(starts_[id], starts_[id + 1] - starts_[id]);
}

std::size_t Interner::slot_of(std::uint32_t hash) const {
    return hash & (buckets_.size() - 1);
}

void Interner::grow() {
    buckets_.assign(buckets_.size() * 2, 0);
    for (std::uint32_t id = 0; id < size(); ++id) {
        std::size_t bucket = slot_of(hashes_[id]);
        while (buckets_[bucket] != 0) bucket = (bucket + 1) & (buckets_.size() - 1);
        buckets_[bucket] = id + 1;
    }
}

} // namespace sallyport
