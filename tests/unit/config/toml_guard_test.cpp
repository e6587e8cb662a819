// SPDX-License-Identifier: Apache-2.0
#include "config/toml_guard.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport::config;

namespace {
std::string said(const std::string& text) {
    const std::optional<Objection> objection = objection_to(text);
    if (!objection) return "";
    return std::to_string(objection->place.line) + ":" + std::to_string(objection->place.column) +
           ": " + objection->message;
}
const std::string kDots(20, '.');
} // namespace

TEST_CASE("keys of up to sixteen parts are let through, in any place") {
    std::string key = "a";
    for (int i = 0; i < 15; ++i) key += ".a";
    CHECK(said(key + " = 1\n").empty());
    CHECK(said("[" + key + "]\n").empty());
    CHECK(said("x = {" + key + " = 1, " + key + " = 2}\n").empty());
    key += ".a";
    CHECK(said("\n" + key + " = 1\n") == "2:32: a key of more than 16 parts");
    CHECK(said("[[" + key + "]]\n").find("16 parts") != std::string::npos);
    CHECK(said("x = {a = 1, " + key + " = 1}\n").find("16 parts") != std::string::npos);
}

TEST_CASE("dots in strings and comments are nobody's business") {
    for (const std::string& text : std::vector<std::string>{
             "a = \"" + kDots + "ä\"\n", "a = '" + kDots + "ä'\n", "a = \"\\\"" + kDots + "ä\"\n",
             "# " + kDots + "ä", "a = '''\n" + kDots + "ä\n'''\n",
             "a = \"\"\"\n" + kDots + "ä\\\"\"\"\"\n", "\"ä\" = 1\n", "a = \"\"\"x\"\"\"\"\" # ä\n",
             "a = '\\' # ä\n", "a = \"\"\nb = '' # ä\n"}) {
        INFO(text);
        CHECK(said(text).empty());
    }
}

TEST_CASE("dots behind a string that is closed, or not closed in its line, count") {
    CHECK(said("a = \"\"\"x\"\"\"\"\" " + kDots).starts_with("1:"));
    CHECK(said("a = \"not closed\n" + kDots).starts_with("2:"));
    CHECK(said("a = '' " + kDots).starts_with("1:"));
}
