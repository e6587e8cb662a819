// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random choices that are the same on every machine for the same seed (the
// standard's distributions are not).
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sallyport::test {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t number() { return engine_(); }
    // 0 to sides - 1; sides is above 0.
    std::size_t roll(std::size_t sides) { return static_cast<std::size_t>(engine_() % sides); }
    // True once in `sides` times.
    bool once_in(std::size_t sides) { return roll(sides) == 0; }
    template <typename T> const T& pick(const std::vector<T>& from) {
        return from[roll(from.size())];
    }

  private:
    std::mt19937_64 engine_;
};

// SP_SEED when it is set, else a new one. The tests print it.
[[nodiscard]] std::uint64_t test_seed();

} // namespace sallyport::test
