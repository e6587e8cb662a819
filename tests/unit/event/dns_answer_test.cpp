// SPDX-License-Identifier: Apache-2.0
#include "event/dns_answer.h"
#include "support/dns_message.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;
using std::chrono::seconds;

namespace {

std::optional<DnsAnswer> parsed(const DnsMessage& message) {
    return parse_dns_answer(std::as_bytes(std::span(message.bytes())));
}

std::vector<DnsAnswer::Found> found(std::string_view address, int lives) {
    return {{.address = addr(address), .lives = seconds(lives)}};
}

} // namespace

TEST_CASE("an answer gives the name that was asked for and its addresses, of either family") {
    const auto four =
        parsed(DnsMessage("api.example.com").a("api.example.com", 60, {203, 0, 113, 9}));
    REQUIRE(four);
    CHECK(four->name == "api.example.com");
    CHECK(four->found == found("203.0.113.9", 60));
    const auto six = parsed(DnsMessage("api.example.com", 28).aaaa("api.example.com", 61, 9));
    REQUIRE(six);
    CHECK(six->found == found("2001:db8::9", 61));
    const auto two = parsed(DnsMessage("api.example.com")
                                .a("api.example.com", 60, {203, 0, 113, 9})
                                .a("api.example.com", 60, {203, 0, 113, 10}));
    REQUIRE(two);
    CHECK(two->found.size() == 2);
}

TEST_CASE("the name told is the one asked for, whatever it is an alias of") {
    const auto answer = parsed(DnsMessage("www.example.com")
                                   .cname("www.example.com", 30, "edge.cdn.example")
                                   .cname("edge.cdn.example", 300, "x7.cdn.example")
                                   .a("x7.cdn.example", 3600, {203, 0, 113, 9}));
    REQUIRE(answer);
    CHECK(answer->name == "www.example.com");
    CHECK(answer->found == found("203.0.113.9", 30)); // as long as the shortest on the way
}

TEST_CASE("an address of another name than the one asked for is not its") {
    CHECK_FALSE(parsed(DnsMessage("www.example.com").a("bank.example", 60, {203, 0, 113, 9})));
    CHECK_FALSE(parsed(DnsMessage("www.example.com")
                           .cname("other.example", 60, "bank.example")
                           .a("bank.example", 60, {203, 0, 113, 9})));
    CHECK_FALSE(parsed(DnsMessage("www.example.com", 28).a("bank.example", 60, {1, 2, 3, 4})));
}

TEST_CASE("upper and lower case are the same name, told in lower case") {
    const auto answer =
        parsed(DnsMessage("aPi.ExAmple.Com").a("APi.EXAmple.com", 60, {203, 0, 113, 9}));
    REQUIRE(answer);
    CHECK(answer->name == "api.example.com");
}

TEST_CASE("a name with anything but letters, digits, '-' and '_' is none") {
    for (const std::string_view name :
         {"a\x1b[2J.example", "a b.example", "a\nb.example", "caf\xc3\xa9.example", "a\"b.example",
          "*.example", "a/b.example", "a\x7f.example"}) {
        INFO(name);
        CHECK_FALSE(parsed(DnsMessage(name).a(name, 60, {203, 0, 113, 9})));
    }
    CHECK_FALSE(parsed(DnsMessage("").a("", 60, {203, 0, 113, 9}))); // the root
    // A dot within a label would make it another's.
    DnsMessage dotted(DnsMessage::Labels{"www.bank", "example"});
    dotted.a(DnsMessage::Labels{"www.bank", "example"}, 60, {203, 0, 113, 9});
    CHECK_FALSE(parsed(dotted));
    const auto service = parsed(DnsMessage("_dmarc.x-1.example").a("_dmarc.x-1.example", 60, {}));
    REQUIRE(service);
    CHECK(service->name == "_dmarc.x-1.example");
}

TEST_CASE("an alias with strange bytes is followed, since nobody sees it") {
    const auto answer = parsed(DnsMessage("www.example.com")
                                   .cname("www.example.com", 60, "a\x1b.example")
                                   .a("a\x1b.example", 60, {203, 0, 113, 9}));
    REQUIRE(answer);
    CHECK(answer->name == "www.example.com");
}

TEST_CASE("what is no answer without error to one question for addresses teaches nothing") {
    const auto with_flags = [](unsigned flags) {
        DnsMessage message("api.example.com");
        message.a("api.example.com", 60, {203, 0, 113, 9}).set16(2, flags);
        return parsed(message);
    };
    CHECK(with_flags(0x8180));
    CHECK(with_flags(0x8380));       // cut off (TC): what is there is so
    CHECK_FALSE(with_flags(0x0100)); // a question
    CHECK_FALSE(with_flags(0x8183)); // NXDOMAIN
    CHECK_FALSE(with_flags(0xa180)); // a NOTIFY
    for (const unsigned questions : {0u, 2u, 0xffffu}) {
        DnsMessage message("api.example.com");
        message.a("api.example.com", 60, {203, 0, 113, 9}).set16(4, questions);
        CHECK_FALSE(parsed(message));
    }
    for (const unsigned type : {2u, 15u, 16u, 65u})
        CHECK_FALSE(parsed(DnsMessage("api.example.com", type).a("api.example.com", 60, {})));
    CHECK_FALSE(parsed(DnsMessage("api.example.com", 1, 3).a("api.example.com", 60, {})));
    CHECK_FALSE(parsed(DnsMessage("api.example.com")));
}

TEST_CASE("cut off at any length, a message gives the records that are whole, and no others") {
    DnsMessage message("www.example.com");
    message.cname("www.example.com", 30, "edge.cdn.example");
    const std::size_t alias_ends = message.bytes().size();
    message.a("edge.cdn.example", 60, {203, 0, 113, 9});
    const std::size_t first_ends = message.bytes().size();
    message.aaaa("edge.cdn.example", 60, 9);
    const std::vector<std::uint8_t>& bytes = message.bytes();
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        INFO(length);
        // On the heap and just so long, that a read behind it is seen.
        const std::vector<std::uint8_t> part(bytes.begin(),
                                             bytes.begin() + static_cast<std::ptrdiff_t>(length));
        const auto answer = parse_dns_answer(std::as_bytes(std::span(part)));
        const std::size_t want = length == bytes.size() ? 2 : length >= first_ends ? 1 : 0;
        CHECK((answer ? answer->found.size() : 0) == want);
    }
    CHECK(alias_ends < first_ends);
}

TEST_CASE("compressed names are followed, and pointers that lead on or around are refused") {
    DnsMessage good("api.example.com");
    good.a(DnsMessage::Pointer{12}, 60, {203, 0, 113, 9});
    const auto answer = parsed(good);
    REQUIRE(answer);
    CHECK(answer->found == found("203.0.113.9", 60));
    // To itself, to behind itself, to behind the end.
    for (const unsigned to : {33u, 34u, 0x3fffu}) {
        DnsMessage bad("api.example.com");
        REQUIRE(bad.bytes().size() == 33);
        bad.a(DnsMessage::Pointer{to}, 60, {203, 0, 113, 9});
        CHECK_FALSE(parsed(bad));
    }
    // The question's own name begins with a pointer to itself.
    std::vector<std::uint8_t> loop(good.bytes());
    loop[12] = 0xc0;
    loop[13] = 12;
    CHECK_FALSE(parse_dns_answer(std::as_bytes(std::span(loop))));
    // Two that lead to each other.
    loop[13] = 14;
    loop[14] = 0xc0;
    loop[15] = 12;
    CHECK_FALSE(parse_dns_answer(std::as_bytes(std::span(loop))));
}

TEST_CASE("a name longer than one can be, and labels of the kinds that nobody uses, are refused") {
    std::string name;
    for (int i = 0; i < 4; ++i) name += (i == 0 ? "" : ".") + std::string(61, 'a');
    CHECK(parsed(DnsMessage(name).a(name, 60, {}))); // 4 * 62 + 1 = 249
    name += ".aaaa";                                 // 254
    CHECK(parsed(DnsMessage(name).a(name, 60, {})));
    name += "aa"; // 256
    CHECK_FALSE(parsed(DnsMessage(name).a(name, 60, {})));
    for (const std::uint8_t length : std::initializer_list<std::uint8_t>{0x40, 0x80, 0xbf}) {
        std::vector<std::uint8_t> bytes(DnsMessage("api.example.com").a("x", 60, {}).bytes());
        bytes[12] = length;
        CHECK_FALSE(parse_dns_answer(std::as_bytes(std::span(bytes))));
    }
}

TEST_CASE("however many records there are, a bounded number is taken") {
    DnsMessage many("many.example");
    for (std::uint8_t i = 0; i < 100; ++i) many.a("many.example", 60, {10, 0, 0, i});
    const auto answer = parsed(many);
    REQUIRE(answer);
    CHECK(answer->found.size() == 32);
    DnsMessage aliases("n0.example");
    for (int i = 0; i < 60; ++i)
        aliases.cname("n" + std::to_string(i) + ".example", 60,
                      "n" + std::to_string(i + 1) + ".example");
    CHECK_FALSE(parsed(aliases.a("n60.example", 60, {203, 0, 113, 9})));
}

TEST_CASE("a time to live with the highest bit set is none") {
    const auto answer =
        parsed(DnsMessage("api.example.com").a("api.example.com", 0x80000000u, {203, 0, 113, 9}));
    REQUIRE(answer);
    CHECK(answer->found == found("203.0.113.9", 0));
}
