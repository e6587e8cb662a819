// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a map should hold against what it holds, as bytes. The kernel's side comes in pieces
// and is not kept; of the differences the first few are.
#include "drift/finding.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::drift {

struct Differences {
    static constexpr std::size_t kShown = 10;
    std::size_t missing = 0;   // should be there and are not
    std::size_t extra = 0;     // are there and should not
    std::size_t different = 0; // have another value
    std::size_t seen = 0;      // entries that the kernel has
    std::vector<std::string> shown;

    void note(std::size_t& kind, const std::string& line);
    [[nodiscard]] std::size_t count() const { return missing + extra + different; }
};

// Nothing when there is no difference.
[[nodiscard]] std::vector<Finding> finding_of(const std::string& map, const Differences& found,
                                              const std::string& next);

// "word 3 is 7 instead of 2", of the first 32-bit word that differs; sizes in bytes.
[[nodiscard]] std::string first_difference(const std::byte* have, const std::byte* want,
                                           std::size_t size);

// An array: `count` values from key `first` on; what lies beyond, up to `end`, is to be zero.
class ArrayCheck {
  public:
    template <typename T>
    explicit ArrayCheck(const std::vector<T>& wanted, std::uint32_t first = 0,
                        std::uint32_t end = UINT32_MAX)
        : wanted_(reinterpret_cast<const std::byte*>(wanted.data())), size_(sizeof(T)),
          count_(wanted.size()), first_(first), end_(end) {}
    void take(const std::byte* keys, const std::byte* values, std::size_t count);
    [[nodiscard]] Differences finish();

  private:
    const std::byte* wanted_;
    std::size_t size_;
    std::size_t count_;
    std::uint32_t first_, end_;
    std::size_t taken_ = 0; // of those that are wanted
    Differences found_;
};

// A trie or a hash whose value is a number.
class PairsCheck {
  public:
    using Name = std::function<std::string(const std::byte* key)>;
    template <typename K>
    PairsCheck(const std::vector<std::pair<K, std::uint32_t>>& wanted, Name name, std::string value)
        : PairsCheck(reinterpret_cast<const std::byte*>(wanted.data()), wanted.size(), sizeof(K),
                     std::move(name), std::move(value)) {
        static_assert(sizeof(std::pair<K, std::uint32_t>) == sizeof(K) + sizeof(std::uint32_t));
    }
    void take(const std::byte* keys, const std::byte* values, std::size_t count);
    [[nodiscard]] Differences finish();

  private:
    PairsCheck(const std::byte* pairs, std::size_t count, std::size_t key_size, Name name,
               std::string value);
    [[nodiscard]] const std::byte* key_at(std::uint32_t place) const;

    const std::byte* pairs_; // as the compiler made them, which is in no order of bytes
    std::size_t key_size_;
    Name name_;
    std::string value_; // "class": what the number is
    std::vector<std::uint32_t> order_;
    std::vector<bool> met_; // by order_
    Differences found_;
};

} // namespace sallyport::drift
