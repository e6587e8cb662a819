// SPDX-License-Identifier: Apache-2.0
// What stands in front of the tries of bans: what lacks is told, what is idle is counted.
#include "bans/ban_bits.h"
#include "bans/ban_gate.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

Prefix net(const char* text) {
    Result<Prefix> parsed = parse_prefix(text);
    if (!parsed) FAIL(parsed.error().text());
    return *parsed;
}

BanGate gate_of(const std::vector<Prefix>& prefixes) {
    BanBits bits;
    for (const Prefix& prefix : prefixes) bits.add(prefix);
    return {.levels = bits.state().levels, .chunks = bits.chunks()};
}

} // namespace

TEST_CASE("what is written for a ban has its level and all of its bits", "[ban-gate]") {
    const std::vector<Prefix> all{net("198.51.100.7"), net("203.0.113.0/24"), net("10.0.0.0/8"),
                                  net("0.0.0.0/0"),    net("2001:db8::/32"),  net("2000::/3"),
                                  net("2001:db8:7::7")};
    const BanGate gate = gate_of(all);
    BanGateCheck check(gate);
    CHECK(check.idle_levels() == gate.levels);
    CHECK(check.idle_bits() > 0);
    for (const Prefix& prefix : all) {
        CHECK(check.has_level_of(prefix));
        CHECK(check.unset_bits_of(prefix) == 0);
        check.explain(prefix);
    }
    CHECK(check.idle_levels() == 0);
    CHECK(check.idle_bits() == 0);
}

TEST_CASE("a bit or a level that lacks is told of the bans that it stood for alone", "[ban-gate]") {
    const Prefix kept = net("203.0.113.0/24"), gone = net("198.51.100.7"), wide = net("16.0.0.0/6");
    BanGate gate = gate_of({kept, wide});
    CHECK(BanGateCheck(gate).unset_bits_of(gone) == 1);
    CHECK(BanGateCheck(gate).unset_bits_of(kept) == 0);
    CHECK(BanGateCheck(gate).unset_bits_of(net("20.0.0.0/6")) == 4);
    each_ban_bit(net("17.0.0.0/8"), [&](std::uint32_t bit) {
        gate.chunks[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] &=
            ~(std::uint64_t{1} << (bit % 64));
    });
    CHECK(BanGateCheck(gate).unset_bits_of(wide) == 1);
    gate.levels = 1u << SP_BAN_LEVEL_V4_8;
    CHECK(BanGateCheck(gate).has_level_of(wide));
    CHECK_FALSE(BanGateCheck(gate).has_level_of(kept));
    gate.chunks.resize(1); // of a map that is smaller than it should be
    CHECK(BanGateCheck(gate).unset_bits_of(kept) == 1);
}
