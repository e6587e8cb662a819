// SPDX-License-Identifier: Apache-2.0
// The grammar of `explain`, and the bytes that it makes.
#include "explain/asked_packet.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::explain;

namespace {

AskedPacket packet_of(const std::string& text) {
    const Result<AskedWords> asked = parse_question(text);
    INFO(text);
    if (!asked) FAIL(asked.error().text());
    REQUIRE(asked->packet);
    return *asked->packet;
}

TEST_CASE("the example of the manual is understood") {
    const auto asked = parse_question("in tcp 10.0.0.5:40000 > 10.0.1.5:11434 syn");
    REQUIRE(asked);
    CHECK(asked->way == Way::in);
    CHECK(asked->on.empty());
    REQUIRE(asked->packet);
    CHECK(to_string(*asked->packet) == "tcp 10.0.0.5:40000 > 10.0.1.5:11434 S");
}

TEST_CASE("what a question leaves out is what people mean") {
    CHECK(packet_of("in tcp 10.0.0.5 > 10.0.1.5:22").tcp_flags == kSyn);
    CHECK(packet_of("in tcp 10.0.0.5 > 10.0.1.5:22").src_port == kSomePort);
    CHECK(packet_of("in icmp 10.0.0.5 > 10.0.1.5").icmp_type == 8);
    CHECK(packet_of("in icmp fd00::5 > fd00::1").icmp_type == 128);
    CHECK(packet_of("in icmp fd00::5 > fd00::1").proto == 58);
}

TEST_CASE("addresses, flags and interfaces may be written as people write them") {
    CHECK(packet_of("OUT TCP [fd00::1]:5 > [fd00::2]:443 SYN").dst_port == 443);
    CHECK(packet_of("in tcp 10.0.0.5:1>10.0.1.5:22").src_port == 1);
    CHECK(packet_of("in tcp 10.0.0.5:1->10.0.1.5:22").dst_port == 22);
    for (const char* flags : {"syn ack", "syn-ack", "syn+ack", "SA", "ack,syn"})
        CHECK(packet_of(std::string("in tcp 10.0.0.5 > 10.0.1.5:22 ") + flags).tcp_flags == 0x12);
    CHECK(packet_of("in tcp 10.0.0.5 > 10.0.1.5:22 none").tcp_flags == 0);
    CHECK(packet_of("in icmp 10.0.0.5 > 10.0.1.5 type 13 code 2").icmp_type == 13);
    CHECK(packet_of("in icmp 10.0.0.5 > 10.0.1.5 type 13 code 2").icmp_code == 2);
    CHECK(packet_of("in icmp 10.0.0.5 > 10.0.1.5 echo-reply").icmp_type == 0);
    CHECK(packet_of("in 47 10.0.0.5 > 10.0.1.5").proto == 47);
    const auto forward = parse_question("forward udp 10.0.0.5 > 10.0.1.5:53 on eth1 to eth0");
    REQUIRE(forward);
    CHECK(forward->on == "eth1");
    CHECK(forward->to == "eth0");
    const auto bytes = parse_question("in on eth0");
    REQUIRE(bytes);
    CHECK_FALSE(bytes->packet);
}

TEST_CASE("what is no question is refused, and says what would be one") {
    const std::vector<std::string> wrong{"",
                                         "sideways tcp 10.0.0.5 > 10.0.1.5:22",
                                         "in tcp",
                                         "in tcp 10.0.0.5",
                                         "in tcp 10.0.0.5 10.0.1.5:22",
                                         "in tcp 10.0.0.5 > ",
                                         "in tcp 10.0.0.5 > 10.0.1.5",
                                         "in tcp 10.0.0.5 > 10.0.1.5:65536",
                                         "in tcp 10.0.0.5 > 10.0.1.5:-1",
                                         "in tcp 10.0.0.5 > 10.0.1.5:",
                                         "in tcp 10.0.0.5 > 10.0.1.5:22 syn on",
                                         "in tcp 10.0.0.5 > fd00::1",
                                         "in tcp 10.0.0.5 > [fd00::1]:22",
                                         "in tcp [fd00::1 > [fd00::1]:22",
                                         "in tcp [fd00::1]22 > [fd00::1]:22",
                                         "in tcp 10.0.0.256 > 10.0.1.5:22",
                                         "in quux 10.0.0.5 > 10.0.1.5:22",
                                         "in 256 10.0.0.5 > 10.0.1.5",
                                         "in icmp 10.0.0.5:1 > 10.0.1.5",
                                         "in tcp 10.0.0.5 > 10.0.1.5:22 sin",
                                         "in udp 10.0.0.5 > 10.0.1.5:22 syn",
                                         "in icmp 10.0.0.5 > 10.0.1.5 type 256",
                                         "in icmp 10.0.0.5 > 10.0.1.5 type",
                                         "in icmp 10.0.0.5 > 10.0.1.5 packet-too-big",
                                         "in tcp 10.0.0.5 > 10.0.1.5:22 to eth0",
                                         "in tcp 10.0.0.5 > 10.0.1.5:22 on eth0 off",
                                         "in on a-name-that-no-interface-has",
                                         std::string(100000, 'x'),
                                         std::string("in tcp \0 > 10.0.1.5:22", 22)};
    for (const std::string& text : wrong) {
        INFO(text.substr(0, 60));
        const auto asked = parse_question(text);
        REQUIRE_FALSE(asked);
        CHECK(asked.error().kind == ErrorKind::invalid_input);
        CHECK_FALSE(asked.error().hint.empty());
        CHECK(asked.error().text().find('\0') == std::string::npos);
    }
}

TEST_CASE("what is made of a question says the same when it is read back") {
    for (const std::string text :
         {"in tcp 10.0.0.5:40000 > 10.0.1.5:11434 SA", "in tcp [fd00::5]:4 > [fd00::1]:5 S",
          "in udp 10.0.0.5:4 > 10.0.1.5:53", "in udp [fd00::5]:4 > [fd00::1]:53",
          "in sctp 10.0.0.5:4 > 10.0.1.5:36412", "in udp-lite [fd00::5]:4 > [fd00::1]:53",
          "in icmp 10.0.0.5 > 10.0.1.5 type 13 code 1", "in icmp fd00::5 > fd00::1 echo-request",
          "in 47 10.0.0.5 > 10.0.1.5", "in 47 fd00::5 > fd00::1"}) {
        INFO(text);
        const AskedPacket packet = packet_of(text);
        const std::vector<std::uint8_t> bytes = to_bytes(packet);
        const std::optional<AskedPacket> read = read_packet(bytes);
        REQUIRE(read);
        CHECK(*read == packet);
        CHECK(packet_of("in " + to_string(packet)) == packet);
        // However short it is cut, nothing is read behind its end.
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const std::vector<std::uint8_t> cut(bytes.begin(),
                                                bytes.begin() + static_cast<std::ptrdiff_t>(size));
            static_cast<void>(read_packet(cut));
        }
    }
}

// RFC 1071: over all words, the checksum among them, the sum is all ones.
TEST_CASE("the checksums of what is made are right") {
    const auto sum = [](const std::vector<std::uint8_t>& bytes, std::size_t from,
                        std::uint32_t start) {
        std::uint32_t total = start;
        for (std::size_t i = from; i < bytes.size(); ++i)
            total += (i - from) % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
        while (total >> 16) total = (total & 0xffff) + (total >> 16);
        return total;
    };
    const auto v4 = to_bytes(packet_of("in tcp 10.0.0.5:40000 > 10.0.1.5:11434"));
    REQUIRE(v4.size() == 40);
    CHECK(sum({v4.begin(), v4.begin() + 20}, 0, 0) == 0xffff);
    CHECK(sum(v4, 12, 6 + 20) == 0xffff); // the addresses stand right before the segment
    const auto v6 = to_bytes(packet_of("in udp [fd00::5]:40000 > [fd00::1]:53"));
    REQUIRE(v6.size() == 48);
    CHECK(sum(v6, 8, 17 + 8) == 0xffff);
    const auto ping = to_bytes(packet_of("in icmp 10.0.0.5 > 10.0.1.5"));
    CHECK(sum(ping, 20, 0) == 0xffff);
}

} // namespace
