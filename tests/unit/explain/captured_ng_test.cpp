// SPDX-License-Identifier: Apache-2.0
// pcapng files, of this machine's byte order and of the other.
#include "explain/captured.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::explain;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes number(std::uint32_t value, bool big) {
    Bytes bytes(4);
    for (std::size_t i = 0; i < 4; ++i)
        bytes[big ? 3 - i : i] = static_cast<std::uint8_t>(value >> (8 * i));
    return bytes;
}

struct File {
    bool big = false;
    Bytes bytes{};

    File& block(std::uint32_t type, const std::vector<std::uint32_t>& words, Bytes data = {}) {
        while (data.size() % 4 != 0) data.push_back(0xee);
        const auto size = static_cast<std::uint32_t>(12 + words.size() * 4 + data.size());
        put(type);
        put(size);
        for (const std::uint32_t word : words) put(word);
        bytes.insert(bytes.end(), data.begin(), data.end());
        put(size);
        return *this;
    }
    File& section() { return block(0x0a0d0d0a, {0x1a2b3c4d, half(1, 0), ~0u, ~0u}); }
    File& interface(std::uint16_t link) { return block(1, {half(link, 0), 0}); }
    File& packet(std::uint32_t interface, const Bytes& data, std::uint32_t wire) {
        return block(6, {interface, 0, 0, static_cast<std::uint32_t>(data.size()), wire}, data);
    }

  private:
    void put(std::uint32_t value) {
        const Bytes more = number(value, big);
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    // Two numbers of two bytes, the first one first.
    [[nodiscard]] std::uint32_t half(std::uint32_t first, std::uint32_t second) const {
        return big ? first << 16 | second : second << 16 | first;
    }
};

const Bytes kIp{0x45, 0, 0, 20, 1};

} // namespace

TEST_CASE("packets of a pcapng file are read, in either byte order") {
    for (const bool big : {false, true}) {
        File file{.big = big};
        file.section().interface(1).interface(101).block(5, {0, 0, 0}); // statistics: passed over
        file.packet(1, kIp, 1500).packet(0, Bytes(14), 14).block(3, {3}, {7, 8, 9});
        const auto packets = parse_pcap(file.bytes);
        REQUIRE(packets);
        REQUIRE(packets->size() == 3);
        CHECK(packets->at(0).bytes == kIp);
        CHECK(packets->at(0).layer == Layer::ip);
        CHECK(packets->at(0).wire_size == 1500);
        CHECK(packets->at(1).layer == Layer::frame);
        CHECK(packets->at(2).bytes == Bytes{7, 8, 9});
    }
}

TEST_CASE("a second section has interfaces of its own, and its own byte order") {
    File first, second{.big = true};
    first.section().interface(101).packet(0, kIp, 5);
    second.section().interface(1).packet(0, Bytes(20), 20);
    Bytes both = first.bytes;
    both.insert(both.end(), second.bytes.begin(), second.bytes.end());
    const auto packets = parse_pcap(both);
    REQUIRE(packets);
    CHECK(packets->at(1).layer == Layer::frame);
    second = {.big = true};
    second.section().packet(0, Bytes(20), 20);
    both = first.bytes;
    both.insert(both.end(), second.bytes.begin(), second.bytes.end());
    CHECK_FALSE(parse_pcap(both));
}

TEST_CASE("a pcapng file cut anywhere is refused, or read as far as its blocks are whole") {
    File file;
    file.section().interface(101);
    const std::size_t begins = file.bytes.size();
    for (int i = 0; i < 3; ++i) file.packet(0, kIp, 5);
    const std::size_t each = (file.bytes.size() - begins) / 3;
    for (std::size_t size = 0; size < file.bytes.size(); ++size) {
        const Bytes cut(file.bytes.begin(), file.bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const bool whole = size > begins && (size - begins) % each == 0;
        CHECK(parse_pcap(cut).has_value() == whole);
    }
}

TEST_CASE("a pcapng file that lies is refused") {
    const auto with = [](auto change) {
        File file;
        file.section().interface(101);
        change(file);
        return parse_pcap(file.bytes).has_value();
    };
    CHECK(with([](File& f) { f.packet(0, kIp, 5); }));
    CHECK_FALSE(with([](File&) {}));
    CHECK_FALSE(with([](File& f) { f.packet(1, kIp, 5); }));                  // no interface
    CHECK_FALSE(with([](File& f) { f.block(6, {0, 0, 0, 99, 99}, kIp); }));   // data beyond
    CHECK_FALSE(with([](File& f) { f.block(6, {0, 0, 0, ~0u, ~0u}, kIp); })); //
    CHECK_FALSE(with([](File& f) { f.block(6, {0}); }));                      // too short
    CHECK_FALSE(with([](File& f) { f.block(3, {}); }));                       //
    CHECK_FALSE(with([](File& f) { f.block(1, {}); }));                       //
    CHECK_FALSE(with([](File& f) { f.interface(195).packet(1, kIp, 5); }));   // 802.15.4
    CHECK(with([](File& f) { f.interface(195).packet(0, kIp, 5); }));         // of no packet
    for (const std::uint32_t size : {0u, 8u, 13u, 0xfffffffcu}) {
        File file;
        file.section().interface(101).packet(0, kIp, 5);
        const Bytes lying = number(size, false);
        std::copy(lying.begin(), lying.end(), file.bytes.end() - 40 + 4); // the last block's size
        CHECK_FALSE(parse_pcap(file.bytes));
    }
    Bytes no_order = File{}.section().interface(1).bytes;
    no_order[8] = 0;
    CHECK_FALSE(parse_pcap(no_order));
}
