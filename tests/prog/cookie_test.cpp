// SPDX-License-Identifier: Apache-2.0
// SYN cookies: who cannot be let in on what all share proves his address first.
#include "support/limit_table.h"
#include "support/syn_cookies.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// RFC 1071 over a part; 0xffff where a right checksum is in it.
std::uint32_t sum(const Bytes& bytes, std::size_t from, std::size_t to, std::uint32_t start = 0) {
    for (std::size_t i = from; i < to; i += 2) start += be16(bytes, i);
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return start;
}

} // namespace

TEST_CASE("beyond what all share a SYN is answered in the listener's name") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    const Bytes asked = syn(family).bytes();
    const RunResult answer = run(flooded.bench, syn(family));
    REQUIRE(answer.action == kXdpTx);
    const Bytes& frame = answer.output;
    const std::size_t ip = 14, size = family == Family::v4 ? 20 : 40, at = ip + size;
    REQUIRE(frame.size() >= std::max<std::size_t>(60, at + 24));
    CHECK(std::equal(frame.begin(), frame.begin() + 6, asked.begin() + 6));
    CHECK(std::equal(frame.begin() + 6, frame.begin() + 12, asked.begin()));
    const std::size_t length = family == Family::v4 ? 4 : 16,
                      ends = ip + (family == Family::v4 ? 12 : 8);
    for (std::size_t i = 0; i < length; ++i) {
        CHECK(frame[ends + i] == asked[ends + length + i]);
        CHECK(frame[ends + length + i] == asked[ends + i]);
    }
    CHECK(be16(frame, at) == kPort);
    CHECK(be16(frame, at + 2) == kClientPort);
    CHECK(be32(frame, at + 8) == kSeq + 1);
    CHECK(frame[at + 12] == 6 << 4);
    CHECK(frame[at + 13] == (SYN | ACK));
    CHECK(be32(frame, at + 20) == (0x02040000u | (family == Family::v4 ? 1460u : 1440u)));
    // Both sums are right, and each length says what is there.
    CHECK(sum(frame, at, at + 24, sum(frame, ends, ends + 2 * length) + 6 + 24) == 0xffff);
    if (family == Family::v4) {
        CHECK(sum(frame, ip, ip + 20) == 0xffff);
        CHECK(be16(frame, ip + 2) == 44);
    } else {
        CHECK(be16(frame, ip + 4) == 24);
    }
    CHECK(flooded.bench.rule_count("api").admitted == 1);
}

TEST_CASE("an ACK that bears the cookie counts, in its source and in all") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"1/hour\"\nlimit-total = \"3/hour\"\n"
                                    "limit-prefix6 = 128"));
    const auto from = [family](int number) {
        return ip(family, (family == Family::v4 ? "10.9.9." : "fd09::") + std::to_string(number),
                  host_of(family));
    };
    for (int i = 2; i <= 3; ++i)
        CHECK(flooded.bench.xdp(eth{} / from(i) / tcp{.dport = kPort}) == passes());
    const RunResult answer = run(flooded.bench, syn(family, 41000));
    REQUIRE(answer.action == kXdpTx);
    const std::uint32_t cookie = cookie_in(answer.output, family);
    SECTION("a source that has had its own opens no more by proving itself") {
        CHECK(flooded.bench.xdp(ack(family, cookie, 41000)) == dropped(SP_REASON_OVER_LIMIT));
        CHECK(flooded.bench.flow_entries() == 0);
    }
    SECTION("of those who prove themselves no more are let in than of all") {
        for (int i = 4; i <= 7; ++i) {
            const Packet asks = eth{} / from(i) / tcp{.sport = 41000, .dport = kPort, .seq = kSeq};
            const RunResult given = run(flooded.bench, asks);
            REQUIRE(given.action == kXdpTx);
            const Packet proves = eth{} / from(i) /
                                  tcp{.sport = 41000,
                                      .dport = kPort,
                                      .flags = ACK,
                                      .seq = kSeq + 1,
                                      .ack = cookie_in(given.output, family) + 1};
            CHECK(flooded.bench.xdp(proves) == (i <= 6 ? passes() : dropped(SP_REASON_OVER_LIMIT)));
        }
    }
    SECTION("any other acknowledgement is not the cookie's") {
        CHECK(flooded.bench.xdp(ack(family, cookie + 64, 41000)) == dropped(SP_REASON_BAD_COOKIE));
        CHECK(flooded.bench.xdp(ack(family, cookie, 41001)) == dropped(SP_REASON_BAD_COOKIE));
        CHECK(flooded.bench.flow_entries() == 0);
    }
}

TEST_CASE("a source that has proved its address is known from then on") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"3/hour\"\nlimit-total = \"1/second\""));
    const RunResult answer = run(flooded.bench, syn(family, 41000));
    REQUIRE(answer.action == kXdpTx);
    const std::uint32_t cookie = cookie_in(answer.output, family);
    age_limits(flooded.bench.instance(), 2'000'000'000);
    CHECK(flooded.bench.xdp(ack(family, cookie, 41000)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == 2);
    CHECK(flooded.bench.flow_entries() == 1);
    // Data that is here before the stack has made the socket.
    CHECK(flooded.bench.xdp(ack(family, cookie, 41000)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == 2);
}

TEST_CASE("XDP answers nothing where there is no cookie to give") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    SECTION("the rule wants none") {
        Flooded flooded(family, kOne + "syn-cookies = \"off\"\n");
        CHECK(flooded.bench.xdp(syn(family)) == dropped(SP_REASON_OVER_LIMIT));
    }
    SECTION("the kernel gives none") {
        Flooded flooded(family);
        give_cookies(1);
        CHECK(flooded.bench.xdp(syn(family)) == dropped(SP_REASON_OVER_LIMIT));
    }
    SECTION("nobody listens") {
        Bench bench{kOne};
        give_cookies(2);
        CHECK(bench.xdp(syn(family)) == passes());
        CHECK(bench.xdp(syn(family)) == dropped(SP_REASON_OVER_LIMIT));
        give_cookies(1);
    }
    SECTION("it is only observed") {
        both_ends_here();
        Bench bench{kOne, BenchOptions{.host = "mode = \"observe\"\n"}};
        const Socket service = listener(host_of(family), kPort);
        give_cookies(2);
        CHECK(bench.xdp(syn(family)) == passes());
        CHECK(bench.xdp(syn(family)) == would_be_dropped(SP_REASON_OVER_LIMIT));
        give_cookies(1);
    }
}

TEST_CASE("a tagged SYN gets a tagged answer") {
    Flooded flooded(Family::v4);
    const Packet tagged =
        eth{} / vlan{} / ipv4{} / tcp{.sport = 41000, .dport = kPort, .flags = SYN, .seq = kSeq};
    const RunResult answer = run(flooded.bench, tagged);
    REQUIRE(answer.action == kXdpTx);
    const Bytes asked = tagged.bytes();
    CHECK(std::equal(answer.output.begin() + 12, answer.output.begin() + 18, asked.begin() + 12));
    CHECK(be32(answer.output, 18 + 20 + 8) == kSeq + 1);
}

TEST_CASE("while XDP answers an ACK to a listener bears a cookie or is dropped") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    // Before it ever answered, the stack may have.
    CHECK(flooded.bench.xdp(ack(family, 1, 42000)) == passes());
    CHECK(run(flooded.bench, syn(family)).action == kXdpTx);
    CHECK(flooded.bench.xdp(ack(family, 1, 42000)) == dropped(SP_REASON_BAD_COOKIE));
}
