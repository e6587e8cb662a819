// SPDX-License-Identifier: Apache-2.0
#include "compile/globs.h"
#include "policy/policy.h"
#include "sallyport/abi/limits.h"
#include "support/dice.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

std::vector<sp_globs> compiled(const std::vector<std::string>& globs) {
    Result<std::vector<sp_globs>> groups = compile_globs(globs);
    REQUIRE(groups);
    return *std::move(groups);
}

bool any_matches(const std::vector<std::string>& globs, const std::string& name) {
    return std::ranges::any_of(globs, [&](const std::string& g) { return glob_matches(g, name); });
}

} // namespace

TEST_CASE("the kernel's globs match what fnmatch matches, and nothing else") {
    const std::vector<std::string> names{"eth0",
                                         "eth1",
                                         "eth",
                                         "eth01",
                                         "xeth0",
                                         "e",
                                         "",
                                         "en",
                                         "enp3s0",
                                         "wlan0",
                                         "[",
                                         "]",
                                         "a]",
                                         "a",
                                         "b",
                                         "-",
                                         "!",
                                         "^",
                                         "*",
                                         "?",
                                         "eth*",
                                         "eth0.5",
                                         "br-4f0c9a31e7d2",
                                         "\\",
                                         "[a"};
    for (const char* glob :
         {"eth0",  "eth*",    "*",      "e*0",    "?",     "??h?", "en*s*",
          "[a-c]", "[!a-c]",  "[^a-c]", "[]a]",   "[!]a]", "a]",   "[[:alpha:]]*[[:digit:]]",
          "\\*",   "eth\\*",  "[a",     "*[0-9]", "**h**", "[a-]", "br-*",
          "*.5",   "[[.-.]]", "[\\]]"}) {
        INFO(glob);
        const std::vector<sp_globs> groups = compiled({glob});
        for (const std::string& name : names) {
            INFO(name);
            CHECK(matches(groups, name) == glob_matches(glob, name));
        }
    }
}

TEST_CASE("random globs, many at once, match random names as fnmatch does") {
    test::Dice dice{test::test_seed()};
    const auto pick = [&](const std::string& from) { return from[dice.roll(from.size())]; };
    const auto word = [&](const std::string& from, std::size_t longest) {
        std::string text;
        for (std::size_t n = dice.roll(longest + 1); n > 0; --n) text += pick(from);
        return text;
    };
    for (int round = 0; round < 400; ++round) {
        std::vector<std::string> globs;
        for (std::size_t n = 1 + dice.roll(12); n > 0; --n) {
            std::string glob;
            for (std::size_t parts = 1 + dice.roll(5); parts > 0; --parts) {
                switch (dice.roll(5)) {
                case 0:
                    glob += '*';
                    break;
                case 1:
                    glob += '?';
                    break;
                case 2:
                    glob += "[" + std::string(dice.roll(2) ? "!" : "") + word("ab01]-", 3) +
                            pick("ab01") + "]";
                    break;
                case 3:
                    glob += "[a-" + std::string(1, pick("abz")) + "]";
                    break;
                default:
                    glob += word("ab01", 3);
                    break;
                }
            }
            globs.push_back(glob);
        }
        const std::vector<sp_globs> groups = compiled(globs);
        for (int i = 0; i < 60; ++i) {
            const std::string name = word("ab01]-", 15);
            INFO(name);
            for (const std::string& glob : globs) UNSCOPED_INFO(glob);
            REQUIRE(matches(groups, name) == any_matches(globs, name));
        }
    }
}

TEST_CASE("no glob names nothing, and a zeroed table is that") {
    CHECK(compiled({}).empty());
    CHECK_FALSE(matches({sp_globs{}}, "eth0"));
    CHECK_FALSE(matches({sp_globs{}}, ""));
}

TEST_CASE("globs that fit are taken to the last, and one more is refused by name") {
    std::vector<std::string> globs;
    // 16 states each: four in a word.
    for (unsigned i = 0; i < 4 * SP_GLOB_GROUPS; ++i)
        globs.push_back("interface-" + std::to_string(10000 + i));
    const std::vector<sp_globs> groups = compiled(globs);
    CHECK(groups.size() == SP_GLOB_GROUPS);
    for (const std::string& name : globs) CHECK(matches(groups, name));
    CHECK_FALSE(matches(groups, "interface-99999"));
    globs.push_back("x");
    const Result<std::vector<sp_globs>> more = compile_globs(globs);
    REQUIRE_FALSE(more);
    CHECK(more.error().kind == ErrorKind::invalid_input);
    CHECK(more.error().text().find("[host] interfaces") != std::string::npos);
}
