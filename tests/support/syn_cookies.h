// SPDX-License-Identifier: Apache-2.0
#pragma once
// A port whose SYNs XDP answers by cookies, and the segments that come and go there.
#include "support/bench.h"
#include "support/machine.h"
#include "support/sockets.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>

namespace sallyport::test {

inline constexpr std::uint16_t kPort = 7100;
inline constexpr std::uint32_t kSeq = 0x12345678;
inline constexpr std::uint32_t kXdpTx = 3;

inline std::string limited(const std::string& lines) {
    return allow_in("api", "any", "tcp", std::to_string(kPort)) + lines + "\n";
}

// One for all sources, then cookies.
inline const std::string kOne = limited("limit = \"9/hour\"\nlimit-total = \"1/hour\"");

inline void give_cookies(int value) {
    std::ofstream("/proc/sys/net/ipv4/tcp_syncookies") << value;
}

// What most clients ask for; without a time stamp a cookie keeps nothing of it but the MSS.
inline const Bytes kUnstamped{2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0};

inline Packet syn(Family family, std::uint16_t sport = kClientPort,
                  const Bytes& options = kUnstamped) {
    return to_host(family) /
           tcp{.sport = sport, .dport = kPort, .flags = SYN, .seq = kSeq, .options = options};
}

inline Packet ack(Family family, std::uint32_t cookie, std::uint16_t sport = kClientPort) {
    return to_host(family) /
           tcp{.sport = sport, .dport = kPort, .flags = ACK, .seq = kSeq + 1, .ack = cookie + 1};
}

inline RunResult run(Bench& bench, const Packet& packet) {
    Result<RunResult> result =
        run_xdp(bench.programs().fd(Program::xdp), packet.bytes(), ifindex_of("eth0"));
    REQUIRE(result);
    return *result;
}

inline std::uint32_t be32(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes.at(at)) << 24 |
           static_cast<std::uint32_t>(bytes.at(at + 1)) << 16 |
           static_cast<std::uint32_t>(bytes.at(at + 2)) << 8 | bytes.at(at + 3);
}

inline std::uint32_t be16(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes.at(at)) << 8 | bytes.at(at + 1);
}

// From what a flooded listener sends back.
inline std::uint32_t cookie_in(const Bytes& frame, Family family, std::size_t link = 14) {
    return be32(frame, link + (family == Family::v4 ? 20 : 40) + 4);
}

// A bench whose shared allowance is used up, and a listener that gives cookies.
struct Flooded {
    explicit Flooded(Family family, const std::string& policy = kOne)
        : bench{policy}, service{(both_ends_here(), listener(host_of(family), kPort))} {
        give_cookies(2);
        CHECK(bench.xdp(syn(family)) == passes());
    }
    ~Flooded() { give_cookies(1); }
    Bench bench;
    Socket service;
};

} // namespace sallyport::test
