// SPDX-License-Identifier: Apache-2.0
// Which listeners are new: also when a process cannot be read for a moment.
#include "audit/newcomers.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

Listener listener(std::uint16_t port, const std::string& exe) {
    Listener one;
    one.port = port;
    if (!exe.empty()) {
        one.process.emplace();
        one.process->exe = exe;
    }
    return one;
}

std::string told(Newcomers& newcomers, const std::vector<Listener>& current) {
    std::string text;
    for (const Listener& one : newcomers.next(current))
        text += std::to_string(one.port) + (one.process ? one.process->exe : "?") + " ";
    return text;
}

} // namespace

TEST_CASE("what listens already is not told of, who comes is, once") {
    Newcomers newcomers;
    const Listener old = listener(1, "a"), fresh = listener(2, "b");
    CHECK(told(newcomers, {old}).empty());
    CHECK(told(newcomers, {old, fresh}) == "2b ");
    CHECK(told(newcomers, {old, fresh, fresh}).empty());
    CHECK(told(newcomers, {fresh}).empty());
    CHECK(told(newcomers, {old, fresh}) == "1a "); // it had gone
}

TEST_CASE("another program at the same place is new") {
    Newcomers newcomers;
    told(newcomers, {listener(1, "a")});
    CHECK(told(newcomers, {listener(1, "b")}) == "1b ");
    CHECK(told(newcomers, {listener(1, "b"), listener(1, "c")}) == "1c ");
}

TEST_CASE("a socket that outlives its process is not new") {
    Newcomers newcomers;
    told(newcomers, {});
    CHECK(told(newcomers, {listener(1, "a")}) == "1a ");
    CHECK(told(newcomers, {listener(1, "")}).empty());
    CHECK(told(newcomers, {listener(1, "a")}).empty());
    CHECK(told(newcomers, {listener(1, "")}).empty());
    CHECK(told(newcomers, {}).empty());
}

TEST_CASE("one without a process is told of one look later, and never lost") {
    Newcomers newcomers;
    told(newcomers, {});
    SECTION("with its process, when that is found") {
        CHECK(told(newcomers, {listener(1, "")}).empty());
        CHECK(told(newcomers, {listener(1, "a")}) == "1a ");
    }
    SECTION("without, when there is none, and once") {
        CHECK(told(newcomers, {listener(1, "")}).empty());
        CHECK(told(newcomers, {listener(1, "")}) == "1? ");
        CHECK(told(newcomers, {listener(1, "")}).empty());
    }
    SECTION("when it has gone by then") {
        CHECK(told(newcomers, {listener(1, "")}).empty());
        CHECK(told(newcomers, {listener(2, "b")}) == "1? 2b ");
    }
    SECTION("beside one that has one") {
        CHECK(told(newcomers, {listener(1, ""), listener(1, "a")}) == "1a ");
        CHECK(told(newcomers, {listener(1, ""), listener(1, "a")}).empty());
    }
}

TEST_CASE("one without a process that listens already is not told of") {
    Newcomers newcomers;
    CHECK(told(newcomers, {listener(1, "")}).empty());
    CHECK(told(newcomers, {listener(1, "")}).empty());
}
