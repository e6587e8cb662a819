// SPDX-License-Identifier: Apache-2.0
// What a map holds against what it should: every kind of difference is found, nothing else is.
#include "drift/entries.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

using namespace sallyport::drift;

namespace {

struct Wide {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
};
using Pair = std::pair<Wide, std::uint32_t>;

// As the kernel hands them over.
template <typename T> std::vector<std::byte> bytes(const std::vector<T>& values) {
    std::vector<std::byte> all(values.size() * sizeof(T));
    if (!all.empty()) std::memcpy(all.data(), values.data(), all.size());
    return all;
}

Differences array_of(const std::vector<Wide>& wanted, const std::vector<Wide>& have,
                     std::uint32_t first = 0, std::uint32_t end = UINT32_MAX) {
    ArrayCheck check(wanted, first, end);
    for (std::uint32_t key = 0; key < have.size(); key++)
        check.take(bytes(std::vector{key}).data(), bytes(std::vector{have[key]}).data(), 1);
    return check.finish();
}

Differences pairs_of(const std::vector<Pair>& wanted, const std::vector<Pair>& have) {
    const auto name = [](const std::byte* key) {
        Wide wide;
        std::memcpy(&wide, key, sizeof wide);
        return std::to_string(wide.a) + "/" + std::to_string(wide.b);
    };
    PairsCheck check(wanted, name, "class");
    for (const auto& [key, value] : have)
        check.take(bytes(std::vector{key}).data(), bytes(std::vector{value}).data(), 1);
    return check.finish();
}

} // namespace

TEST_CASE("an array that holds what it should differs in nothing") {
    const std::vector<Wide> values{{1, 2}, {3, 4}};
    CHECK(array_of(values, values).count() == 0);
    CHECK(array_of(values, {{1, 2}, {3, 4}, {0, 0}, {0, 0}}).count() == 0); // a larger map
    CHECK(array_of({}, {{0, 0}}).count() == 0);
    CHECK(array_of({}, {}).count() == 0);
    CHECK(array_of(values, values).seen == 2);
}

TEST_CASE("an array's changed, added and missing entries are told apart") {
    const std::vector<Wide> values{{1, 2}, {3, 4}};
    const Differences changed = array_of(values, {{1, 2}, {3, 5}});
    CHECK((changed.different == 1 && changed.count() == 1));
    CHECK(changed.shown ==
          std::vector<std::string>{"different: entry 1: word 1 is 5 instead of 4"});
    const Differences added = array_of(values, {{1, 2}, {3, 4}, {0, 9}});
    CHECK((added.extra == 1 && added.count() == 1));
    CHECK(added.shown == std::vector<std::string>{"too many: entry 2"});
    const Differences missing = array_of(values, {});
    CHECK((missing.missing == 2 && missing.count() == 2));
}

TEST_CASE("of an array of slots only the one that is asked for is compared") {
    const std::vector<Wide> values{{1, 2}};
    CHECK(array_of(values, {{9, 9}, {1, 2}, {9, 9}}, 1, 2).count() == 0);
    CHECK(array_of(values, {{1, 2}, {9, 9}, {1, 2}}, 1, 2).different == 1);
}

TEST_CASE("pairs may come in any order and be none") {
    CHECK(pairs_of({{{2, 0}, 7}, {{1, 0}, 8}}, {{{1, 0}, 8}, {{2, 0}, 7}}).count() == 0);
    CHECK(pairs_of({}, {}).count() == 0);
}

TEST_CASE("pairs that differ are told by their key") {
    const Differences found = pairs_of({{{2, 0}, 7}, {{1, 0}, 8}}, {{{1, 0}, 9}, {{3, 256}, 7}});
    CHECK((found.different == 1 && found.extra == 1 && found.missing == 1));
    CHECK(found.shown == std::vector<std::string>{"different: 1/0: class 9 instead of 8",
                                                  "too many: 3/256, class 7",
                                                  "missing: 2/0, class 7"});
}

TEST_CASE("of many differences ten are shown and the rest is counted") {
    std::vector<Pair> many;
    for (std::uint32_t i = 0; i < 1000; i++) many.push_back({{i, 1}, i});
    const Differences found = pairs_of(many, {});
    CHECK(found.missing == 1000);
    const std::vector<Finding> told = finding_of("sp_v4_trie", found, "apply it");
    REQUIRE(told.size() == 1);
    CHECK((told[0].details.size() == 10 && told[0].more == 990));
    CHECK((told[0].about == "sp_v4_trie" && told[0].next == "apply it"));
    CHECK(finding_of("sp_v4_trie", {}, "apply it").empty());
}

TEST_CASE("a value whose last bytes make no word is compared to its end") {
    const std::array<std::byte, 6> have{},
        want{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{3}};
    CHECK(first_difference(have.data(), want.data(), 6) == "byte 5 is 0 instead of 3");
    CHECK(first_difference(have.data(), have.data(), 6) == "nothing");
}

TEST_CASE("a report of notes alone is no drift and prints nothing") {
    Report report;
    report.generation = 3;
    report.compared.maps = 16;
    Finding note;
    note.id = "foreign";
    note.about = "a\x1b[2Jb";
    note.level = Level::note;
    report.findings.push_back(note);
    CHECK(!has_drift(report));
    CHECK(render(report).empty());
    CHECK(render_rest(report).find("\x1b") == std::string::npos);
    CHECK(render_rest(report).find("generation 3, 16 maps") != std::string::npos);
    report.findings[0].level = Level::drift;
    report.findings[0].details = {"one"};
    report.findings[0].more = 5;
    report.findings[0].next = "do it";
    CHECK(has_drift(report));
    CHECK(render(report) == "drift  foreign  a\\x1b[2Jb: \n         one\n         and 5 more\n"
                            "       next: do it\n");
    CHECK(to_json(report)["drift"] == true);
}
