// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using std::chrono::seconds;

TEST_CASE("durations are a number and a unit") {
    CHECK(parse_duration("0s").value() == seconds(0));
    CHECK(parse_duration("10s").value() == seconds(10));
    CHECK(parse_duration("5m").value() == seconds(300));
    CHECK(parse_duration("2h").value() == seconds(7200));
    CHECK(parse_duration("7d").value() == seconds(604800));
    CHECK(parse_duration("36500d").value() == seconds(36500ll * 86400));
}

TEST_CASE("what is no duration is refused") {
    for (const char* text : {"", "s", "10", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5h", "1h30m",
                             "1w", "1S", "99999999999999999999s"}) {
        INFO(text);
        CHECK_FALSE(parse_duration(text));
    }
    CHECK_FALSE(parse_duration("36501d"));
    CHECK_FALSE(parse_duration("18446744073709551615d"));
}

TEST_CASE("a duration prints in its largest whole unit, and reads back") {
    CHECK(to_string(seconds(0)) == "0s");
    CHECK(to_string(seconds(59)) == "59s");
    CHECK(to_string(seconds(60)) == "1m");
    CHECK(to_string(seconds(61)) == "61s");
    CHECK(to_string(seconds(7200)) == "2h");
    CHECK(to_string(seconds(86400)) == "1d");
    for (int i = 0; i < 100000; i += 37)
        REQUIRE(parse_duration(to_string(seconds(i))).value() == seconds(i));
}

TEST_CASE("rates are a number per unit") {
    CHECK(parse_rate("20/minute").value() == Rate{.count = 20, .per = seconds(60)});
    CHECK(parse_rate("20/m").value() == Rate{.count = 20, .per = seconds(60)});
    CHECK(parse_rate("1/second").value() == Rate{.count = 1, .per = seconds(1)});
    CHECK(parse_rate("4294967295/hour").value() ==
          Rate{.count = 4294967295u, .per = seconds(3600)});
    CHECK(parse_rate("5/d").value() == Rate{.count = 5, .per = seconds(86400)});
}

TEST_CASE("what is no rate is refused") {
    for (const char* text :
         {"", "20", "20/", "/minute", "0/minute", "-1/minute", "20/minutes", "20 /minute",
          "20/ minute", "4294967296/second", "2.5/second", "20/minute/minute"}) {
        INFO(text);
        CHECK_FALSE(parse_rate(text));
    }
}
