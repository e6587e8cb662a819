// SPDX-License-Identifier: Apache-2.0
// Packets as hex and from capture files, whole, cut and hostile.
#include "explain/captured.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::explain;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes number(std::uint32_t value, bool big) {
    Bytes bytes;
    for (unsigned i = 0; i < 4; ++i)
        bytes.push_back(static_cast<std::uint8_t>(value >> (8 * (big ? 3 - i : i))));
    return bytes;
}

void add(Bytes& to, const Bytes& more) {
    to.insert(to.end(), more.begin(), more.end());
}

Bytes head(std::uint32_t magic, std::uint32_t link, bool big) {
    Bytes file = number(magic, big);
    for (const std::uint32_t word : {0x00040002u, 0u, 0u, 65535u, link})
        add(file, number(word, big));
    return file;
}

void add_packet(Bytes& file, const Bytes& packet, std::uint32_t wire, bool big) {
    for (const std::uint32_t word : {0u, 0u, static_cast<std::uint32_t>(packet.size()), wire})
        add(file, number(word, big));
    add(file, packet);
}

TEST_CASE("hex is taken as people paste it") {
    for (const char* text : {"4500001c", "45 00 00 1c", "0x45 0x00 0x00 0x1c", "45:00:00:1C\n"}) {
        const auto packet = parse_hex(text);
        REQUIRE(packet);
        CHECK(packet->bytes == Bytes{0x45, 0, 0, 0x1c});
        CHECK(packet->layer == Layer::ip);
    }
}

TEST_CASE("a frame is told from a bare packet") {
    const std::string macs = "020000000001 020000000002 ";
    CHECK(parse_hex(macs + "0800 45000014")->layer == Layer::frame);
    CHECK(parse_hex(macs + "8100 0005 86dd 60000000")->layer == Layer::frame);
    CHECK(parse_hex("60000000 0000 3b40")->layer == Layer::ip);
    const auto tagged = parse_hex(macs + "8100 0005 86dd 60");
    CHECK(ip_of(*tagged).size() == 1);
    CHECK(ip_of(*tagged)[0] == 0x60);
    CHECK(ip_of(*parse_hex(macs + "0806 0001")).empty());
    CHECK(ip_of(*parse_hex("ff")).empty());
}

TEST_CASE("what is no hex is refused") {
    for (const std::string& text :
         {std::string(), std::string("   "), std::string("4"), std::string("45 0"),
          std::string("xyz"), std::string("45\0", 3), std::string(200000, '4')}) {
        const auto packet = parse_hex(text);
        REQUIRE_FALSE(packet);
        CHECK(packet.error().kind == ErrorKind::invalid_input);
    }
}

TEST_CASE("capture files of both byte orders and clocks are read") {
    const Bytes packet{0x45, 0, 0, 20};
    for (const bool big : {false, true})
        for (const std::uint32_t magic : {0xa1b2c3d4u, 0xa1b23c4du}) {
            Bytes file = head(magic, 101, big);
            add_packet(file, packet, 1500, big);
            add_packet(file, packet, 4, big);
            const auto packets = parse_pcap(file);
            REQUIRE(packets);
            REQUIRE(packets->size() == 2);
            CHECK(packets->at(0).bytes == packet);
            CHECK(packets->at(0).layer == Layer::ip);
            CHECK(packets->at(0).wire_size == 1500);
        }
}

TEST_CASE("a cooked packet is read behind its head, and one that ends in it is none") {
    Bytes file = head(0xa1b2c3d4, 113, false);
    Bytes cooked(16);
    add_packet(file, Bytes(15), 15, false);
    cooked.push_back(0x45);
    add_packet(file, cooked, 17, false);
    const auto packets = parse_pcap(file);
    REQUIRE(packets);
    REQUIRE(packets->size() == 1);
    CHECK(packets->at(0).bytes == Bytes{0x45});
}

TEST_CASE("a capture file cut anywhere is refused or read as far as its packets are whole") {
    Bytes file = head(0xa1b2c3d4, 1, false);
    for (int i = 0; i < 3; ++i) add_packet(file, Bytes(20, 7), 20, false);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        const auto packets = parse_pcap(cut);
        const bool whole = size > 24 && (size - 24) % 36 == 0;
        CHECK(packets.has_value() == whole);
    }
}

TEST_CASE("a capture file that lies about its packets is refused") {
    Bytes file = head(0xa1b2c3d4, 1, false);
    for (const std::uint32_t held : {0xffffffffu, 0x7fffffffu, 65536u, 5u}) {
        Bytes lying = file;
        for (const std::uint32_t word : {0u, 0u, held, held}) add(lying, number(word, false));
        add(lying, Bytes(4));
        CHECK_FALSE(parse_pcap(lying));
    }
    CHECK_FALSE(parse_pcap(head(0xa1b2c3d4, 195, false))); // 802.15.4
    CHECK_FALSE(parse_pcap(Bytes(100)));
    CHECK_FALSE(read_pcap("/nonexistent/capture"));
    CHECK_FALSE(read_pcap("/dev/null"));
    CHECK_FALSE(read_pcap("/"));
}

} // namespace
