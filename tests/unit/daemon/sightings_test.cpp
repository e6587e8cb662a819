// SPDX-License-Identifier: Apache-2.0
// Events and their packets find each other, whichever comes first.
#include "daemon/sightings.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

Event event_at(std::uint64_t at_ns, std::uint16_t cpu = 0, std::uint8_t hook = SP_HOOK_XDP) {
    Event event;
    event.hook = hook;
    event.stamp = {.at_ns = at_ns, .cpu = cpu};
    return event;
}

Capture capture_at(std::uint64_t at_ns, std::uint16_t cpu = 0) {
    return {.layer = CaptureLayer::ip,
            .wire_size = 4,
            .bytes = {1, 2, 3, static_cast<std::uint8_t>(cpu)},
            .stamp = {.at_ns = at_ns, .cpu = cpu}};
}

} // namespace

TEST_CASE("an event and its packet are told once both are here") {
    Sightings sightings;
    CHECK_FALSE(sightings.add(event_at(5)));
    CHECK_FALSE(sightings.add(event_at(5, 1)));
    CHECK_FALSE(sightings.add(capture_at(6)));
    const auto first = sightings.add(capture_at(5, 1));
    REQUIRE(first);
    CHECK(first->event.stamp.cpu == 1);
    CHECK(first->capture.bytes.back() == 1);
    const auto second = sightings.add(event_at(6));
    REQUIRE(second);
    CHECK(second->capture.stamp.at_ns == 6);
    CHECK(sightings.waiting() == 1);
    CHECK_FALSE(sightings.add(capture_at(5, 1))); // it was told already
}

TEST_CASE("of what is of no packet none is waited for") {
    Sightings sightings;
    for (const std::uint8_t hook : {SP_HOOK_CONNECT, SP_HOOK_SENDMSG, SP_HOOK_SOCKET, SP_HOOK_HOLD})
        CHECK_FALSE(sightings.add(event_at(5, 0, hook)));
    CHECK_FALSE(sightings.add(event_at(0)));
    CHECK(sightings.waiting() == 0);
}

TEST_CASE("when full the oldest half is given up") {
    Sightings sightings(8);
    for (std::uint64_t at = 1; at <= 100; ++at) CHECK_FALSE(sightings.add(event_at(at)));
    CHECK(sightings.waiting() == 8);
    CHECK_FALSE(sightings.add(capture_at(1)));
    CHECK(sightings.add(capture_at(100)));
    for (std::uint64_t at = 200; at <= 300; ++at) {
        CHECK_FALSE(sightings.add(event_at(at)));
        CHECK(sightings.add(capture_at(at)));
    }
    CHECK(sightings.waiting() <= 8);
}
