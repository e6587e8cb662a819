// SPDX-License-Identifier: Apache-2.0
#include "config/zone_file.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using sallyport::config::parse_zone_file;
using sallyport::config::ZoneFile;

namespace {
std::string text_of(const ZoneFile& file) {
    std::string text;
    for (const Prefix& prefix : file.networks)
        text += (text.empty() ? "" : " ") + to_string(prefix);
    return text;
}
} // namespace

TEST_CASE("a zone file holds a prefix a line, comments and blank lines") {
    const ZoneFile file =
        parse_zone_file("# bad people\n10.0.0.0/8\n\n  fd00::/8\t# ours\r\n192.0.2.1", "z");
    CHECK(file.errors.empty());
    CHECK(text_of(file) == "10.0.0.0/8 fd00::/8 192.0.2.1");
}

TEST_CASE("empty files and files of comments are good and hold nothing") {
    for (const char* text : {"", "\n", "\n\n", "#", "# x\n", " \t\r\n", "\xef\xbb\xbf"}) {
        const ZoneFile file = parse_zone_file(text, "z");
        CHECK(file.errors.empty());
        CHECK(file.networks.empty());
    }
}

TEST_CASE("a byte order mark is no part of the first line") {
    CHECK(text_of(parse_zone_file("\xef\xbb\xbf"
                                  "10.0.0.1\n",
                                  "z")) == "10.0.0.1");
}

TEST_CASE("every bad line is an error with its line and column") {
    const ZoneFile file = parse_zone_file(
        "10.0.0.1\n  10.0.0.256 # x\nfoo\n10.0.0.1/8\n10.0.0.1 10.0.0.2\n", "z.netset");
    REQUIRE(file.errors.size() == 4);
    CHECK(to_text(file.errors[0]) ==
          "z.netset:2:3: error: \"10.0.0.256\" is not an IP address or network\n"
          "      10.0.0.256 # x\n"
          "      ^\n");
    CHECK(file.errors[1].line == 3);
    CHECK(file.errors[2].hint == "did you mean 10.0.0.0/8?");
    CHECK(file.errors[3].line == 5);
    CHECK(text_of(file) == "10.0.0.1");
}

TEST_CASE("a hundred errors are shown, and how many more there are") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "x\n";
    CHECK(parse_zone_file(text, "z").errors.size() == 100);
    text += "y\nz\n10.0.0.1\n";
    const ZoneFile file = parse_zone_file(text, "z");
    REQUIRE(file.errors.size() == 101);
    CHECK(to_text(file.errors.back()) == "z: error: and 2 more errors\n");
    CHECK(file.networks.size() == 1);
}

TEST_CASE("a zero byte is not the end of a line") {
    using namespace std::string_view_literals;
    CHECK(parse_zone_file("10.0.0.1\0\n"sv, "z").errors.size() == 1);
}

TEST_CASE("a hundred thousand lines are all there, in order") {
    std::string text;
    for (std::uint32_t i = 0; i < 100000; ++i) text += to_string(Address::v4(i * 7919)) + "\n";
    const ZoneFile file = parse_zone_file(text, "z");
    REQUIRE(file.networks.size() == 100000);
    CHECK(file.errors.empty());
    for (std::uint32_t i = 0; i < 100000; ++i)
        REQUIRE(file.networks[i].base.v4_value() == i * 7919);
}
