// SPDX-License-Identifier: Apache-2.0
#pragma once
// An event in the shapes that other systems read. docs/events.md has the mapping, field by field,
// and the versions; tests hold every line to the published shapes.
#include "event/event.h"

#include <cstdint>
#include <string>

namespace sallyport {

enum class EventFormat : std::uint8_t {
    eve, // Suricata's EVE
    ecs, // Elastic Common Schema
    ocsf // Open Cybersecurity Schema Framework, class 4001
};

// One JSON object without a newline, in printable ASCII. Facts for which the shape has no place are
// where it lets strangers put theirs, or left out.
[[nodiscard]] std::string to_line(const Event& event, EventFormat format);

} // namespace sallyport
