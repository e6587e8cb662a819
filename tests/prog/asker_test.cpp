// SPDX-License-Identifier: Apache-2.0
// Asker: the second instance over the maps of a wall that stands. It says what the wall
// would do and by which rule, and the wall notices nothing.
#include "kernel/ask.h"
#include "support/bench.h"
#include "support/flow_table.h"
#include "support/machine.h"
#include "support/packet.h"
#include "support/statuses.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstdio>

using namespace sallyport;
using namespace sallyport::test;

namespace {

Asker asker_of(const Bench& bench, std::vector<AskAt> at, AskFlows flows = AskFlows::known) {
    Result<Asker> asker =
        Asker::over(bench.programs(), {.slot = 0, .flows = flows, .at = std::move(at)});
    if (!asker) FAIL(asker.error().text() + "\n" + asker.error().verifier_log);
    return std::move(*asker);
}

Judgement ask(const Asker& asker, AskAt at, const Packet& packet, const std::string& interface,
              std::uint32_t uid = 0) {
    const Bytes bytes = packet.bytes();
    Result<Judgement> verdict = asker.ask({.at = at,
                                           .packet = bytes,
                                           .ifindex = ifindex_of(interface),
                                           .out = 0,
                                           .cgroup = 0,
                                           .uid = uid});
    if (!verdict) FAIL(verdict.error().text());
    return *verdict;
}

const std::string kPolicy =
    allow_in("ssh", "any", "tcp", "22") + allow_out("web", "any", "tcp", "443");

TEST_CASE("the asker says the verdict, the reason, the rule and the generation of the wall") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kPolicy};
    const Asker asker = asker_of(bench, {AskAt::arriving, AskAt::sending, AskAt::leaving});

    const Judgement in = ask(asker, AskAt::arriving, to_host(family) / tcp{.dport = 22}, "eth0");
    CHECK(in.settled);
    CHECK(in.pass);
    CHECK(in.reason == SP_REASON_NONE);
    CHECK(in.rule == 1);
    CHECK(in.direction == SP_INGRESS);
    CHECK(in.hook == SP_HOOK_XDP);
    CHECK(in.opened);
    CHECK(in.generation == bench.image().slot.generation);

    const Judgement shut = ask(asker, AskAt::arriving, to_host(family) / tcp{.dport = 23}, "eth0");
    CHECK_FALSE(shut.pass);
    CHECK(shut.reason == SP_REASON_NO_RULE);
    CHECK(shut.rule == 0);

    for (const AskAt at : {AskAt::sending, AskAt::leaving}) {
        const Judgement out = ask(asker, at, from_host(family) / tcp{.dport = 443}, "eth0");
        CHECK(out.pass);
        CHECK(out.rule == 2);
        CHECK(out.direction == SP_EGRESS);
        const Judgement none = ask(asker, at, from_host(family) / tcp{.dport = 444}, "eth0");
        CHECK_FALSE(none.pass);
        CHECK(none.reason == SP_REASON_NO_RULE);
    }
    CHECK(bench.flow_entries() == 0);
    CHECK(bench.rule_count("ssh").admitted == 0);
    CHECK(bench.instance().take_events().empty());
}

TEST_CASE("the asker follows the slot in force at its load, and a reload needs another") {
    Bench bench{kPolicy};
    const Asker old = asker_of(bench, {AskAt::arriving});
    bench.reload(allow_in("telnet", "any", "tcp", "23"));
    const Asker now = asker_of(bench, {AskAt::arriving});
    const Packet syn = to_host(Family::v4) / tcp{.dport = 22};
    CHECK(ask(old, AskAt::arriving, syn, "eth0").pass);
    CHECK_FALSE(ask(now, AskAt::arriving, syn, "eth0").pass);
    CHECK(old.slot() != now.slot());
}

TEST_CASE("a limit that is reached is told, and asking spends none of it") {
    const Family family = GENERATE(Family::v4, Family::v6);
    Bench bench{allow_in("ssh", "any", "tcp", "22") + "limit = \"1/hour\"\n"};
    const Asker asker = asker_of(bench, {AskAt::arriving});
    const Packet syn = to_host(family) / tcp{.dport = 22};
    for (int i = 0; i < 20; ++i) CHECK(ask(asker, AskAt::arriving, syn, "eth0").pass);
    CHECK(bench.xdp(syn).passed);
    const Judgement refused = ask(asker, AskAt::arriving, syn, "eth0");
    CHECK_FALSE(refused.pass);
    CHECK(refused.reason == SP_REASON_OVER_LIMIT);
    CHECK(refused.rule == 1);
}

TEST_CASE("a flow is known to the asker unless it is to know none") {
    Bench bench{kPolicy};
    REQUIRE(seed_flow(bench.instance(), numbered_flow(1)));
    const Packet ack =
        eth{} / ipv4{.src = "10.0.0.1"} / tcp{.sport = 443, .dport = 20001, .flags = ACK};
    CHECK(ask(asker_of(bench, {AskAt::arriving}), AskAt::arriving, ack, "eth0").pass);
    const Judgement none =
        ask(asker_of(bench, {AskAt::arriving}, AskFlows::none), AskAt::arriving, ack, "eth0");
    CHECK(none.reason == SP_REASON_NO_FLOW);
}

TEST_CASE("who sends is who the question says, not who asks") {
    const Family family = GENERATE(Family::v4, Family::v6);
    Bench bench{allow_out("web", "any", "tcp", "443") + "user = 1001\n"};
    const Asker asker = asker_of(bench, {AskAt::sending});
    const Packet syn = from_host(family) / tcp{.dport = 443};
    CHECK(ask(asker, AskAt::sending, syn, "eth0", 1001).pass);
    CHECK_FALSE(ask(asker, AskAt::sending, syn, "eth0", 1002).pass);
}

TEST_CASE("what is routed is asked with both of its interfaces") {
    const Family family = GENERATE(Family::v4, Family::v6);
    const sp_forward_hook hook = GENERATE(SP_FORWARD_NETFILTER, SP_FORWARD_TC_INGRESS);
    const bool v4 = family == Family::v4;
    Bench bench{allow_through("on", v4 ? "10.9.0.0/16" : "fd09::/16",
                              v4 ? "10.8.0.0/16" : "fd08::/16", "tcp", "80"),
                {.forward_hook = hook}};
    const Asker asker = asker_of(bench, {AskAt::routed});
    const auto packet = [&](std::uint16_t port) {
        return v4 ? eth{} / ipv4{.src = "10.9.0.1", .dst = "10.8.0.1"} / tcp{.dport = port}
                  : eth{} / ipv6{.src = "fd09::1", .dst = "fd08::1"} / tcp{.dport = port};
    };
    const Judgement on = ask(asker, AskAt::routed, packet(80), "eth2");
    CHECK(on.pass);
    CHECK(on.rule == 1);
    CHECK(on.direction == SP_FORWARD);
    const Judgement off = ask(asker, AskAt::routed, packet(81), "eth2");
    CHECK_FALSE(off.pass);
    CHECK(off.reason == SP_REASON_NO_RULE);
}

TEST_CASE("without a policy in force there is nothing to ask") {
    Bench bench{kPolicy};
    bench.set_control(0);
    const Result<Asker> asker = Asker::over(
        bench.programs(), {.slot = 0, .flows = AskFlows::known, .at = {AskAt::arriving}});
    REQUIRE_FALSE(asker);
    CHECK(asker.error().kind == ErrorKind::not_found);
}

TEST_CASE("how long an asker takes to load", "[.measure]") {
    Bench bench{kPolicy, {.forward_hook = SP_FORWARD_NETFILTER}};
    const auto measure = [&](const char* name, std::vector<AskAt> at) {
        const auto start = std::chrono::steady_clock::now();
        const Asker asker = asker_of(bench, std::move(at));
        const auto loaded = std::chrono::steady_clock::now();
        std::printf(
            "%s: %lld ms\n", name,
            static_cast<long long>(
                std::chrono::duration_cast<std::chrono::milliseconds>(loaded - start).count()));
    };
    measure("arriving", {AskAt::arriving});
    measure("sending", {AskAt::sending});
    measure("leaving", {AskAt::leaving});
    measure("routed", {AskAt::routed});
    measure("all", {AskAt::arriving, AskAt::sending, AskAt::leaving, AskAt::routed});
}

} // namespace
