// SPDX-License-Identifier: Apache-2.0
// What XDP offers in a listener's name: what the stack's own SYN+ACK has shown, while it holds.
#include "support/syn_cookies.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <ctime>
#include <sys/socket.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// As Linux asks: SACK, a time stamp of 4711, window scale 7.
const Bytes kAsked{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0x12, 0x67, 0, 0, 0, 0, 1, 3, 3, 7};

void stamps(int value) {
    std::ofstream("/proc/sys/net/ipv4/tcp_timestamps") << value;
}

std::uint32_t milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint32_t>(now.tv_sec * 1000 + now.tv_nsec / 1'000'000);
}

// The stack's answer to kAsked, of an MSS of 1400 and a window scale of 9.
Packet shown(Family family, std::uint32_t stamp) {
    const auto byte = [stamp](int shift) { return static_cast<std::uint8_t>(stamp >> shift); };
    return from_host(family) /
           tcp{.sport = kPort,
               .dport = kClientPort,
               .flags = SYN | ACK,
               .seq = 1,
               .ack = kSeq + 1,
               .options = {2,       4,       5, 0x78, 4,    2,    8, 10, byte(24), byte(16),
                           byte(8), byte(0), 0, 0,    0x12, 0x67, 1, 3,  3,        9}};
}

// The options of the answer, but the time stamp's milliseconds: of them what says what was agreed.
Bytes offered(Flooded& flooded, Family family, const Bytes& asked = kAsked) {
    const RunResult answer = run(flooded.bench, syn(family, 41000, asked));
    REQUIRE(answer.action == kXdpTx);
    const std::size_t ip = 14, at = ip + (family == Family::v4 ? 20 : 40);
    const std::size_t end = at + (answer.output.at(at + 12) >> 4) * 4u;
    REQUIRE(answer.output.size() >= end);
    // The sums and lengths are right for what is there.
    const std::uint32_t size = static_cast<std::uint32_t>(end - at);
    CHECK(be16(answer.output, family == Family::v4 ? ip + 2 : ip + 4) ==
          (family == Family::v4 ? 20 + size : size));
    std::uint32_t sum = 6 + size;
    for (std::size_t i = family == Family::v4 ? ip + 12 : ip + 8; i < end; i += 2)
        sum += be16(answer.output, i);
    CHECK((sum & 0xffff) + (sum >> 16) == 0xffff);
    Bytes options(answer.output.begin() + static_cast<std::ptrdiff_t>(at + 20),
                  answer.output.begin() + static_cast<std::ptrdiff_t>(end));
    if (options.size() >= 12) {
        const std::uint32_t stamp = be32(options, 8);
        CHECK(milliseconds() - stamp < 1000); // never in the future
        options[8] = options[9] = options[10] = 0;
        options[11] &= 63;
    }
    return options;
}

Bytes mss_alone(std::uint16_t mss) {
    return {2, 4, static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss)};
}

// In the namespace that the bench has made.
struct Plain {
    Plain() { stamps(2); }
    ~Plain() { stamps(1); }
};

} // namespace

TEST_CASE("XDP offers what the listener has, and of it what the client asks for") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    const Plain plain;
    const std::uint16_t link = family == Family::v4 ? 1460 : 1440;
    CHECK(offered(flooded, family) == mss_alone(link)); // nothing is known yet
    CHECK(flooded.bench.tc(shown(family, milliseconds())) == passes());
    CHECK(offered(flooded, family) ==
          Bytes{2, 4, 5, 0x78, 4, 2, 8, 10, 0, 0, 0, 0x17, 0, 0, 0x12, 0x67, 1, 3, 3, 9});
    CHECK(offered(flooded, family, {8, 10, 0, 0, 0x12, 0x67, 0, 0, 0, 0, 0, 0}) ==
          Bytes{2, 4, 5, 0x78, 1, 1, 8, 10, 0, 0, 0, 0x0f, 0, 0, 0x12, 0x67});
    CHECK(offered(flooded, family, {8, 10, 0, 0, 0x12, 0x67, 0, 0, 0, 0, 3, 3, 0}) ==
          Bytes{2, 4, 5, 0x78, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0x12, 0x67, 1, 3, 3, 9});
    CHECK(offered(flooded, family, {4, 2, 3, 3, 7}) == mss_alone(1400)); // no stamp to keep it
    CHECK(offered(flooded, family, {}) == mss_alone(1400));
    // An answer to a client that asked for nothing teaches nothing but an MSS.
    CHECK(flooded.bench.tc(from_host(family) / tcp{.sport = kPort,
                                                   .dport = kClientPort,
                                                   .flags = SYN | ACK,
                                                   .options = {2, 4, 5, 0x78}}) == passes());
    CHECK(offered(flooded, family).size() == 20);
}

TEST_CASE("XDP offers an MSS alone where the stack could not know what was agreed") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    const Plain plain;
    CHECK(flooded.bench.tc(shown(family, milliseconds())) == passes());
    REQUIRE(offered(flooded, family).size() == 20);
    SECTION("time stamps have an offset for each peer") {
        stamps(1);
        CHECK(offered(flooded, family) == mss_alone(1400));
    }
    SECTION("there are none") {
        stamps(0);
        CHECK(offered(flooded, family) == mss_alone(1400));
    }
    SECTION("the listener's own has another clock") {
        CHECK(flooded.bench.tc(shown(family, milliseconds() + 5000)) == passes());
        CHECK(offered(flooded, family) == mss_alone(1400));
    }
    SECTION("the listener has another buffer") {
        const int buffer = 20000;
        REQUIRE(setsockopt(flooded.service.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) ==
                0);
        CHECK(offered(flooded, family) == mss_alone(1400));
        CHECK(flooded.bench.tc(shown(family, milliseconds())) == passes());
        CHECK(offered(flooded, family).size() == 20);
    }
    SECTION("the listener's buffer is as large, but no longer grows") {
        int buffer = 0;
        socklen_t size = sizeof buffer;
        REQUIRE(getsockopt(flooded.service.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, &size) == 0);
        buffer /= 2;
        REQUIRE(setsockopt(flooded.service.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, size) == 0);
        CHECK(offered(flooded, family) == mss_alone(1400));
    }
    SECTION("what has no SYN, or is of no listener, teaches nothing") {
        stamps(2);
        const int buffer = 20000;
        REQUIRE(setsockopt(flooded.service.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) ==
                0);
        CHECK(flooded.bench.tc(
                  from_host(family) /
                  tcp{.sport = kPort, .dport = kClientPort, .flags = ACK, .options = kAsked}) ==
              dropped(SP_REASON_NO_FLOW));
        CHECK(offered(flooded, family) == mss_alone(1400));
    }
}

TEST_CASE("of SACK that the host has since given up XDP offers none") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Flooded flooded(family);
    const Plain plain;
    CHECK(flooded.bench.tc(shown(family, milliseconds())) == passes());
    std::ofstream("/proc/sys/net/ipv4/tcp_sack") << 0;
    CHECK(offered(flooded, family) ==
          Bytes{2, 4, 5, 0x78, 1, 1, 8, 10, 0, 0, 0, 0x07, 0, 0, 0x12, 0x67, 1, 3, 3, 9});
    std::ofstream("/proc/sys/net/ipv4/tcp_sack") << 1;
}
