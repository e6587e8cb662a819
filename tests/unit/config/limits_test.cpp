// SPDX-License-Identifier: Apache-2.0
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using Lines = std::vector<std::string>;

namespace {

std::string ingress(const std::string& keys) {
    return "[[ingress]]\nname = \"r\"\nfrom = \"any\"\nproto = \"tcp\"\n" + keys + "\n";
}

std::optional<Limit> limit_of(const std::string& keys) {
    return good(ingress(keys)).rules.at(0).limit;
}

Lines wrong(const std::string& text) {
    const ParsedPolicy result = parsed(text);
    CHECK_FALSE(result.policy);
    return findings(result);
}

} // namespace

TEST_CASE("a rule has no limit unless it says so") {
    CHECK_FALSE(limit_of(""));
}

TEST_CASE("a limit has its number as its burst, an IPv4 address or an IPv6 /64 as its source") {
    const std::optional<Limit> limit = limit_of("limit = \"20/minute\"");
    REQUIRE(limit);
    CHECK(limit->rate == Rate{.count = 20, .per = std::chrono::minutes(1)});
    CHECK(limit->burst == 20);
    CHECK_FALSE(limit->window);
    CHECK(limit->prefix4 == 32);
    CHECK(limit->prefix6 == 64);
    CHECK_FALSE(limit->total);
}

TEST_CASE("what a limit may say beside its rate") {
    const std::optional<Limit> limit =
        limit_of("limit = \"5/s\"\nburst = 50\nlimit-prefix4 = 24\nlimit-prefix6 = 48\n"
                 "limit-total = \"1000/second\"");
    REQUIRE(limit);
    CHECK(limit->burst == 50);
    CHECK(limit->prefix4 == 24);
    CHECK(limit->prefix6 == 48);
    CHECK(limit->total == Rate{.count = 1000, .per = std::chrono::seconds(1)});
    CHECK(limit_of("limit = \"5/s\"\nlimit-window = true")->window);
}

TEST_CASE("a limit that makes no sense is an error where it stands") {
    CHECK(wrong(ingress("limit = 20")).size() == 1);
    CHECK(wrong(ingress("limit = \"20/fortnight\"")).size() == 1);
    CHECK(wrong(ingress("limit = \"0/minute\"")).size() == 1);
    CHECK(wrong(ingress("limit = \"2000000/second\"")) ==
          Lines{"8:9: \"limit\" must be at most 1000000 in its span"});
    CHECK(wrong(ingress("limit = \"20/minute\"\nburst = 0")).size() == 1);
    CHECK(wrong(ingress("limit = \"1/day\"\nburst = 1000")) ==
          Lines{"8:9: rule \"r\" has a burst that takes longer than a year to come back"});
    CHECK(wrong(ingress("limit = \"2/minute\"\nlimit-prefix4 = 33")).size() == 1);
    CHECK(wrong(ingress("limit = \"2/minute\"\nlimit-prefix6 = 129")).size() == 1);
    CHECK(wrong(ingress("limit = \"2/minute\"\nburst = 3\nlimit-window = true")) ==
          Lines{"10:16: rule \"r\" has both \"burst\" and \"limit-window\""});
    CHECK(wrong(ingress("limit = \"70000/minute\"\nlimit-window = true")) ==
          Lines{"9:16: a window holds at most 60000 connections"});
}

TEST_CASE("what describes a limit needs one") {
    for (const char* keys : {"burst = 3", "limit-window = true", "limit-total = \"3/minute\"",
                             "limit-prefix4 = 24", "limit-prefix6 = 48"}) {
        INFO(keys);
        CHECK(wrong(ingress(keys)).size() == 1);
    }
}

TEST_CASE("only what is let in from outside has a limit") {
    for (const char* head :
         {"[[egress]]\nname = \"r\"\nto = \"any\"\nproto = \"tcp\"\n",
          "[[forward]]\nname = \"r\"\nfrom = \"any\"\nto = \"any\"\nproto = \"tcp\"\n",
          "[[deny]]\nname = \"r\"\ndirection = \"ingress\"\n"}) {
        INFO(head);
        const Lines lines = wrong(std::string(head) + "limit = \"20/minute\"\n");
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].ends_with("only what [[ingress]] lets in has a limit"));
    }
}

TEST_CASE("max-connections stands alone or beside a limit, by the same prefixes") {
    const std::optional<Limit> alone = limit_of("max-connections = 10\nlimit-prefix6 = 48");
    REQUIRE(alone);
    CHECK(alone->connections == 10);
    CHECK(alone->rate.count == 0);
    CHECK(alone->prefix4 == 32);
    CHECK(alone->prefix6 == 48);
    const std::optional<Limit> beside = limit_of("max-connections = 60000\nlimit = \"5/s\"");
    REQUIRE(beside);
    CHECK(beside->connections == 60000);
    CHECK(beside->rate.count == 5);
    CHECK(limit_of("limit = \"5/s\"")->connections == 0);
}

TEST_CASE("max-connections that make no sense are an error where they stand") {
    CHECK(wrong(ingress("max-connections = 0")) ==
          Lines{"8:19: \"max-connections\" must be from 1 to 60000"});
    CHECK(wrong(ingress("max-connections = 60001")).size() == 1);
    CHECK(wrong(ingress("max-connections = \"10\"")).size() == 1);
    CHECK(wrong(ingress("max-connections = 3\nburst = 3")) ==
          Lines{"9:9: rule \"r\" has \"burst\" and no \"limit\""});
}

TEST_CASE("only TCP that is let in from outside has connections to count") {
    for (const char* proto : {"\"udp\"", "\"any\"", "\"sctp\"", "17"}) {
        INFO(proto);
        CHECK(wrong("[[ingress]]\nname = \"r\"\nfrom = \"any\"\nproto = " + std::string(proto) +
                    "\nmax-connections = 3\n") ==
              Lines{"8:1: rule \"r\" has \"max-connections\" and is not of TCP alone"});
    }
    CHECK(good("[[ingress]]\nname = \"r\"\nfrom = \"any\"\nproto = 6\nmax-connections = 3\n")
              .rules.at(0)
              .limit);
    for (const char* head :
         {"[[egress]]\nname = \"r\"\nto = \"any\"\nproto = \"tcp\"\n",
          "[[forward]]\nname = \"r\"\nfrom = \"any\"\nto = \"any\"\nproto = \"tcp\"\n",
          "[[deny]]\nname = \"r\"\ndirection = \"ingress\"\nproto = \"tcp\"\n"}) {
        INFO(head);
        CHECK(wrong(std::string(head) + "max-connections = 3\n").size() == 1);
    }
}
