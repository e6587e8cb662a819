// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes; inet_pton(3) and inet_ntop(3) are the measure.
#include "base/ip.h"

#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace sallyport;

namespace {

std::optional<Address> by_libc(const std::string& text) {
    in_addr v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return Address::v4(ntohl(v4.s_addr));
    Address address;
    if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

Address address(const char* text) {
    return parse_address(text).value();
}
Prefix prefix(const char* text) {
    return parse_prefix(text).value();
}
std::string round_trip(const char* text) {
    return to_string(address(text));
}

} // namespace

TEST_CASE("addresses are taken and refused exactly as inet_pton does, by hand-picked cases") {
    for (const char* text : {"",
                             "0.0.0.0",
                             "255.255.255.255",
                             "256.1.1.1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.4.",
                             ".1.2.3.4",
                             "01.2.3.4",
                             "1.2.3.04",
                             "00.0.0.0",
                             "1..2.3",
                             "1.2.3.4 ",
                             " 1.2.3.4",
                             "0x1.2.3.4",
                             "1.2.3.+4",
                             "::",
                             ":",
                             ":::",
                             "::1",
                             "1::",
                             "1::2::3",
                             "1:2:3:4:5:6:7:8",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7::",
                             "::2:3:4:5:6:7:8",
                             "1:2:3:4:5:6:7::8",
                             "1:2:3:4::5:6:7:8",
                             "1:2:3:4:5:6:7:8:9",
                             "12345::",
                             "g::",
                             "::ffff:1.2.3.4",
                             "::1.2.3.4",
                             "1:2:3:4:5:6:1.2.3.4",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "::1.2.3",
                             "::1.2.3.4:5",
                             "::01.2.3.4",
                             "1.2.3.4::",
                             "fe80::1%eth0",
                             "::1/64",
                             "FFFF::ABCD",
                             "1:",
                             ":1",
                             "1:2:3:4:5:6:7:8:",
                             "::1:",
                             "0:0:0:0:0:ffff:1.2.3.4"}) {
        INFO(text);
        CHECK(parse_address(text) == by_libc(text));
    }
}

TEST_CASE("addresses are taken and refused exactly as inet_pton does, by mutation") {
    std::mt19937 random(7); // NOLINT: the same texts in every run
    const std::vector<std::string> seeds = {
        "10.0.0.1",         "255.255.255.255",           "::",  "fd00::1", "1:2:3:4:5:6:7:8",
        "::ffff:192.0.2.1", "2001:db8::8:800:200c:417a", "1::8"};
    const std::string alphabet = "0123456789abcdefFG:.:.";
    const auto pick = [&](std::size_t below) { return random() % below; };
    std::size_t good = 0;
    for (int round = 0; round < 60000; ++round) {
        std::string text = seeds[pick(seeds.size())];
        for (std::size_t edits = 1 + pick(3); edits > 0; --edits) {
            const std::size_t at = pick(text.size() + 1);
            const char c = alphabet[pick(alphabet.size())];
            if (pick(3) == 0)
                text.insert(at, 1, c);
            else if (at < text.size() && pick(2) == 0)
                text[at] = c;
            else if (at < text.size())
                text.erase(at, 1);
        }
        const std::optional<Address> expected = by_libc(text);
        good += expected ? 1 : 0;
        INFO(text);
        REQUIRE(parse_address(text) == expected);
    }
    CHECK(good > 1000);
    CHECK(good < 59000);
}

TEST_CASE("a text with a zero byte in it is no address") {
    using namespace std::string_view_literals;
    CHECK_FALSE(parse_address("10.0.0.1\0"sv));
    CHECK_FALSE(parse_address("::1\0"sv));
    CHECK(parse_address("::1"sv));
}

TEST_CASE("addresses print as RFC 5952 asks") {
    CHECK(round_trip("2001:0DB8:0:0:0:0:0:1") == "2001:db8::1");
    CHECK(round_trip("2001:db8:0:1:1:1:1:1") ==
          "2001:db8:0:1:1:1:1:1");                                    // one group is not shortened
    CHECK(round_trip("2001:0:0:1:0:0:0:1") == "2001:0:0:1::1");       // the longest run
    CHECK(round_trip("2001:db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1"); // the first of equals
    CHECK(round_trip("0:0:0:0:0:0:0:0") == "::");
    CHECK(round_trip("1:0:0:0:0:0:0:0") == "1::");
    CHECK(round_trip("0:0:0:0:0:0:0:1") == "::1");
    CHECK(round_trip("1:2:3:4:5:6:0:0") == "1:2:3:4:5:6::");
    CHECK(round_trip("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(round_trip("0.0.0.0") == "0.0.0.0");
    CHECK(round_trip("255.255.255.255") == "255.255.255.255");
}

TEST_CASE("any address survives being printed and read") {
    std::mt19937 random(11); // NOLINT: the same addresses in every run
    for (int round = 0; round < 5000; ++round) {
        Address value;
        for (std::uint8_t& byte : value.bytes)
            byte = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
        if (round % 4 == 0) value = Address::v4(static_cast<std::uint32_t>(random()));
        REQUIRE(parse_address(to_string(value)) == value);
        if (value.is_v4()) continue;
        char expected[INET6_ADDRSTRLEN]{};
        REQUIRE(::inet_ntop(AF_INET6, value.bytes.data(), expected, sizeof expected) != nullptr);
        if (std::string(expected).find('.') == std::string::npos)
            REQUIRE(to_string(value) == expected);
    }
}

TEST_CASE("an IPv4 address is its mapped form, and knows it") {
    CHECK(address("10.1.2.3") == Address::v4(0x0a010203));
    CHECK(address("::ffff:10.1.2.3") == address("10.1.2.3"));
    CHECK(address("10.1.2.3").v4_value() == 0x0a010203);
    CHECK(address("10.1.2.3").is_v4());
    CHECK_FALSE(address("::10.1.2.3").is_v4());
    CHECK_FALSE(address("::fffe:10.1.2.3").is_v4());
    CHECK_FALSE(address("1::ffff:10.1.2.3").is_v4());
    CHECK(address("128.0.0.1").bit(96));
    CHECK_FALSE(address("128.0.0.1").bit(97));
    CHECK(address("128.0.0.1").bit(127));
    CHECK(address("8000::").bit(0));
}

TEST_CASE("prefixes of both families are read at both edges of their lengths") {
    CHECK(prefix("0.0.0.0/0").length == 96);
    CHECK(prefix("10.0.0.0/8").length == 104);
    CHECK(prefix("10.0.0.1/32") == prefix("10.0.0.1"));
    CHECK(prefix("::/0").length == 0);
    CHECK(prefix("fd00::1/128") == prefix("fd00::1"));
    for (const char* text :
         {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "/8",
          "", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/999999999999999999999"}) {
        INFO(text);
        CHECK_FALSE(parse_prefix(text));
    }
}

TEST_CASE("a mapped prefix is an IPv4 prefix") {
    CHECK(prefix("::ffff:10.0.0.0/104") == prefix("10.0.0.0/8"));
    CHECK(to_string(prefix("::ffff:10.0.0.0/104")) == "10.0.0.0/8");
    CHECK(prefix("::ffff:0:0/96") == prefix("0.0.0.0/0"));
    CHECK(prefix("::ffff:0:0/96").is_v4());
    CHECK_FALSE(prefix("::/96").is_v4());
}

TEST_CASE("set host bits are refused with the network that was meant") {
    const Result<Prefix> v4 = parse_prefix("10.0.0.1/8");
    REQUIRE_FALSE(v4);
    CHECK(v4.error().message == "\"10.0.0.1/8\" has host bits set");
    CHECK(v4.error().hint == "did you mean 10.0.0.0/8?");
    const Result<Prefix> v6 = parse_prefix("fd00::1/64");
    REQUIRE_FALSE(v6);
    CHECK(v6.error().hint == "did you mean fd00::/64?");
    CHECK(parse_prefix("10.0.0.128/25"));
    CHECK_FALSE(parse_prefix("10.0.0.128/24"));
}

TEST_CASE("a netmask is refused with the length that was meant") {
    const Result<Prefix> mask = parse_prefix("10.0.0.0/255.255.240.0");
    REQUIRE_FALSE(mask);
    CHECK(mask.error().hint == "did you mean 10.0.0.0/20?");
    const Result<Prefix> no_mask = parse_prefix("10.0.0.0/255.0.255.0");
    REQUIRE_FALSE(no_mask);
    CHECK(no_mask.error().hint.empty());
}

TEST_CASE("a message does not repeat a text of any length") {
    const Result<Prefix> result = parse_prefix(std::string(100000, 'x'));
    REQUIRE_FALSE(result);
    CHECK(result.error().message.size() < 120);
}

TEST_CASE("a prefix covers its own family only") {
    CHECK(prefix("10.0.0.0/8").covers(address("10.0.0.0")));
    CHECK(prefix("10.0.0.0/8").covers(address("10.255.255.255")));
    CHECK_FALSE(prefix("10.0.0.0/8").covers(address("11.0.0.0")));
    CHECK_FALSE(prefix("10.0.0.0/8").covers(address("9.255.255.255")));
    CHECK(prefix("0.0.0.0/0").covers(address("255.255.255.255")));
    CHECK_FALSE(prefix("0.0.0.0/0").covers(address("::1")));
    CHECK(prefix("::/0").covers(address("::1")));
    CHECK_FALSE(prefix("::/0").covers(address("10.0.0.1")));
    CHECK(prefix("fd00::/15").covers(address("fd01:ffff::1")));
    CHECK_FALSE(prefix("fd00::/15").covers(address("fd02::")));
    CHECK(prefix("10.0.0.1").covers(address("10.0.0.1")));
    CHECK_FALSE(prefix("10.0.0.1").covers(address("10.0.0.0")));
}

TEST_CASE("prefix_of clears what is past the length, at every length") {
    Address ones;
    ones.bytes.fill(0xff);
    for (unsigned length = 0; length <= 128; ++length) {
        const Prefix cut = prefix_of(ones, length);
        REQUIRE(cut.length == length);
        for (unsigned bit = 0; bit < 128; ++bit) REQUIRE(cut.base.bit(bit) == (bit < length));
    }
    CHECK(to_string(prefix_of(address("10.1.2.3"), 96 + 8)) == "10.0.0.0/8");
    CHECK(prefix_of(address("10.1.2.3"), 96 + 8).family_length() == 8);
    CHECK(prefix_of(address("fd00::1"), 8).family_length() == 8);
}
