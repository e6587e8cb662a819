// SPDX-License-Identifier: Apache-2.0
#include "jail/regex.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>

using namespace sallyport::jail;

namespace {

Search search(std::string_view pattern, std::string_view text) {
    auto regex = Regex::compile(pattern);
    INFO(pattern);
    REQUIRE(regex.has_value());
    return regex->search(text);
}
bool finds(std::string_view pattern, std::string_view text) {
    return search(pattern, text) == Search::found;
}
RegexError refused(std::string_view pattern) {
    const auto regex = Regex::compile(pattern);
    INFO(pattern);
    REQUIRE_FALSE(regex.has_value());
    return regex.error();
}

} // namespace

TEST_CASE("what Python and PCRE2 read differently means what Python reads") {
    CHECK(finds(R"(end\Z)", "end"));
    CHECK_FALSE(finds(R"(end\Z)", "end\n")); // PCRE2's \Z takes a last newline
    CHECK(finds("end$", "end\n"));
    CHECK(finds("^a{,2}b", "aab"));
    CHECK_FALSE(finds("^a{,2}b", "aaab"));
    CHECK(finds("^a{,}b", "aaab"));
    CHECK(finds("^x{a}", "x{a}"));
    CHECK(finds("^[[:alpha:]]", ":]"));
    CHECK_FALSE(finds("^[[:alpha:]]", "x]"));
    CHECK(finds("^[]a]+$", "]a"));
    CHECK(finds("^[^]a]+$", "xy"));
    CHECK_FALSE(finds("^[^]a]+$", "x]"));
    CHECK(finds(R"(^\v$)", "\v"));
    CHECK_FALSE(finds(R"(^\v$)", "\r")); // PCRE2's \v is a class
    CHECK(finds(R"(^(a)\1$)", "aa"));
    CHECK(finds(R"(^\x41\u0042\101\0$)", std::string_view("ABA\0", 4)));
    CHECK(finds(R"((?P<q>['"])x(?P=q))", "'x'"));
    CHECK_FALSE(finds(R"((?P<q>['"])x(?P=q))", "'x\""));
    CHECK(finds("^(?P<a>x)?y(?(a)z|w)$", "xyz"));
    CHECK(finds("^(?P<a>x)?y(?(a)z|w)$", "yw"));
    CHECK_FALSE(finds("^(?P<a>x)?y(?(a)z|w)$", "yz"));
    CHECK(finds("^((?i)ab)c$", "ABc"));
    CHECK_FALSE(finds("^((?i)ab)c$", "ABC")); // only within its group
    CHECK(finds("abc(?i)", "ABC"));           // in the middle: for all
    CHECK(finds("(?iu)abc", "ABC"));
    CHECK(finds("(?i:a)b", "Ab"));
}

TEST_CASE("a pattern that Python refuses is refused, with its place") {
    for (const char* pattern : {R"(\Kx)", R"(\Rx)", R"(\Q.\E)", R"(\p{L})", "(*UTF)x", "(?R)",
                                "(?&a)", "(?|a)", "(?<a>x)", "(?'a'x)", "(?C)", R"(\hx)", "(?L)x"})
        CHECK_FALSE(refused(pattern).message.empty());
    CHECK(refused(R"(abc\K)").at == 3);
    CHECK(refused("abc(def").message == "missing closing parenthesis");
    CHECK(refused("ab[cd").at == 2);
    CHECK(refused("(?P<a>x)(?P<a>y)").message.contains("there already"));
    CHECK(refused("(?P<1a>x)").message == "bad character in group name");
    CHECK(refused("abc)").at == 3);
    CHECK(refused("*a").at <= 1);
    CHECK(refused("a\\").message == "bad escape at the end");
}

TEST_CASE("the place of an error is that in the pattern as it was written") {
    // \Z and {,2} are longer or shorter once translated.
    CHECK(refused(R"(a{,2}\Z\Zb)))").at == 10);
}

TEST_CASE("a hostile line ends in bounded time, and the search says that it gave up") {
    const std::string many(60'000, 'a');
    std::string words;
    for (int i = 0; i < 10'000; ++i) words += "word ";
    struct Bomb {
        const char* pattern;
        std::string text;
    };
    const Bomb bombs[] = {
        {R"(^(a+)+$)", many + "!"},
        {R"(^(?:a|aa)+$)", many + "!"},
        {R"(^(a?){30}a{30}$)", std::string(29, 'a')},
        {R"((\w+\s?)+:$)", words + "!:x"},
        {R"(.*.*.*=.*!$)", many + "=" + many},
        {R"(^(?P<x>.*)(?P=x)(?P=x)!$)", many},
    };
    for (const Bomb& bomb : bombs) {
        const auto begin = std::chrono::steady_clock::now();
        const Search found = search(bomb.pattern, bomb.text);
        const auto took = std::chrono::steady_clock::now() - begin;
        INFO(bomb.pattern);
        CHECK(found != Search::found);
        CHECK(took < std::chrono::seconds(2)); // a fiftieth of it, but for a busy machine
    }
    CHECK(search(R"(^(a+)+$)", many + "!") == Search::too_costly);
    CHECK(search(R"(^(a+)+$)", "aaaa!") == Search::missed);
}

TEST_CASE("bytes that are not UTF-8 do not hide a line, NULs neither") {
    std::string buffer;
    const std::string line("user \xff\xfe\x00 from", 13);
    const std::string_view good = as_utf8(line, buffer);
    CHECK(good == std::string("user \xef\xbf\xbd\xef\xbf\xbd\0 from", 17));
    CHECK(finds("^user .+ from$", good));
    CHECK(as_utf8("plain", buffer).data() == std::string_view("plain").data());
    const std::string name = "f\xc3\xb6\xc3\xb6";
    CHECK(as_utf8(name, buffer) == name);
    CHECK(finds(R"(^\w+$)", name)); // letters of any script, as in Python
}

TEST_CASE("groups tell where they are, and what took no part is none") {
    auto regex = Regex::compile("(?P<a>x)|(?P<b>y)(?P<c>)");
    REQUIRE(regex.has_value());
    REQUIRE(regex->search("-y-") == Search::found);
    CHECK(regex->group("b") == "y");
    CHECK(regex->group("c") == "");
    CHECK(regex->group("a") == std::nullopt);
    CHECK(regex->group("d") == std::nullopt);
    CHECK(regex->span(0)->begin == 1);
    CHECK(regex->has_group("c"));
    CHECK_FALSE(regex->has_group("d"));
}
