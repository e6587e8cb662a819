// SPDX-License-Identifier: Apache-2.0
// The reader on its own: images made by hand, and images with a part broken.
#include "compile/lookup.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

// TCP port 22 from 10.0.0.0/8 by rule 0, nothing else.
MapImage by_hand() {
    MapImage image;
    image.ports.resize(SP_PORT_CHUNKS);
    image.ports[22 / SP_CHUNK_WORDS].words[22 % SP_CHUNK_WORDS] = 1;
    image.v4_bits.resize(SP_V4_BITS / SP_CHUNK_BITS);
    image.v6_bits.resize(SP_V6_BITS / SP_CHUNK_BITS);
    for (std::uint32_t bit = 0x0a0000; bit <= 0x0affff; ++bit)
        image.v4_bits[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] |= 1ull << (bit % 64);
    image.v4_trie.emplace_back(sp_v4_key{.prefix_len = 8, .addr = {10, 0, 0, 0}}, 1);
    image.cgroup_states.push_back({});
    image.rules.push_back({.allow = 1, .flags = 0, .counter = 0, .spare = 0});
    image.slot.n_classes = 2;
    image.slot.n_ifaces = 1;
    image.slot.n_users = 1;
    image.cells.resize(1);
    // Words 0-1: near, 2-5: the table of two near and two port classes.
    image.slot.dims[SP_INGRESS] = {.near_at = 0,
                                   .first_at = 2,
                                   .far_at = 0,
                                   .second_at = 0,
                                   .n_near = 2,
                                   .n_ports = 2,
                                   .n_second = 1,
                                   .spare = 0};
    image.cells[0].words[1] = 1;
    image.cells[0].words[5] = 1;
    return image;
}

Opening ssh_from(const std::string& source) {
    Opening opening;
    opening.source = *parse_address(source);
    opening.proto = 6;
    opening.port = 22;
    return opening;
}

} // namespace

TEST_CASE("an image made by hand is read as the abi has it") {
    const MapImage image = by_hand();
    const Lookup tables(image);
    CHECK(tables.cell(ssh_from("10.0.0.0")) == 1u);
    CHECK(tables.cell(ssh_from("10.255.255.255")) == 1u);
    CHECK(tables.cell(ssh_from("11.0.0.0")) == 0u);
    CHECK(tables.cell(ssh_from("9.255.255.255")) == 0u);
    CHECK(tables.cell(ssh_from("fd00::1")) == 0u);
    Opening other = ssh_from("10.0.0.1");
    other.port = 23;
    CHECK(tables.cell(other) == 0u);
    other.port = 22;
    other.proto = 17;
    CHECK(tables.cell(other) == 0u);
}

TEST_CASE("a direction that was never filled answers nothing") {
    const MapImage image = by_hand();
    Opening opening = ssh_from("10.0.0.1");
    opening.direction = Direction::egress;
    CHECK_FALSE(Lookup(image).cell(opening));
    CHECK(Lookup(image).verdict(opening) == Verdict{});
}

TEST_CASE("a clear bit hides the trie, a set one asks it") {
    MapImage image = by_hand();
    image.v4_bits.assign(image.v4_bits.size(), {});
    CHECK(Lookup(image).cell(ssh_from("10.0.0.1")) == 0u);
}

TEST_CASE("an offset outside the tables is no answer") {
    MapImage near = by_hand();
    near.slot.dims[SP_INGRESS].near_at = 32;
    CHECK_FALSE(Lookup(near).cell(ssh_from("10.0.0.1")));
    MapImage first = by_hand();
    first.slot.dims[SP_INGRESS].first_at = 32;
    CHECK_FALSE(Lookup(first).cell(ssh_from("10.0.0.1")));
    MapImage wide = by_hand();
    wide.slot.dims[SP_INGRESS].n_near = 1; // the word says 1
    CHECK_FALSE(Lookup(wide).cell(ssh_from("10.0.0.1")));
    MapImage beyond = by_hand();
    beyond.slot.n_classes = 1;
    CHECK_FALSE(Lookup(beyond).cell(ssh_from("10.0.0.1")));
}

TEST_CASE("a rule that stores nothing denies") {
    MapImage image = by_hand();
    image.rules[0].allow = 0;
    CHECK(Lookup(image).verdict(ssh_from("10.0.0.1")).answer == Answer::denied);
    image.rules.clear();
    CHECK(Lookup(image).verdict(ssh_from("10.0.0.1")).answer == Answer::no_rule);
}

TEST_CASE("the longest of several prefixes answers") {
    LongestMatch match;
    match.add(*parse_address("10.0.0.0"), 104, 1);
    match.add(*parse_address("10.1.0.0"), 112, 2);
    match.add(*parse_address("10.1.1.1"), 128, 3);
    match.add(Address{}, 0, 9);
    match.finish();
    CHECK(match.find(*parse_address("10.1.1.1")) == 3u);
    CHECK(match.find(*parse_address("10.1.1.2")) == 2u);
    CHECK(match.find(*parse_address("10.2.0.0")) == 1u);
    CHECK(match.find(*parse_address("fd00::1")) == 9u);
    CHECK_FALSE(LongestMatch{}.find(*parse_address("10.0.0.1")));
}

TEST_CASE("a cgroup deeper than the programs walk is unknown") {
    const MapImage image = by_hand();
    std::string path;
    for (unsigned depth = 0; depth < SP_CG_DEPTH_MAX; ++depth) path += "/x";
    CHECK(Lookup(image).cgroup_state(path) == 0u);
    CHECK_FALSE(Lookup(image).cgroup_state(path + "/x"));
    CHECK_FALSE(Lookup(image).cgroup_state(""));
    CHECK(Lookup(image).cgroup_state("/") == 0u);
}
