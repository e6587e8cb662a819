// SPDX-License-Identifier: Apache-2.0
#pragma once
// Equivalence classes by signature: what is described by the same words is the
// same class. Classes are numbered from 0 in the order they are first seen, so
// equal input makes equal numbers. 0 is the empty signature from the start:
// that which no rule sees.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

class Interner {
  public:
    Interner();
    // The number of these words. They may not lie in this interner.
    std::uint32_t id_of(std::span<const std::uint32_t> words);
    // As id_of, but zeros at the end do not count: a row of nothing is class 0.
    std::uint32_t id_of_row(std::span<const std::uint32_t> row);
    // Valid until the next id_of.
    [[nodiscard]] std::span<const std::uint32_t> at(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(hashes_.size()); }
    // Words held in all; what its memory is bounded by.
    [[nodiscard]] std::size_t words() const { return words_.size(); }

  private:
    [[nodiscard]] std::size_t slot_of(std::uint32_t hash) const;
    void grow();

    std::vector<std::uint32_t> words_;
    std::vector<std::size_t> starts_;    // size() + 1
    std::vector<std::uint32_t> hashes_;  // by id
    std::vector<std::uint32_t> buckets_; // open addressing: id + 1, 0 is free; a power of two
};

} // namespace sallyport
