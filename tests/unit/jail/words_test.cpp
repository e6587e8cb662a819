// SPDX-License-Identifier: Apache-2.0
#include "jail/words.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;

namespace {
long long seconds(const char* text) {
    const auto span = parse_time_span(text);
    INFO(text);
    REQUIRE(span.has_value());
    return span->count();
}
} // namespace

TEST_CASE("spans of time are read with fail2ban's abbreviations") {
    CHECK(seconds("600") == 600);
    CHECK(seconds("-1") == -1);
    CHECK(seconds("10m") == 600);
    CHECK(seconds("1h 30min") == 5400);
    CHECK(seconds("1hour+30min") == 5400);
    CHECK(seconds("1d12h") == 36 * 3600);
    CHECK(seconds("1year-6mo") == 15778800);
    CHECK(seconds("6 months") == 15778800);
    CHECK(seconds("2W") == 14 * 86400);
    CHECK(seconds("0d 1h 30m") == 5400);
    CHECK(seconds("1.5h") == 5400);
    for (const char* text : {"", "x", "10 parsecs", "1h*2", "m", "1e300", "999999999999", "1h 2x",
                             "__import__('os')", "nan", "inf"})
        CHECK_FALSE(parse_time_span(text).has_value());
}

TEST_CASE("a name may carry options in brackets") {
    const auto made = parse_name_with_options(R"(sshd[mode=aggressive, a="b,]c"][d='e f'])");
    REQUIRE(made.has_value());
    CHECK(made->name == "sshd");
    CHECK(made->options ==
          std::map<std::string, std::string>{{"mode", "aggressive"}, {"a", "b,]c"}, {"d", "e f"}});
    CHECK(parse_name_with_options("sshd")->options.empty());
    CHECK(parse_name_with_options("sshd[]")->options.empty());
    CHECK_FALSE(parse_name_with_options("sshd[mode").has_value());
    CHECK_FALSE(parse_name_with_options("sshd[mode=\"a]").has_value());
    CHECK_FALSE(parse_name_with_options("sshd[=a]").has_value());
    CHECK_FALSE(parse_name_with_options("[a=b]").has_value());
}

TEST_CASE("words are split at commas and spaces, shell words with their quotes") {
    CHECK(split_words(" 127.0.0.1/8 ::1,10.0.0.1\n x") ==
          std::vector<std::string>{"127.0.0.1/8", "::1", "10.0.0.1", "x"});
    CHECK(*split_shell(R"(a 'b c' "d\"e" f\ g)") ==
          std::vector<std::string>{"a", "b c", "d\"e", "f g"});
    CHECK_FALSE(split_shell("'a").has_value());
}
