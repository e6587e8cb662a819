// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>

using namespace sallyport;

namespace {
int open_one() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}
} // namespace

TEST_CASE("a descriptor is closed when its owner ends, and not before") {
    const int number = open_one();
    {
        const Fd fd(number);
        CHECK(fd);
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
}

TEST_CASE("moving hands the descriptor on") {
    Fd first(open_one());
    const int number = first.get();
    Fd second(std::move(first));
    CHECK_FALSE(first); // NOLINT: what is left behind is the point
    CHECK(second.get() == number);
    Fd third(open_one());
    const int replaced = third.get();
    third = std::move(second);
    CHECK_FALSE(is_open(replaced));
    CHECK(third.get() == number);
    CHECK(is_open(number));
}

TEST_CASE("a released descriptor stays open and is the caller's") {
    Fd fd(open_one());
    const int number = fd.release();
    fd.reset();
    CHECK_FALSE(fd);
    CHECK(is_open(number));
    ::close(number);
}
