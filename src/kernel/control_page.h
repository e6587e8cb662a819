// SPDX-License-Identifier: Apache-2.0
#pragma once
// The control word in this process, shared with the programs: one page, mapped.
#include "base/result.h"

#include <cstddef>
#include <cstdint>

namespace sallyport {

class ControlPage {
  public:
    [[nodiscard]] static Result<ControlPage> open(int map);
    ControlPage(ControlPage&& other) noexcept;
    ControlPage& operator=(ControlPage&&) = delete;
    ~ControlPage();
    [[nodiscard]] std::uint64_t load() const { return __atomic_load_n(word_, __ATOMIC_ACQUIRE); }
    void store(std::uint64_t value) { __atomic_store_n(word_, value, __ATOMIC_RELEASE); }
    // False when somebody else has stored meanwhile: `expected` is then what he stored.
    bool exchange(std::uint64_t& expected, std::uint64_t value) {
        return __atomic_compare_exchange_n(word_, &expected, value, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    }

  private:
    ControlPage(std::uint64_t* word, std::size_t size) : word_(word), size_(size) {}
    std::uint64_t* word_;
    std::size_t size_;
};

} // namespace sallyport
