// SPDX-License-Identifier: Apache-2.0
// The address side of an image, bit by bit as abi/types.h has it.
#include "compile/compile.h"
#include "compile/lookup.h"
#include "compile/tries.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <set>
#include <string>

using namespace sallyport;

namespace {

PeerPart part(const std::vector<std::string>& texts) {
    std::vector<Prefix> list;
    for (const std::string& text : texts) list.push_back(*parse_prefix(text));
    return {.networks = std::make_shared<const std::vector<Prefix>>(std::move(list)),
            .except = {},
            .interfaces = {}};
}

Rule ssh_from(const PeerPart& peers) {
    Rule rule;
    rule.name = "ssh";
    rule.from.parts.push_back(peers);
    rule.services.ranges = {{.proto = 6, .low = 22, .high = 22}};
    return rule;
}

MapImage image_of_rules(const std::vector<Rule>& rules) {
    Policy policy;
    policy.rules = rules;
    Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    return std::move(*image);
}

MapImage image_of(const std::vector<std::string>& networks) {
    return image_of_rules({ssh_from(part(networks))});
}

std::set<std::uint32_t> bits_set(const std::vector<sp_bits>& bits) {
    std::set<std::uint32_t> found;
    for (std::uint32_t bit = 0; bit < bits.size() * SP_CHUNK_BITS; ++bit)
        if ((bits[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] >> (bit % 64) & 1) != 0)
            found.insert(bit);
    return found;
}

std::size_t count(const std::vector<sp_bits>& bits) {
    std::size_t total = 0;
    for (const sp_bits& chunk : bits)
        for (const __u64 word : chunk.words) total += static_cast<std::size_t>(std::popcount(word));
    return total;
}

} // namespace

TEST_CASE("without networks there is no trie, no bit, and one class") {
    const MapImage image = image_of(std::vector<std::string>{});
    CHECK(image.v4_trie.empty());
    CHECK(image.v6_trie.empty());
    CHECK(count(image.v4_bits) == 0);
    CHECK(count(image.v6_bits) == 0);
    CHECK(image.slot.n_classes == 1);
    CHECK(image.slot.v6_levels == 0);
    CHECK(image.v4_bits.size() == SP_V4_BITS / SP_CHUNK_BITS);
    CHECK(image.v6_bits.size() == SP_V6_BITS / SP_CHUNK_BITS);
}

TEST_CASE("everything of a family is its default and in no trie") {
    const MapImage v4 = image_of({"0.0.0.0/0"});
    CHECK(v4.v4_trie.empty());
    CHECK(v4.slot.v4_default != v4.slot.v6_default);
    CHECK(v4.slot.v6_default == 0);
    const MapImage v6 = image_of({"::/0"});
    CHECK(v6.v6_trie.empty());
    CHECK(v6.slot.v4_default == 0);
    CHECK(v6.slot.v6_default != 0);
}

TEST_CASE("a prefix of /24 or longer sets the one bit of its /24") {
    CHECK(bits_set(image_of({"10.0.1.77"}).v4_bits) == std::set<std::uint32_t>{0x0a0001});
    CHECK(bits_set(image_of({"10.0.1.0/24"}).v4_bits) == std::set<std::uint32_t>{0x0a0001});
    CHECK(bits_set(image_of({"255.255.255.255"}).v4_bits) == std::set<std::uint32_t>{0xffffff});
    CHECK(bits_set(image_of({"0.0.0.0"}).v4_bits) == std::set<std::uint32_t>{0});
}

TEST_CASE("a prefix shorter than /24 sets all the /24s it covers and no other") {
    CHECK(bits_set(image_of({"10.0.2.0/23"}).v4_bits) ==
          std::set<std::uint32_t>{0x0a0002, 0x0a0003});
    const std::set<std::uint32_t> bits = bits_set(image_of({"10.1.0.0/16"}).v4_bits);
    CHECK(bits.size() == 256);
    CHECK(*bits.begin() == 0x0a0100);
    CHECK(*bits.rbegin() == 0x0a01ff);
    CHECK(count(image_of({"128.0.0.0/1"}).v4_bits) == SP_V4_BITS / 2);
    CHECK(count(image_of({"10.1.64.0/18"}).v4_bits) == 64);
}

TEST_CASE("an IPv6 prefix sets the bit of the longest level not longer than itself") {
    struct Case {
        const char* prefix;
        std::uint64_t first48;
        std::uint32_t level;
    };
    for (const Case& c : {Case{"2001:db8:1::/48", 0x20010db80001, SP_V6_LEVEL_48},
                          Case{"2001:db8:1::5", 0x20010db80001, SP_V6_LEVEL_48},
                          Case{"2001:db8:2::/47", 0x20010db80000, SP_V6_LEVEL_32},
                          Case{"2001:db8::/32", 0x20010db80000, SP_V6_LEVEL_32},
                          Case{"2001:db8::/31", 0x200100000000, SP_V6_LEVEL_16},
                          Case{"2001::/16", 0x200100000000, SP_V6_LEVEL_16}}) {
        INFO(c.prefix);
        const MapImage image = image_of({c.prefix});
        CHECK(image.slot.v6_levels == c.level);
        CHECK(bits_set(image.v6_bits) == std::set<std::uint32_t>{sp_v6_bit(c.first48, c.level)});
    }
}

TEST_CASE("an IPv6 prefix shorter than /16 sets those of all its /16s") {
    const MapImage image = image_of({"fc00::/7"});
    CHECK(image.slot.v6_levels == SP_V6_LEVEL_16);
    std::set<std::uint32_t> expected;
    for (std::uint64_t first16 = 0xfc00; first16 <= 0xfdff; ++first16)
        expected.insert(sp_v6_bit(first16 << 32, SP_V6_LEVEL_16));
    CHECK(bits_set(image.v6_bits) == expected);
}

TEST_CASE("levels in use are all named") {
    const MapImage image = image_of({"2001::/16", "2002:db8::/33", "fd00::1"});
    CHECK(image.slot.v6_levels == (SP_V6_LEVEL_16 | SP_V6_LEVEL_32 | SP_V6_LEVEL_48));
}

TEST_CASE("a network within one of the same decision is left out of the trie") {
    const MapImage image =
        image_of({"10.0.0.0/8", "10.1.0.0/16", "10.1.1.1", "fd00::/8", "fd00:1::/32"});
    CHECK(image.v4_trie.size() == 1);
    CHECK(image.v6_trie.size() == 1);
    CHECK(image.v4_trie[0].first.prefix_len == 8);
    CHECK(image.v6_trie[0].first.prefix_len == 8);
    CHECK(image.slot.n_classes == 2);
    CHECK(image.v4_trie[0].second == image.v6_trie[0].second);
}

TEST_CASE("an exception within an exception is three entries of two classes") {
    PeerPart peers = part({"10.0.0.0/8"});
    peers.except.push_back(part({"10.1.0.0/16"}).networks);
    Rule inner = ssh_from(part({"10.1.1.0/24"}));
    inner.name = "inner";
    const MapImage image = image_of_rules({ssh_from(peers), inner});
    REQUIRE(image.v4_trie.size() == 3);
    CHECK(image.v4_trie[1].second == 0); // as in no prefix at all
    CHECK(image.v4_trie[0].second != image.v4_trie[2].second);
}

TEST_CASE("keys are in network byte order") {
    const MapImage image = image_of({"10.2.3.0/24", "fd00:1:2::/48"});
    REQUIRE(image.v4_trie.size() == 1);
    CHECK(std::string(std::begin(image.v4_trie[0].first.addr),
                      std::end(image.v4_trie[0].first.addr)) == std::string("\x0a\x02\x03\x00", 4));
    REQUIRE(image.v6_trie.size() == 1);
    const __u8* v6 = image.v6_trie[0].first.addr;
    CHECK((v6[0] == 0xfd && v6[1] == 0 && v6[2] == 0 && v6[3] == 1 && v6[5] == 2 && v6[15] == 0));
}

TEST_CASE("an IPv6 network beside the mapped range does not hold IPv4") {
    const MapImage image = image_of({"::fffe:0:0/95"});
    const Lookup tables(image);
    CHECK(image.v4_trie.empty());
    CHECK(tables.address_class(*parse_address("::fffe:1:2")) != 0);
    CHECK(tables.address_class(*parse_address("1.2.3.4")) == 0);
}
