// SPDX-License-Identifier: Apache-2.0
// The record of what is enforced, and which of two is the one.
#include "daemon/enforced.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

Enforced record(std::uint32_t generation, std::uint32_t first, const std::string& name) {
    Enforced e;
    e.generation = generation;
    e.first_generation = first;
    e.sha256 = name;
    e.contents = name + " and its zones";
    return e;
}

std::string name_at(const std::string& state, std::uint32_t generation) {
    const auto found = load_enforced(state, generation);
    REQUIRE(found);
    REQUIRE(*found);
    return (*found)->sha256;
}

} // namespace

TEST_CASE("a record is read as it was written, and one of an earlier version without what is new") {
    Enforced whole = record(7, 5, "a");
    whole.panic = true;
    const Result<Enforced> again = enforced_from_json(to_json_text(whole));
    REQUIRE(again);
    CHECK(*again == whole);
    const Result<Enforced> old = enforced_from_json(
        R"({"generation":7,"file":"f","sha256":"a","applied":"","by":"","observe":false,)"
        R"("cgroup":"/","interfaces":[],"flow_max":1,"repeat_s":1,"rules":[],"counters":{},)"
        R"("nic_counters":{}})");
    REQUIRE(old);
    CHECK(old->began() == 7);
    CHECK(old->is_of("a", "whatever"));
    CHECK_FALSE(old->is_of("b", "whatever"));
    CHECK_FALSE(whole.is_of("a", "a and other zones"));
}

TEST_CASE("the record is the one of the generation in force, or of its policy compiled anew") {
    const TempDir directory;
    const std::string state = directory / "state";
    REQUIRE(stage_enforced(state, record(1, 1, "good")));
    REQUIRE(settle_enforced(state));
    SECTION("a trial, and the same compiled anew by who was killed before he switched to it") {
        REQUIRE(stage_enforced(state, record(4, 2, "tried")));
        for (const std::uint32_t generation : {2u, 3u, 4u}) {
            CHECK(name_at(state, generation) == "tried");
            CHECK((*load_enforced(state, generation))->generation == generation);
        }
        CHECK(name_at(state, 1) == "good");
        CHECK(name_at(state, 5) == "good"); // of nobody: the settled one, which says so
        CHECK((*load_enforced(state, 5))->generation == 1);
    }
    SECTION("a policy that was staged and never came") {
        REQUIRE(stage_enforced(state, record(3, 3, "never")));
        CHECK(name_at(state, 1) == "good");
        CHECK(name_at(state, 2) == "good");
    }
}
