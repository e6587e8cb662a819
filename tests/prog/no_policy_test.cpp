// SPDX-License-Identifier: Apache-2.0
// Nothing fails open: no policy, a slot that is empty or out of range, a table
// that is missing. And which slot is in force while a trial runs.
#include "sallyport/abi/control.h"
#include "support/bench.h"
#include "support/icmp_message.h"

#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <ctime>

using namespace sallyport::test;

namespace {

const std::string kOpen = allow_in("in", "any", "any") + allow_out("out", "any", "any");

std::uint64_t boot_ms() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

void check_all_refused(Bench& bench, Family family) {
    CHECK(bench.xdp(to_host(family) / tcp{}) == dropped(SP_REASON_NO_POLICY));
    CHECK(bench.xdp(to_host(family) / udp{}) == dropped(SP_REASON_NO_POLICY));
    CHECK(bench.cgroup(from_host(family) / tcp{}) == dropped(SP_REASON_NO_POLICY));
    CHECK(bench.tc(from_host(family) / tcp{}) == dropped(SP_REASON_NO_POLICY));
}

} // namespace

TEST_CASE("without a policy everything is dropped, at every hook, the essentials too") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    CHECK(bench.xdp(to_host(family) / tcp{}) == passes());
    bench.set_control(0);
    check_all_refused(bench, family);
    CHECK(bench.xdp(eth{} / arp{}) == dropped(SP_REASON_NO_POLICY));
    CHECK(bench.tc(eth{} / arp{}) == dropped(SP_REASON_NO_POLICY));
    CHECK(bench.xdp(eth{} / ipv6{.hop_limit = 255} / neighbour_solicitation()) ==
          dropped(SP_REASON_NO_POLICY));
    bench.set_control(sp_control_word(bench.slot(), 0, 0));
    CHECK(bench.xdp(to_host(family) / tcp{}) == passes());
}

TEST_CASE("a slot beyond the last or never filled denies everything") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kOpen};
    for (std::uint32_t slot : {static_cast<std::uint32_t>(SP_SLOTS), 200u, 255u}) {
        INFO("slot " << slot);
        bench.set_control(sp_control_word(slot, 0, 0));
        check_all_refused(bench, family);
    }
    const sp_slot never{};
    const std::uint32_t slot = bench.slot();
    REQUIRE(bpf_map_update_elem(bench.maps().slots, &slot, &never, BPF_ANY) == 0);
    bench.set_control(sp_control_word(slot, 0, 0));
    check_all_refused(bench, family);
}

TEST_CASE("a policy whose table is missing denies what would be looked up there") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    auto refused_without = [&](int sallyport::Maps::* map) {
        Bench bench{allow_in("in", "198.51.100.0/24 2001:db8:1::/48", "tcp", "22")};
        CHECK(bench.xdp(to_host(family) / tcp{}) == passes());
        const std::uint32_t slot = bench.slot();
        REQUIRE(bpf_map_delete_elem(bench.maps().*map, &slot) == 0);
        CHECK(bench.xdp(to_host(family) / tcp{}) == dropped(SP_REASON_INTERNAL));
    };
    refused_without(&sallyport::Maps::ports);
    refused_without(&sallyport::Maps::cells);
    refused_without(&sallyport::Maps::rules);
    refused_without(family == Family::v4 ? &sallyport::Maps::v4_trie : &sallyport::Maps::v6_trie);
}

TEST_CASE("a missing bitmap asks the trie, which decides") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("in", "198.51.100.0/24 2001:db8:1::/48", "tcp", "22")};
    const std::uint32_t slot = bench.slot();
    REQUIRE(bpf_map_delete_elem(family == Family::v4 ? bench.maps().v4_bits : bench.maps().v6_bits,
                                &slot) == 0);
    CHECK(bench.xdp(to_host(family) / tcp{}) == passes());
    std::string stranger = family == Family::v4 ? "198.51.101.7" : "2001:db8:2::7";
    CHECK(bench.xdp(eth{} / ip(family, stranger, host_of(family)) / tcp{}) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a rule of nothing but zeroes denies") {
    Bench bench{allow_in("in", "any", "tcp", "22")};
    const std::uint32_t slot = bench.slot();
    std::uint32_t id = 0;
    REQUIRE(bpf_map_lookup_elem(bench.maps().rules, &slot, &id) == 0);
    int rules = bpf_map_get_fd_by_id(id);
    REQUIRE(rules >= 0);
    const std::uint32_t first = 0;
    const sp_rule nothing{};
    REQUIRE(bpf_map_update_elem(rules, &first, &nothing, BPF_ANY) == 0);
    Seen seen = bench.xdp(to_host(Family::v4) / tcp{});
    CHECK_FALSE(seen.passed);
    CHECK(seen.reason == SP_REASON_DENIED);
}

TEST_CASE("while a trial runs the active slot judges, past its deadline the fallback does") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    const std::uint32_t good = bench.slot();
    bench.reload(allow_in("web", "any", "tcp", "80"));
    const std::uint32_t trial = bench.slot();
    REQUIRE(good != trial);
    auto opens = [&](std::uint16_t port) {
        return bench.xdp(to_host(family) / tcp{.dport = port}).passed;
    };

    bench.set_control(sp_control_word(trial, good, boot_ms() + 3600000));
    CHECK(opens(80));
    CHECK_FALSE(opens(22));
    bench.set_control(sp_control_word(trial, good, boot_ms() - 1));
    CHECK(opens(22));
    CHECK_FALSE(opens(80));
    bench.set_control(sp_control_word(trial, 0, boot_ms() - 1)); // no fallback is no policy
    CHECK_FALSE(opens(22));
    CHECK_FALSE(opens(80));
    bench.set_control(sp_control_word(trial, good, 0)); // no deadline, no trial
    CHECK(opens(80));
    CHECK_FALSE(opens(22));
}
