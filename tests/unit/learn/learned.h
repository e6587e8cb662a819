// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events as they come, and what is learned of them: printed, parsed, compiled, and held
// against what it claims.
#include "learn/claims.h"
#include "learn/policy_text.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

namespace sallyport::learn {

inline constexpr std::uint8_t kTcp = 6, kUdp = 17;
inline const std::string kHead =
    "schema = 1\n[host]\ninterfaces = [\"eth0\"]\nmode = \"observe\"\n";

inline Address address(const std::string& text) {
    return parse_address(text).value();
}

ParsedPolicy parsed(const std::string& text);

inline Event event(Direction direction, const std::string& src, const std::string& dst,
                   std::uint16_t port, std::uint8_t proto = kTcp) {
    Event one;
    one.at = WallTime{std::chrono::seconds{1767323045}};
    one.kind = EventKind::would_drop;
    one.direction = static_cast<std::uint8_t>(direction);
    one.reason = SP_REASON_NO_RULE;
    one.proto = proto;
    one.src = address(src);
    one.dst = address(dst);
    one.src_port = 40000;
    one.dst_port = port;
    if (proto == kTcp) one.tcp_flags = 0x02;
    one.hook = direction == Direction::egress ? SP_HOOK_CGROUP : SP_HOOK_XDP;
    if (direction != Direction::egress) one.iface = "eth0";
    return one;
}

inline Event coming(const std::string& src, std::uint16_t port, std::uint64_t repeats = 1) {
    Event one =
        event(Direction::ingress, src, address(src).is_v4() ? "10.0.1.5" : "fd00:10::5", port);
    one.repeats = repeats;
    return one;
}

inline Event going(const std::string& dst, std::uint16_t port, std::uint64_t repeats = 2,
                   const std::string& unit = "rag.service") {
    Event one =
        event(Direction::egress, address(dst).is_v4() ? "10.0.1.5" : "fd00:10::5", dst, port);
    one.repeats = repeats;
    one.unit = unit;
    one.cgroup = "/system.slice/" + unit;
    one.uid = 1001;
    one.comm = "python3";
    return one;
}

inline Served serving(std::uint16_t port, Circle circle = Circle::unknown,
                      std::uint8_t proto = kTcp) {
    return {.proto = proto,
            .low = port,
            .high = port,
            .v4 = true,
            .v6 = true,
            .at = std::nullopt,
            .name = "service",
            .circle = circle};
}

struct Learned {
    Findings findings;
    std::string text;

    const LearnedRule& only() const {
        REQUIRE(findings.rules.size() == 1);
        return findings.rules.front();
    }
};

// Sorts out, prints, parses and compiles what was printed, and holds it against what it claims.
Learned learned(const Seen& seen, const std::string& rules = "", const LearnOptions& options = {});

Learned learned_of(const std::vector<Event>& events, const std::vector<Served>& served = {},
                   const std::string& rules = "", const LearnOptions& options = {});

using Texts = std::vector<std::string>;

} // namespace sallyport::learn
