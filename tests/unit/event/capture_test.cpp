// SPDX-License-Identifier: Apache-2.0
// Packets of events: out of the ring, over the socket, and into a file.
#include "event/capture.h"
#include "event/json.h"
#include "event/pcapng.h"
#include "explain/captured.h"
#include "sallyport/abi/capture.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;

namespace {

std::vector<std::byte> record(const sp_capture_head& head, std::size_t room) {
    std::vector<std::byte> bytes(sizeof head + room, std::byte{0xaa});
    std::memcpy(bytes.data(), &head, sizeof head);
    return bytes;
}

Capture some_capture(CaptureLayer layer = CaptureLayer::frame) {
    return {.layer = layer, .wire_size = 1500, .bytes = {0x45, 0, 0xff}, .stamp = {}};
}

explain::Captured read_back(const std::string& file) {
    const std::vector<std::uint8_t> bytes(file.begin(), file.end());
    const auto packets = explain::parse_pcap(bytes);
    REQUIRE(packets);
    REQUIRE(packets->size() == 1);
    return packets->front();
}

} // namespace

TEST_CASE("a record holds what it says, and not what is behind it") {
    const auto capture = decode_capture(record({.at_ns = 77,
                                                .len = 1500,
                                                .cpu = 3,
                                                .kept = 2,
                                                .version = SP_LAYOUT,
                                                .layer = SP_CAPTURE_IP,
                                                .spare = {}},
                                               256));
    REQUIRE(capture);
    CHECK(capture->bytes == std::vector<std::uint8_t>{0xaa, 0xaa});
    CHECK(capture->layer == CaptureLayer::ip);
    CHECK(capture->wire_size == 1500);
    CHECK(capture->stamp == Stamp{.at_ns = 77, .cpu = 3});
}

TEST_CASE("a record that is not ours is refused") {
    const sp_capture_head good{
        .at_ns = 1, .len = 4, .cpu = 0, .kept = 4, .version = SP_LAYOUT, .layer = 0, .spare = {}};
    CHECK(decode_capture(record(good, 4)));
    CHECK_FALSE(decode_capture(record(good, 3)));
    CHECK_FALSE(decode_capture(std::vector<std::byte>(sizeof good - 1)));
    CHECK_FALSE(decode_capture({}));
    sp_capture_head other = good;
    other.version = SP_LAYOUT + 1;
    CHECK_FALSE(decode_capture(record(other, 4)));
    other = good;
    other.layer = 2;
    CHECK_FALSE(decode_capture(record(other, 4)));
}

TEST_CASE("over the socket a packet is an event with its packet") {
    for (const CaptureLayer layer : {CaptureLayer::frame, CaptureLayer::ip}) {
        const std::string line = packet_line(exfil_attempt(), some_capture(layer));
        CHECK(event_from_json(line).value() == exfil_attempt());
        CHECK(capture_from_json(line).value() == some_capture(layer));
    }
}

TEST_CASE("a line without a packet, or with one that makes no sense, is refused") {
    for (const char* line : {"", "[]", "{}", R"({"packet":7})", R"({"packet":{}})",
                             R"({"packet":{"layer":"frame","length":2,"data":"0"}})",
                             R"({"packet":{"layer":"frame","length":2,"data":"zz"}})",
                             R"({"packet":{"layer":"frame","length":1,"data":"0000"}})",
                             R"({"packet":{"layer":"frame","length":-1,"data":""}})",
                             R"({"packet":{"layer":"frame","length":4294967296,"data":""}})",
                             R"({"packet":{"layer":"wire","length":2,"data":"0000"}})"})
        CHECK_FALSE(capture_from_json(line));
    CHECK_FALSE(capture_from_json(to_json_line(exfil_attempt())));
}

TEST_CASE("what is written as pcapng is read back") {
    PcapngWriter writer;
    const explain::Captured frame = read_back(
        writer.begin("test") + writer.packet(exfil_attempt(), some_capture(CaptureLayer::frame)));
    CHECK(frame.bytes == some_capture().bytes);
    CHECK(frame.layer == explain::Layer::frame);
    CHECK(frame.wire_size == 1500);
    const explain::Captured bare = read_back(
        writer.begin("test") + writer.packet(exfil_attempt(), some_capture(CaptureLayer::ip)));
    CHECK(bare.layer == explain::Layer::ip);
}

TEST_CASE("an interface is described once, and once more for another link type") {
    PcapngWriter writer;
    static_cast<void>(writer.begin("test"));
    const auto size = [&](CaptureLayer layer) {
        return writer.packet(exfil_attempt(), some_capture(layer)).size();
    };
    const std::size_t first = size(CaptureLayer::frame), second = size(CaptureLayer::frame);
    CHECK(first > second);
    CHECK(size(CaptureLayer::ip) == first);
    CHECK(size(CaptureLayer::ip) == second);
}

TEST_CASE("a comment says what was decided, of whom, and holds nothing that steers a terminal") {
    Event event = exfil_attempt();
    event.rule = "web";
    event.comm = "a\x1b[2Jb\nc";
    const std::string comment = packet_comment(event);
    CHECK(comment.starts_with("drop no-rule; exfil; rule web; connect; pid 4242 a\\x1b[2Jb"));
    CHECK(comment.find('\n') == std::string::npos);
    CHECK(comment.find('\x1b') == std::string::npos);
    CHECK(comment.ends_with("(/usr/bin/python3.11); uid 1001; unit ollama.service; generation 3"));
}
