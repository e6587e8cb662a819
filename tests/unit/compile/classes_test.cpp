// SPDX-License-Identifier: Apache-2.0
#include "compile/classes.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <vector>

using namespace sallyport;

TEST_CASE("the empty signature is class 0 before anything is asked") {
    Interner classes;
    CHECK(classes.size() == 1);
    CHECK(classes.id_of({}) == 0);
    CHECK(classes.at(0).empty());
}

TEST_CASE("equal signatures are one class and different ones are not") {
    Interner classes;
    const std::array<std::uint32_t, 2> a{1, 2};
    const std::array<std::uint32_t, 2> b{2, 1};
    const std::array<std::uint32_t, 3> longer{1, 2, 0};
    CHECK(classes.id_of(a) == 1);
    CHECK(classes.id_of(b) == 2);
    CHECK(classes.id_of(longer) == 3);
    CHECK(classes.id_of(a) == 1);
    CHECK(std::ranges::equal(classes.at(3), longer));
}

TEST_CASE("zeros at the end of a row do not count, those within do") {
    Interner classes;
    CHECK(classes.id_of_row(std::vector<std::uint32_t>{0, 0, 0}) == 0);
    const std::uint32_t row = classes.id_of_row(std::vector<std::uint32_t>{0, 5, 0});
    CHECK(row == classes.id_of(std::vector<std::uint32_t>{0, 5}));
    CHECK(row != classes.id_of_row(std::vector<std::uint32_t>{5}));
}

TEST_CASE("numbers stay the same while many classes are added") {
    Interner classes;
    for (std::uint32_t i = 0; i < 100'000; ++i)
        REQUIRE(classes.id_of(std::array{i, i / 7}) == i + 1);
    for (std::uint32_t i = 0; i < 100'000; ++i)
        REQUIRE(classes.id_of(std::array{i, i / 7}) == i + 1);
    CHECK(classes.size() == 100'001);
}
