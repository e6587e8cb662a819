// SPDX-License-Identifier: Apache-2.0
#include "drift/entries.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <numeric>

namespace sallyport::drift {
namespace {

std::uint32_t word_at(const std::byte* at) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

bool is_zero(const std::byte* at, std::size_t size) {
    return std::all_of(at, at + size, [](std::byte b) { return b == std::byte{0}; });
}

} // namespace

void Differences::note(std::size_t& kind, const std::string& line) {
    kind++;
    if (shown.size() < kShown) shown.push_back(line);
}

std::vector<Finding> finding_of(const std::string& map, const Differences& found,
                                const std::string& next) {
    if (found.count() == 0) return {};
    return {Finding{.id = "map",
                    .about = map,
                    .level = Level::drift,
                    .text = fmt::format("{} entries are missing, {} are too many, {} have another "
                                        "value than the policy in force gives them",
                                        found.missing, found.extra, found.different),
                    .details = found.shown,
                    .more = found.count() - found.shown.size(),
                    .next = next}};
}

std::string first_difference(const std::byte* have, const std::byte* want, std::size_t size) {
    std::size_t at = 0;
    for (; at + 4 <= size; at += 4)
        if (word_at(have + at) != word_at(want + at))
            return fmt::format("word {} is {} instead of {}", at / 4, word_at(have + at),
                               word_at(want + at));
    for (; at < size; at++)
        if (have[at] != want[at])
            return fmt::format("byte {} is {} instead of {}", at, static_cast<unsigned>(have[at]),
                               static_cast<unsigned>(want[at]));
    return "nothing";
}

void ArrayCheck::take(const std::byte* keys, const std::byte* values, std::size_t count) {
    for (std::size_t i = 0; i < count; i++) {
        const std::uint32_t key = word_at(keys + i * 4);
        const std::byte* value = values + i * size_;
        if (key < first_ || key >= end_) continue;
        found_.seen++;
        const std::size_t at = key - first_;
        if (at >= count_) {
            if (!is_zero(value, size_))
                found_.note(found_.extra, fmt::format("too many: entry {}", key));
            continue;
        }
        taken_++;
        const std::byte* want = wanted_ + at * size_;
        if (std::memcmp(value, want, size_) != 0)
            found_.note(found_.different, fmt::format("different: entry {}: {}", key,
                                                      first_difference(value, want, size_)));
    }
}

Differences ArrayCheck::finish() {
    // An array has all its entries: only a smaller one lacks some.
    if (taken_ < count_) {
        found_.note(found_.missing,
                    fmt::format("missing: entries {} to {}", first_ + taken_, first_ + count_ - 1));
        found_.missing += count_ - taken_ - 1;
    }
    return std::move(found_);
}

PairsCheck::PairsCheck(const std::byte* pairs, std::size_t count, std::size_t key_size, Name name,
                       std::string value)
    : pairs_(pairs), key_size_(key_size), name_(std::move(name)), value_(std::move(value)),
      order_(count), met_(count) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::ranges::sort(order_, [this](std::uint32_t a, std::uint32_t b) {
        return std::memcmp(key_at(a), key_at(b), key_size_) < 0;
    });
}

const std::byte* PairsCheck::key_at(std::uint32_t place) const {
    return pairs_ + place * (key_size_ + sizeof(std::uint32_t));
}

void PairsCheck::take(const std::byte* keys, const std::byte* values, std::size_t count) {
    for (std::size_t i = 0; i < count; i++) {
        found_.seen++;
        const std::byte* key = keys + i * key_size_;
        const std::uint32_t have = word_at(values + i * sizeof(std::uint32_t));
        const auto at =
            std::lower_bound(order_.begin(), order_.end(), key,
                             [this](std::uint32_t place, const std::byte* wanted) {
                                 return std::memcmp(key_at(place), wanted, key_size_) < 0;
                             });
        if (at == order_.end() || std::memcmp(key_at(*at), key, key_size_) != 0) {
            found_.note(found_.extra, fmt::format("too many: {}, {} {}", name_(key), value_, have));
            continue;
        }
        met_[static_cast<std::size_t>(at - order_.begin())] = true;
        const std::uint32_t want = word_at(key_at(*at) + key_size_);
        if (have != want)
            found_.note(found_.different, fmt::format("different: {}: {} {} instead of {}",
                                                      name_(key), value_, have, want));
    }
}

Differences PairsCheck::finish() {
    for (std::size_t i = 0; i < order_.size(); i++)
        if (!met_[i])
            found_.note(found_.missing,
                        fmt::format("missing: {}, {} {}", name_(key_at(order_[i])), value_,
                                    word_at(key_at(order_[i]) + key_size_)));
    return std::move(found_);
}

} // namespace sallyport::drift
