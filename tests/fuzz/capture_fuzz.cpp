// SPDX-License-Identifier: Apache-2.0
// Packets under a fuzzer, three ways in: a record of the ring, a line of the stream, and a capture
// file of any bytes. What was taken of the first two is the same after a way through the stream,
// and through a pcapng file, which the reader of capture files takes.
#include "base/result.h"
#include "base/text.h"
#include "event/capture.h"
#include "event/json.h"
#include "event/pcapng.h"
#include "explain/captured.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;

namespace {

void check_written(const Event& event, const Capture& capture) {
    PcapngWriter writer;
    const std::string file = writer.begin("fuzz") + writer.packet(event, capture);
    SP_CHECK(is_printable(packet_comment(event)));
    const std::vector<std::uint8_t> bytes(file.begin(), file.end());
    const auto packets = explain::parse_pcap(bytes);
    SP_CHECK(packets.has_value() && packets->size() == 1);
    SP_CHECK(packets->front().bytes == capture.bytes);
    SP_CHECK(packets->front().wire_size == capture.wire_size);
}

void check_carried(const Event& event, const Capture& capture) {
    const auto again = capture_from_json(packet_line(event, capture));
    SP_CHECK(again.has_value());
    SP_CHECK(again->bytes == capture.bytes && again->wire_size == capture.wire_size);
    SP_CHECK(again->layer == capture.layer);
    check_written(event, capture);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span bytes(data, size);
    // A ring's records are no longer; what is in a file is.
    if (size <= 2072)
        if (const auto capture = decode_capture(std::as_bytes(bytes))) check_carried({}, *capture);
    const std::string line(bytes.begin(), bytes.end());
    if (const auto capture = capture_from_json(line))
        if (const auto event = event_from_json(line)) check_carried(*event, *capture);
    if (const auto packets = explain::parse_pcap(bytes))
        for (const explain::Captured& packet : *packets) {
            SP_CHECK(packet.bytes.size() <= explain::kCapturedMax);
            SP_CHECK(explain::ip_of(packet).size() <= packet.bytes.size());
        }
    return 0;
}
