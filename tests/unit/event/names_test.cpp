// SPDX-License-Identifier: Apache-2.0
#include "event/names.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

using namespace sallyport;

TEST_CASE("every reason has a name, a meaning, and comes back from its name") {
    std::set<std::string> names;
    for (const std::uint8_t reason : all_reasons()) {
        CHECK(parse_reason(reason_name(reason)) == reason);
        CHECK_FALSE(reason_meaning(reason).empty());
        names.insert(reason_name(reason));
    }
    CHECK(names.size() == SP_REASON_END - 1);
}

TEST_CASE("a reason that is not known is shown as its number and is no name") {
    CHECK(reason_name(SP_REASON_END) == std::to_string(SP_REASON_END));
    CHECK(reason_name(255) == "255");
    CHECK(reason_meaning(255).empty());
    CHECK_FALSE(parse_reason("255"));
    CHECK_FALSE(parse_reason(""));
    CHECK_FALSE(parse_reason("NO-RULE"));
}

TEST_CASE("directions and hooks come back from their names") {
    for (std::uint8_t d = 0; d < SP_DIRECTIONS; ++d) CHECK(parse_direction(direction_name(d)) == d);
    for (std::uint8_t h = 0; h < SP_HOOKS; ++h) CHECK(parse_hook(hook_name(h)) == h);
    CHECK(direction_name(SP_DIRECTIONS) == "3");
    CHECK_FALSE(parse_direction("3"));
    CHECK(hook_name(SP_HOOKS) == std::to_string(SP_HOOKS));
    CHECK_FALSE(parse_hook("5"));
}

TEST_CASE("kinds, states and losers come back from their names") {
    for (const EventKind kind :
         {EventKind::drop, EventKind::would_drop, EventKind::opened, EventKind::lost,
          EventKind::policy, EventKind::hook, EventKind::socket, EventKind::ban, EventKind::unban,
          EventKind::limit})
        CHECK(parse_event_kind(to_string(kind)) == kind);
    for (const LostBy by : {LostBy::ring_full, LostBy::over_rate, LostBy::slow_reader,
                            LostBy::log_file, LostBy::journal})
        CHECK(parse_lost_by(to_string(by)) == by);
    for (const EventState state :
         {EventState::attached, EventState::lost, EventState::restored, EventState::applied,
          EventState::refused, EventState::found, EventState::begins, EventState::ends})
        CHECK(parse_event_state(to_string(state)) == state);
    CHECK(to_string(static_cast<EventKind>(200)) == "200");
    CHECK_FALSE(parse_event_kind("dropped"));
}

TEST_CASE("families of sockets come back from their names") {
    for (const std::uint16_t family : {std::uint16_t{17}, std::uint16_t{44}})
        CHECK(parse_socket_family(socket_family_name(family)) == family);
    CHECK(socket_family_name(2) == "2");
    CHECK_FALSE(parse_socket_family("2"));
}

TEST_CASE("every protocol number comes back from its name") {
    for (unsigned number = 0; number < 256; ++number)
        CHECK(parse_proto(proto_name(static_cast<std::uint8_t>(number))) == number);
    CHECK(proto_name(6) == "tcp");
    CHECK(proto_name(253) == "253");
    CHECK_FALSE(parse_proto("256"));
    CHECK_FALSE(parse_proto("tcpx"));
    CHECK_FALSE(parse_proto(""));
}

TEST_CASE("every set of TCP flags comes back from its letters") {
    for (unsigned flags = 0; flags < 256; ++flags)
        CHECK(parse_tcp_flags(tcp_flag_letters(static_cast<std::uint8_t>(flags))) == flags);
    CHECK(tcp_flag_letters(2) == "S");
    CHECK(tcp_flag_letters(18) == "SA");
    CHECK(tcp_flag_letters(0) == "-");
    CHECK_FALSE(parse_tcp_flags("SX"));
    CHECK_FALSE(parse_tcp_flags(""));
}
