// SPDX-License-Identifier: Apache-2.0
#pragma once
// The beginning of a packet that an event is about: out of the kernel's ring, and as it
// travels over the control socket.
#include "base/result.h"
#include "event/event.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class CaptureLayer : std::uint8_t {
    frame, // from the Ethernet header on
    ip,    // from the IP header on
};

struct Capture {
    CaptureLayer layer = CaptureLayer::frame;
    std::uint32_t wire_size = 0; // more than bytes: it was cut short
    std::vector<std::uint8_t> bytes{};
    // Of its event, in the kernel's record; no part of what travels.
    Stamp stamp{};

    bool operator==(const Capture&) const = default;
};

// A record of the ring sp_captures. An error when its size, version or layer is not ours.
[[nodiscard]] Result<Capture> decode_capture(std::span<const std::byte> record);

// to_json_line() of the event with "packet":{"layer":...,"length":...,"data":HEX} added.
[[nodiscard]] std::string packet_line(const Event& event, const Capture& capture);
// The way back of what was added; an error when it is not there or makes no sense.
[[nodiscard]] Result<Capture> capture_from_json(std::string_view line);

} // namespace sallyport
