// SPDX-License-Identifier: Apache-2.0
// The programs' SipHash-2-4 against one of any length, and that against the paper's example.
#include "support/siphash_host.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

using namespace sallyport::test;

namespace {

std::uint64_t siphash(const std::vector<std::uint8_t>& text, std::uint64_t key0,
                      std::uint64_t key1) {
    std::uint64_t v[4] = {key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du,
                          key0 ^ 0x6c7967656e657261u, key1 ^ 0x7465646279746573u};
    const auto rounds = [&v](int times) {
        for (int i = 0; i < times; ++i) {
            v[0] += v[1];
            v[2] += v[3];
            v[1] = std::rotl(v[1], 13) ^ v[0];
            v[3] = std::rotl(v[3], 16) ^ v[2];
            v[0] = std::rotl(v[0], 32) + v[3];
            v[2] += v[1];
            v[1] = std::rotl(v[1], 17) ^ v[2];
            v[3] = std::rotl(v[3], 21) ^ v[0];
            v[2] = std::rotl(v[2], 32);
        }
    };
    for (std::size_t at = 0; at <= text.size(); at += 8) {
        std::uint64_t word = 0;
        const std::size_t left = text.size() - at;
        for (std::size_t i = 0; i < std::min<std::size_t>(left, 8); ++i)
            word |= static_cast<std::uint64_t>(text[at + i]) << (8 * i);
        if (left < 8) word |= static_cast<std::uint64_t>(text.size()) << 56;
        v[3] ^= word;
        rounds(2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    rounds(4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

} // namespace

TEST_CASE("the programs' SipHash is SipHash-2-4") {
    constexpr std::uint64_t kKey0 = 0x0706050403020100, kKey1 = 0x0f0e0d0c0b0a0908;
    std::vector<std::uint8_t> text(15);
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(i);
    // Aumasson and Bernstein 2012, appendix A.
    REQUIRE(siphash(text, kKey0, kKey1) == 0xa129ca6149be45e5);
    text.resize(48);
    for (unsigned round = 0; round < 100; ++round) {
        for (std::size_t i = 0; i < text.size(); ++i)
            text[i] = static_cast<std::uint8_t>(i * 37 + round * 91 + (i * round >> 3));
        std::array<std::uint64_t, 6> words{};
        std::memcpy(words.data(), text.data(), text.size());
        CHECK(program_siphash(words, kKey0 + round, kKey1) == siphash(text, kKey0 + round, kKey1));
    }
}
