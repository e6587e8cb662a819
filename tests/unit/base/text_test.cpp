// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("printable text of any script stays as it is") {
    for (const char* text : {"", "plain", "back\\slash", "Größe", "日本語", "\U0001F600"}) {
        CHECK(escaped(text) == text);
        CHECK(is_printable(text));
    }
}

TEST_CASE("control characters are escaped") {
    using namespace std::string_view_literals;
    CHECK(escaped("a\x1b[31mb") == "a\\x1b[31mb");
    CHECK(escaped("a\nb\r\0c"sv) == "a\\x0ab\\x0d\\x00c");
    CHECK(escaped("\x7f") == "\\x7f");
    CHECK(escaped("\xc2\x9b") == "\\u{9b}"); // CSI of the C1 set
    CHECK_FALSE(is_printable("a\x1b"));
    CHECK_FALSE(is_printable("\xc2\x9b"));
}

TEST_CASE("tabs are escaped or kept, as asked") {
    CHECK(escaped("a\tb") == "a\\x09b");
    CHECK(escaped("a\tb", Tabs::keep) == "a\tb");
}

TEST_CASE("marks that reorder or hide text are escaped") {
    CHECK(escaped("a\u202eb") == "a\\u{202e}b");
    CHECK(escaped("\u200b\u2066\ufeff") == "\\u{200b}\\u{2066}\\u{feff}");
}

TEST_CASE("bytes that are not UTF-8 are escaped one by one") {
    CHECK(escaped("\xff") == "\\xff");
    CHECK(escaped("a\x80z") == "a\\x80z");
    CHECK(escaped("\xc0\xaf") == "\\xc0\\xaf");                   // overlong
    CHECK(escaped("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");          // overlong
    CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // a surrogate
    CHECK(escaped("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // above U+10FFFF
    CHECK(escaped("\xe2\x82") == "\\xe2\\x82");                   // cut short
    CHECK(escaped("\xe2\x82z") == "\\xe2\\x82z");
}

TEST_CASE("the distance of two texts is the number of slips between them") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("port", "ports") == 1);
    CHECK(edit_distance("prot", "port") == 1); // a swap is one slip
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("admin", "admin") == 0);
}

TEST_CASE("the nearest name is suggested, and none that is far") {
    const std::vector<std::string> names = {"admin", "lan", "proxy", "neighbour-discovery", "arp"};
    CHECK(nearest("adnim", names) == "admin");
    CHECK(nearest("Admin", names) == "admin");
    CHECK(nearest("lna", names) == "lan");
    CHECK(nearest("neighbor_discovery", names) == "neighbour-discovery");
    CHECK(nearest("zzzzz", names).empty());
    CHECK(nearest("x", names).empty());
    CHECK(nearest("", names).empty());
    CHECK(nearest("admin", {}).empty());
    CHECK(nearest(std::string(100000, 'a'), names).empty());
}

TEST_CASE("a line is escaped, and cut between characters and never in one") {
    CHECK(one_line("plain") == "plain");
    CHECK(one_line("") == "");
    CHECK(one_line("a\nb\x1b") == R"(a\x0ab\x1b)");
    CHECK(one_line("abcd", 4) == "abcd");
    CHECK(one_line("abcde", 4) == "abcd...");
    CHECK(one_line("abc\n", 4) == "abc...");
    CHECK(one_line("abcé", 4) == "abc...");
}

TEST_CASE("of equally near names the first is suggested") {
    const std::vector<std::string> names = {"abcd", "abce"};
    CHECK(nearest("abcf", names) == "abcd");
}

TEST_CASE("of several lines the newlines stay, and nothing else that steers") {
    CHECK(escaped_lines("a\x1b[2J\nb\tc\r\n") == "a\\x1b[2J\nb\tc\\x0d\n");
    CHECK(escaped_lines("").empty());
    CHECK(escaped_lines("\n\n") == "\n\n");
}

TEST_CASE("what is too long is cut between characters, and says so") {
    CHECK(shortened("short", 5) == "short");
    CHECK(shortened("longer", 5) == "longe...");
    CHECK(shortened("ab\xc3\xbc", 3) == "ab...");
    CHECK(shortened("ab\xc3\xbc", 4) == "ab\xc3\xbc");
    CHECK(shortened("\xff\xff\xff", 2) == "\xff\xff...");
    CHECK(shortened("x", 0) == "...");
}
