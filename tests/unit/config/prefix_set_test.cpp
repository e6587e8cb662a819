// SPDX-License-Identifier: Apache-2.0
// Differences of prefix sets, held against asking each address.
#include "config/prefix_set.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace sallyport;
using sallyport::config::difference;

namespace {

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> list;
    for (const char* text : texts) list.push_back(parse_prefix(text).value());
    return list;
}
std::string text_of(const std::vector<Prefix>& list) {
    std::string text;
    for (const Prefix& prefix : list) text += (text.empty() ? "" : " ") + to_string(prefix);
    return text;
}
bool any_covers(const std::vector<Prefix>& list, const Address& address) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Prefix& p) { return p.covers(address); });
}

} // namespace

TEST_CASE("what is taken out of a network leaves its neighbours") {
    CHECK(text_of(difference(prefixes({"10.0.0.0/30"}), prefixes({"10.0.0.1"}))) ==
          "10.0.0.0 10.0.0.2/31");
    CHECK(text_of(difference(prefixes({"fd00::/8"}), prefixes({"fd80::/9"}))) == "fd00::/9");
}

TEST_CASE("nothing taken out leaves all, everything taken out leaves nothing") {
    CHECK(text_of(difference(prefixes({"10.0.0.0/8", "fd00::/8"}), {})) == "10.0.0.0/8 fd00::/8");
    CHECK(difference({}, prefixes({"10.0.0.0/8"})).empty());
    CHECK(difference(prefixes({"10.0.0.0/8", "10.1.0.0/16"}), prefixes({"10.0.0.0/8"})).empty());
    CHECK(difference(prefixes({"10.1.0.0/16", "10.2.3.4"}), prefixes({"10.0.0.0/8"})).empty());
    CHECK(text_of(difference(prefixes({"10.0.0.0/8"}), prefixes({"11.0.0.0/8", "9.0.0.0/8"}))) ==
          "10.0.0.0/8");
}

TEST_CASE("one family does not cut into the other") {
    CHECK(text_of(difference(prefixes({"10.0.0.0/8"}), prefixes({"::/0"}))) == "10.0.0.0/8");
    CHECK(text_of(difference(prefixes({"::/0"}), prefixes({"0.0.0.0/0"}))) == "::/0");
}

TEST_CASE("pieces of IPv6 never turn into IPv4") {
    const std::vector<Prefix> left = difference(prefixes({"::/0"}), prefixes({"::fffe:0:0/96"}));
    CHECK_FALSE(any_covers(left, parse_address("10.0.0.1").value()));
    CHECK_FALSE(any_covers(left, parse_address("::fffe:0:1").value()));
    CHECK(any_covers(left, parse_address("::fffd:0:1").value()));
    CHECK(any_covers(left, parse_address("ffff::").value()));
}

TEST_CASE("a difference holds an address when the networks do and the exceptions do not") {
    std::mt19937 random(3); // NOLINT: the same sets in every run
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    for (int round = 0; round < 2000; ++round) {
        const bool v4 = pick(2) == 0;
        const auto address = [&] { // of 256 neighbours
            if (v4) return Address::v4(0x0a000000u + pick(256));
            Address value = parse_address("fd00::").value();
            value.bytes[15] = static_cast<std::uint8_t>(pick(256));
            return value;
        };
        const auto set = [&] {
            std::vector<Prefix> list;
            for (unsigned n = pick(6); n > 0; --n)
                list.push_back(prefix_of(address(), 118 + pick(11)));
            return list;
        };
        const std::vector<Prefix> networks = set();
        const std::vector<Prefix> except = set();
        const std::vector<Prefix> left = difference(networks, except);
        for (unsigned i = 0; i < 256; ++i) {
            Address asked = v4 ? Address::v4(0x0a000000u + i) : parse_address("fd00::").value();
            if (!v4) asked.bytes[15] = static_cast<std::uint8_t>(i);
            INFO("round " << round << ": " << to_string(asked));
            REQUIRE(any_covers(left, asked) ==
                    (any_covers(networks, asked) && !any_covers(except, asked)));
        }
    }
}
