// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the programs keep and read for SYN cookies, natively.
#include <cstdint>
#include <vector>

namespace sallyport::test {

// bpf/lib/paid_word.h, its clock in parts of time.
[[nodiscard]] std::uint64_t pay(std::uint64_t word, std::uint64_t owner, std::uint64_t part);
[[nodiscard]] std::uint64_t take_paid(std::uint64_t word, std::uint64_t owner, std::uint64_t part);
// Of eight words: the place that an owner is given, 8: none.
[[nodiscard]] std::uint32_t paid_place(const std::vector<std::uint64_t>& words, std::uint64_t owner,
                                       std::uint64_t part);
// How many of one owner it holds at most, in one part.
extern const int kPaidMost;

// bpf/lib/tcp_options.h
struct TcpOptions {
    std::uint32_t stamp = 0;
    std::uint16_t mss = 0;
    std::uint8_t scale = 0; // + 1; 0: there is none
    bool sack = false;
    bool stamped = false;
    std::uint32_t end = 0; // where the walk ended, from the header's first byte
    bool operator==(const TcpOptions&) const = default;
};

// Of a header with these options; their number is a multiple of four, and 40 at most.
[[nodiscard]] TcpOptions read_tcp_options(const std::vector<std::uint8_t>& options);

} // namespace sallyport::test
