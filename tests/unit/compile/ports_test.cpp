// SPDX-License-Identifier: Apache-2.0
#include "compile/ports.h"
#include "sallyport/abi/types.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

PortClasses classify(const std::vector<Services>& all) {
    ServiceTable table;
    for (const Services& services : all) table.add(services);
    Result<PortClasses> classes = classify_ports(table);
    REQUIRE(classes);
    return std::move(*classes);
}

Services tcp(std::uint16_t low, std::uint16_t high) {
    return {.any_protocol = false, .ranges = {{.proto = 6, .low = low, .high = high}}};
}

Services one(std::uint8_t proto, std::uint16_t low, std::uint16_t high) {
    return {.any_protocol = false, .ranges = {{.proto = proto, .low = low, .high = high}}};
}

const Services kAnything{.any_protocol = true, .ranges = {}};

} // namespace

TEST_CASE("without rules the whole line is class 0") {
    const PortClasses classes = classify({});
    CHECK(classes.count == 1);
    REQUIRE(classes.line.size() == SP_LINE_END);
    for (const std::uint16_t number : classes.line) REQUIRE(number == 0);
}

TEST_CASE("a range covers its first and last port and none beside them") {
    const PortClasses classes = classify({tcp(80, 443)});
    CHECK(classes.line[SP_LINE_TCP + 79] == 0);
    CHECK(classes.line[SP_LINE_TCP + 80] == 1);
    CHECK(classes.line[SP_LINE_TCP + 443] == 1);
    CHECK(classes.line[SP_LINE_TCP + 444] == 0);
    CHECK(classes.line[SP_LINE_UDP + 80] == 0);
    CHECK(classes.line[SP_LINE_PROTO + 6] == 0);
}

TEST_CASE("the last port of a protocol does not reach into the next protocol") {
    const PortClasses classes = classify({tcp(65535, 65535), one(1, 255, 255), one(58, 255, 255)});
    CHECK(classes.line[SP_LINE_TCP + 65535] != 0);
    CHECK(classes.line[SP_LINE_UDP] == 0);
    CHECK(classes.line[SP_LINE_ICMP4 + 255] != 0);
    CHECK(classes.line[SP_LINE_ICMP6] == 0);
    CHECK(classes.line[SP_LINE_END - 1] != 0);
}

TEST_CASE("ICMP types above 255 are nowhere, and a range across is cut there") {
    CHECK(classify({one(1, 256, 300)}).count == 1);
    const PortClasses classes = classify({one(1, 250, 300)});
    CHECK(classes.line[SP_LINE_ICMP4 + 249] == 0);
    CHECK(classes.line[SP_LINE_ICMP4 + 250] == 1);
    CHECK(classes.line[SP_LINE_ICMP4 + 255] == 1);
    CHECK(classes.line[SP_LINE_ICMP6] == 0);
}

TEST_CASE("a protocol without ports has one place, its own") {
    const PortClasses classes = classify({one(47, 0, 65535)});
    CHECK(classes.line[SP_LINE_PROTO + 47] == 1);
    CHECK(classes.line[SP_LINE_PROTO + 46] == 0);
    CHECK(classes.line[SP_LINE_PROTO + 48] == 0);
    CHECK(classes.line[SP_LINE_TCP + 47] == 0);
}

TEST_CASE("all ports of a protocol include what has no port") {
    CHECK(classify({tcp(0, 65535)}).line[SP_LINE_PROTO + 6] == 1);
    CHECK(classify({tcp(0, 65534)}).line[SP_LINE_PROTO + 6] == 0);
    CHECK(classify({tcp(1, 65535)}).line[SP_LINE_PROTO + 6] == 0);
}

TEST_CASE("any protocol names every place, so class 0 is nowhere") {
    const PortClasses classes = classify({kAnything, tcp(22, 22)});
    CHECK(classes.count == 3);
    for (const std::uint16_t number : classes.line) REQUIRE(number != 0);
    CHECK(classes.line[SP_LINE_TCP + 22] != classes.line[SP_LINE_TCP + 23]);
}

TEST_CASE("any protocol of an allow rule names echo requests of ICMP and no other type") {
    ServiceTable table;
    table.add(kAnything, AnyIcmp::echo_requests);
    const PortClasses classes = *classify_ports(table);
    CHECK(classes.count == 2);
    for (std::uint32_t type = 0; type < 256; ++type) {
        CHECK((classes.line[SP_LINE_ICMP4 + type] != 0) == (type == 8));
        CHECK((classes.line[SP_LINE_ICMP6 + type] != 0) == (type == 128));
    }
    for (std::uint32_t place = 0; place < SP_LINE_ICMP4; ++place) REQUIRE(classes.line[place] != 0);
    // Beside a deny rule's, which means every type.
    CHECK(table.add(kAnything) != table.add(kAnything, AnyIcmp::echo_requests));
    const PortClasses both = *classify_ports(table);
    for (const std::uint16_t number : both.line) REQUIRE(number != 0);
    CHECK(both.line[SP_LINE_ICMP4 + 8] != both.line[SP_LINE_ICMP4 + 13]);
}

TEST_CASE("services that say the same in another order share a number") {
    ServiceTable table;
    const ServiceRange a{.proto = 6, .low = 1, .high = 2};
    const ServiceRange b{.proto = 17, .low = 5, .high = 9};
    CHECK(table.add({.any_protocol = false, .ranges = {a, b}}) ==
          table.add({.any_protocol = false, .ranges = {b, a}}));
    CHECK(table.add({.any_protocol = false, .ranges = {a}}) !=
          table.add({.any_protocol = false, .ranges = {b}}));
    CHECK(table.add(kAnything) != table.add({}));
}

TEST_CASE("ten thousand rules for one port make one class") {
    const PortClasses classes = classify(std::vector<Services>(10'000, tcp(443, 443)));
    CHECK(classes.count == 2);
}

TEST_CASE("where two ranges of one rule overlap, the narrower one counts") {
    Services services = tcp(0, 99);
    services.ranges.push_back({.proto = 6, .low = 50, .high = 59});
    const PortClasses classes = classify({services});
    CHECK(classes.line[49] == classes.line[60]);
    CHECK(classes.line[50] != classes.line[49]);
    CHECK(classes.line[50] == classes.line[59]);
    for (const ServedClass& served : classes.served[1])
        CHECK(served.width == (served.port_class == classes.line[50] ? 9 : 99));
}

TEST_CASE("more classes than 16 bits hold are refused with the number") {
    ServiceTable table;
    for (unsigned port = 0; port < 65536; ++port) {
        table.add(tcp(static_cast<std::uint16_t>(port), static_cast<std::uint16_t>(port)));
    }
    table.add(one(17, 53, 53));
    const Result<PortClasses> classes = classify_ports(table);
    REQUIRE_FALSE(classes);
    CHECK(classes.error().message.find("65535") != std::string::npos);
}
