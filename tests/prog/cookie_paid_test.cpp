// SPDX-License-Identifier: Apache-2.0
// SYNs that the stack itself answers by a cookie were counted: their ACKs are not, once each.
#include "support/limit_table.h"
#include "support/syn_cookies.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// The stack's own, which no socket sends.
Packet stacks_answer(Family family, const std::string& to = "") {
    const Packet answer = to.empty() ? from_host(family) : eth{} / ip(family, host_of(family), to);
    return answer / tcp{.sport = kPort,
                        .dport = kClientPort,
                        .flags = SYN | ACK,
                        .seq = 1,
                        .ack = kSeq + 1,
                        .options = {2, 4, 5, 0xb4}};
}

std::string other_source(Family family) {
    return family == Family::v4 ? "10.9.9.2" : "fd09::2";
}

// What the listener's kernel would answer to a SYN from this port, whoever asks it.
std::uint32_t cookie_for(Flooded& flooded, Family family, std::uint16_t sport) {
    const RunResult answer = run(flooded.bench, syn(family, sport));
    REQUIRE(answer.action == kXdpTx);
    return cookie_in(answer.output, family);
}

} // namespace

TEST_CASE("a connection that the stack answered by a cookie is counted at its SYN alone") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"1/hour\"\nlimit-total = \"1/hour\""));
    const std::uint32_t first = cookie_for(flooded, family, 41000),
                        second = cookie_for(flooded, family, 41001);
    CHECK(flooded.bench.tc(stacks_answer(family)) == passes());
    CHECK(flooded.bench.xdp(ack(family, first, 41000)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == 1);
    // Its next segment is of that connection, before the stack has made the socket too.
    CHECK(flooded.bench.xdp(ack(family, first, 41000)) == passes());
    // It has paid for one: another cookie that it has kept is not free.
    CHECK(flooded.bench.xdp(ack(family, second, 41001)) == dropped(SP_REASON_OVER_LIMIT));
    CHECK(flooded.bench.rule_count("api").admitted == 1);
}

TEST_CASE("a source that has paid for none pays at its ACK, and takes nothing of who has") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"1/hour\"\nlimit-total = \"1/hour\""));
    const std::uint32_t first = cookie_for(flooded, family, 41000);
    const Packet from = eth{} / ip(family, other_source(family), host_of(family));
    const RunResult given =
        run(flooded.bench, from / tcp{.sport = 41000, .dport = kPort, .flags = SYN, .seq = kSeq});
    REQUIRE(given.action == kXdpTx);
    const Packet proves = from / tcp{.sport = 41000,
                                     .dport = kPort,
                                     .flags = ACK,
                                     .seq = kSeq + 1,
                                     .ack = cookie_in(given.output, family) + 1};
    CHECK(flooded.bench.tc(stacks_answer(family)) == passes());
    // Nor is an ACK without the cookie the one that is paid for.
    CHECK(flooded.bench.xdp(ack(family, first + 64, 41000)) == dropped(SP_REASON_BAD_COOKIE));
    CHECK(flooded.bench.xdp(proves) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == 2);
    CHECK(flooded.bench.xdp(ack(family, first, 41000)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == 2);
}

TEST_CASE("without a flood too a cookie that was kept is not free") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"2/hour\"\nlimit-total = \"1/hour\""));
    const std::uint32_t first = cookie_for(flooded, family, 41000),
                        second = cookie_for(flooded, family, 41001),
                        third = cookie_for(flooded, family, 41002);
    forget_limits(flooded.bench.instance());
    CHECK(flooded.bench.xdp(syn(family)) == passes());
    CHECK(flooded.bench.tc(stacks_answer(family)) == passes());
    const std::uint64_t before = flooded.bench.rule_count("api").admitted;
    CHECK(flooded.bench.xdp(ack(family, first, 41000)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == before);
    CHECK(flooded.bench.xdp(ack(family, second, 41001)) == passes());
    CHECK(flooded.bench.rule_count("api").admitted == before + 1);
    CHECK(flooded.bench.xdp(ack(family, third, 41002)) == dropped(SP_REASON_OVER_LIMIT));
    // What bears no cookie the stack answers, as long as XDP has not.
    CHECK(flooded.bench.xdp(ack(family, third + 64, 41003)) == passes());
}

TEST_CASE("the cookie of a connection that has ended opens no other for nothing") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family, limited("limit = \"1/hour\"\nlimit-total = \"1/hour\""));
    const std::uint32_t cookie = cookie_for(flooded, family, 41000);
    const auto segment = [&](std::uint8_t flags) {
        return to_host(family) / tcp{.sport = 41000,
                                     .dport = kPort,
                                     .flags = flags,
                                     .seq = kSeq + 1,
                                     .ack = cookie + 1};
    };
    CHECK(flooded.bench.tc(stacks_answer(family)) == passes());
    CHECK(flooded.bench.xdp(segment(ACK)) == passes());
    CHECK(flooded.bench.xdp(segment(RST | ACK)) == passes());
    CHECK(flooded.bench.xdp(segment(ACK)) == dropped(SP_REASON_OVER_LIMIT));
    // Nor with a FIN, with which the stack takes a cookie too; a last RST is as it was.
    CHECK(flooded.bench.xdp(segment(FIN | ACK)) == dropped(SP_REASON_NO_FLOW));
    CHECK(flooded.bench.xdp(segment(RST | ACK)) == passes());
}

TEST_CASE("XDP that gave no cookie asks for none") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    give_cookies(1);
    CHECK(flooded.bench.xdp(syn(family)) == dropped(SP_REASON_OVER_LIMIT));
    CHECK(flooded.bench.xdp(ack(family, 1, 42000)) == passes());
    age_limits(flooded.bench.instance(), 3'601'000'000'000);
    // Nor does what a flood used up wait for ten seconds more.
    CHECK(flooded.bench.xdp(syn(family)) == passes());
    give_cookies(2);
}
