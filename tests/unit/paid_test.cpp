// SPDX-License-Identifier: Apache-2.0
// How many connections of a source are paid for and not yet there (bpf/lib/paid_word.h).
#include "support/cookie_host.h"

#include <catch2/catch_test_macros.hpp>

namespace sallyport::test {
namespace {

constexpr std::uint64_t kOwner = 0xabcdef, kOther = 0xabcdee;

// So many of `owner` that the word still bears in that part of time.
int left(std::uint64_t word, std::uint64_t owner, std::uint64_t part) {
    for (int count = 0;; ++count) {
        const std::uint64_t less = take_paid(word, owner, part);
        if (less == word) return count;
        word = less;
    }
}

} // namespace

TEST_CASE("as many are free as were paid for, each once") {
    for (const std::uint64_t start : {0u, 5u, 70'000u}) {
        std::uint64_t word = 0;
        CHECK(left(word, kOwner, start) == 0);
        for (int i = 0; i < 3; ++i) word = pay(word, kOwner, start);
        CHECK(left(word, kOwner, start) == 3);
        CHECK(left(word, kOther, start) == 0);
    }
}

TEST_CASE("what was paid for in the part before still is, and later no longer") {
    std::uint64_t word = pay(0, kOwner, 0);
    word = pay(word, kOwner, 1);
    CHECK(left(word, kOwner, 1) == 2);
    CHECK(left(word, kOwner, 2) == 1);
    CHECK(left(word, kOwner, 3) == 0);
    // Whoever goes on paying keeps nothing that is older by it.
    for (std::uint64_t part = 2; part < 100; ++part) {
        word = pay(word, kOwner, part);
        CHECK(left(word, kOwner, part) == 2);
    }
}

TEST_CASE("a place is another's only when nothing in it is still waited for") {
    const std::uint64_t word = pay(0, kOwner, 10);
    CHECK(pay(word, kOther, 10) == word);
    CHECK(pay(word, kOther, 11) == word);
    const std::uint64_t taken = pay(word, kOther, 12);
    CHECK(left(taken, kOther, 12) == 1);
    CHECK(left(taken, kOwner, 12) == 0);
    const std::uint64_t used = take_paid(word, kOwner, 10);
    CHECK(left(pay(used, kOther, 10), kOther, 10) == 1);
}

TEST_CASE("an owner has his own place, else one where nothing is waited for, else none") {
    std::vector<std::uint64_t> words(8);
    for (std::uint64_t i = 0; i < 8; ++i) {
        CHECK(paid_place(words, 100 + i, 5) == i);
        words[i] = pay(words[i], 100 + i, 5);
    }
    for (std::uint64_t i = 0; i < 8; ++i) CHECK(paid_place(words, 100 + i, 5) == i);
    CHECK(paid_place(words, kOwner, 5) == 8);
    CHECK(paid_place(words, kOwner, 6) == 8);
    words[3] = take_paid(words[3], 103, 6);
    CHECK(paid_place(words, kOwner, 6) == 3);
    CHECK(paid_place(words, 103, 6) == 3);
    words[3] = pay(words[3], kOwner, 6);
    CHECK(paid_place(words, 103, 6) == 8);
    CHECK(paid_place(words, 103, 7) == 0); // what they waited for is over
}

TEST_CASE("more than a word holds pays again, and no count runs into another") {
    std::uint64_t word = pay(0, kOwner, 1);
    for (int i = 0; i < kPaidMost + 900; ++i) word = pay(word, kOwner, 2);
    CHECK(left(word, kOwner, 2) == 1 + kPaidMost);
    CHECK(left(word, kOther, 2) == 0);
}

} // namespace sallyport::test
