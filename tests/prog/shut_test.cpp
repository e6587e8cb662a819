// SPDX-License-Identifier: Apache-2.0
// What a NIC runs while it is taken over from the hold: nothing passes, whatever the rules.
#include "support/bench.h"
#include "support/machine.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint32_t kXdpDrop = 1;
constexpr std::uint32_t kXdpPass = 2;

std::uint32_t run(Bench& bench, const Packet& packet) {
    const Result<RunResult> result =
        run_xdp(bench.programs().fd(Program::xdp_shut), packet.bytes(), ifindex_of("eth0"));
    REQUIRE(result);
    return result->action;
}

} // namespace

TEST_CASE(
    "while a NIC is taken over nothing passes, not even what a rule allows, and is reported") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    const Packet allowed = to_host(family) / tcp{.dport = 22};
    CHECK(bench.xdp(allowed) == passes());
    static_cast<void>(bench.instance().take_events());
    CHECK(run(bench, allowed) == kXdpDrop);
    const std::vector<sp_event> events = bench.instance().take_events();
    REQUIRE(events.size() == 1);
    CHECK(events[0].reason == SP_REASON_NOT_GUARDED);
    CHECK(events[0].hook == SP_HOOK_HOLD);
    CHECK(events[0].direction == SP_INGRESS);
}

TEST_CASE("while a NIC is taken over in observe mode everything passes") {
    Bench bench{"", BenchOptions{.host = "mode = \"observe\"\n"}};
    CHECK(run(bench, to_host(Family::v4) / tcp{.dport = 22}) == kXdpPass);
    static_cast<void>(bench.instance().take_events());
}

TEST_CASE("while a NIC is taken over without a policy nothing passes") {
    Bench bench{"", BenchOptions{.host = "mode = \"observe\"\n"}};
    bench.set_control(0);
    CHECK(run(bench, to_host(Family::v6) / tcp{.dport = 22}) == kXdpDrop);
    static_cast<void>(bench.instance().take_events());
}
