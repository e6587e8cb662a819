// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which events a reader asked for. Values of one field are alternatives, the
// fields must all match; an empty filter takes everything.
#include "base/ip.h"
#include "base/result.h"
#include "event/event.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sallyport {

struct EventFilter {
    std::vector<std::uint8_t> reasons;
    std::vector<std::string> rules;
    std::vector<Prefix> src;
    std::vector<Prefix> dst;
    std::vector<std::uint16_t> ports; // of either end
    std::vector<std::uint8_t> directions;
    bool exfil = false; // only exfiltration attempts

    [[nodiscard]] bool is_empty() const;
    bool operator==(const EventFilter&) const = default;
};

// An event without the fact that is asked about does not match; one of kind
// lost always does, because it speaks of the stream.
[[nodiscard]] bool matches(const EventFilter& filter, const Event& event);

// What users typed; an error names the value and, for reasons, a near name.
struct FilterText {
    std::vector<std::string> reasons, rules, src, dst, ports, directions;
    bool exfil = false;
};
[[nodiscard]] Result<EventFilter> parse_filter(const FilterText& text);

// As it travels in a tail request: {"reason":["no-rule"],"src":["10.0.0.0/8"],"exfil":true}.
[[nodiscard]] nlohmann::json filter_to_json(const EventFilter& filter);
[[nodiscard]] Result<EventFilter> filter_from_json(const nlohmann::json& json);

} // namespace sallyport
