// SPDX-License-Identifier: Apache-2.0
// Who proves that he sent what was refused: for automatic bans.
#include "kernel/ring.h"
#include "sallyport/abi/challenge.h"
#include "support/bench.h"
#include "support/machine.h"
#include "support/sockets.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint16_t kOpen = 7200; // limited
constexpr std::uint16_t kShut = 7201; // no rule lets it in
constexpr std::uint32_t kSeq = 0x12345678;
constexpr std::uint32_t kXdpDrop = 1, kXdpTx = 3;

const std::string kLimited =
    allow_in("api", "any", "tcp", std::to_string(kOpen)) + "limit = \"1/hour\"\n";
const std::string kLimits = kLimited + "[bans]\nafter-limits = \"5 in 10m for 1h\"\n";
const std::string kProbes = kLimited + "[bans]\nafter-probes = \"5 in 10m for 1h\"\n";

// Each a source of its own, whose place in the table nobody has used.
Packet fresh_source(Family family) {
    static int number = 0;
    ++number;
    return ip(family,
              (family == Family::v4 ? "10.9." : "fd09:") + std::to_string(number) +
                  (family == Family::v4 ? ".1" : "::1"),
              host_of(family));
}

Packet syn(const Packet& from, std::uint16_t port, std::uint16_t sport = kClientPort) {
    return eth{} / from / tcp{.sport = sport, .dport = port, .flags = SYN, .seq = kSeq};
}

Packet ack(const Packet& from, std::uint16_t port, std::uint32_t number,
           std::uint16_t sport = kClientPort, std::uint8_t flags = ACK) {
    return eth{} / from /
           tcp{.sport = sport, .dport = port, .flags = flags, .seq = kSeq + 1, .ack = number};
}

RunResult run(Bench& bench, const Packet& packet) {
    Result<RunResult> result =
        run_xdp(bench.programs().fd(Program::xdp), packet.bytes(), ifindex_of("eth0"));
    REQUIRE(result);
    return *result;
}

std::uint32_t be16(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes.at(at)) << 8 | bytes.at(at + 1);
}

std::uint32_t be32(const Bytes& bytes, std::size_t at) {
    return be16(bytes, at) << 16 | be16(bytes, at + 2);
}

std::uint32_t sum(const Bytes& bytes, std::size_t from, std::size_t to, std::uint32_t start = 0) {
    for (std::size_t i = from; i < to; i += 2) start += be16(bytes, i);
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return start;
}

std::size_t tcp_at(Family family) {
    return 14 + (family == Family::v4 ? 20 : 40);
}

// Both ends turned around, and sums and lengths that are right.
void check_frame(const Bytes& frame, Family family, std::uint16_t port) {
    const std::size_t at = tcp_at(family), ends = family == Family::v4 ? 26 : 22;
    REQUIRE(frame.size() == std::max<std::size_t>(60, at + 20));
    CHECK(be16(frame, at) == port);
    CHECK(be16(frame, at + 2) == kClientPort);
    CHECK(frame[at + 12] == 5 << 4);
    CHECK(sum(frame, at, at + 20, sum(frame, ends, at) + 6 + 20) == 0xffff);
    CHECK(be16(frame, family == Family::v4 ? 16 : 18) == (family == Family::v4 ? 40u : 20u));
    if (family == Family::v4) CHECK(sum(frame, 14, 34) == 0xffff);
}

class Ring {
  public:
    explicit Ring(const Bench& bench) {
        auto reader = RingReader::open(std::array{bench.maps().proofs}, [this](auto record) {
            REQUIRE(record.size() == sizeof(sp_proof));
            sp_proof proof{};
            std::memcpy(&proof, record.data(), sizeof proof);
            came_.push_back(proof);
        });
        REQUIRE(reader);
        reader_.emplace(*std::move(reader));
        static_cast<void>(take());
    }
    std::vector<sp_proof> take() {
        REQUIRE(reader_->drain());
        return std::exchange(came_, {});
    }

  private:
    std::vector<sp_proof> came_;
    std::optional<RingReader> reader_;
};

// The number that the answer to a SYN asks for; none: it was dropped.
std::optional<std::uint32_t> asked(Bench& bench, Family family, const Packet& packet) {
    const RunResult result = run(bench, packet);
    if (result.action == kXdpDrop) return std::nullopt;
    REQUIRE(result.action == kXdpTx);
    REQUIRE(result.output[tcp_at(family) + 13] == (SYN | ACK));
    return be32(result.output, tcp_at(family) + 4) + 1;
}

// After as many probes as are let go by.
std::optional<std::uint32_t> probed(Bench& bench, Family family, const Packet& from) {
    for (unsigned i = 0; i < SP_PROBES_UNASKED; ++i)
        CHECK(run(bench, syn(from, kShut)).action == kXdpDrop);
    return asked(bench, family, syn(from, kShut));
}

} // namespace

TEST_CASE("a probe is dropped and not answered unless the policy bans for probes") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (const std::string& policy : {kLimited, kLimits}) {
        Bench bench{policy};
        CHECK_FALSE(probed(bench, family, fresh_source(family)));
    }
}

TEST_CASE("what a limit refuses is not answered unless the policy bans for limits") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (const std::string& policy : {kLimited, kProbes}) {
        Bench bench{policy};
        const Packet from = fresh_source(family);
        CHECK(bench.xdp(syn(from, kOpen)) == passes());
        for (int i = 0; i < 5; ++i) CHECK_FALSE(asked(bench, family, syn(from, kOpen)));
    }
}

TEST_CASE("the fourth probe is answered, its ACK is a proof and is answered by a RST") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kProbes};
    Ring ring{bench};
    const Packet from = fresh_source(family);
    for (unsigned i = 0; i < SP_PROBES_UNASKED; ++i)
        CHECK(bench.xdp(syn(from, kShut)) == dropped(SP_REASON_NO_RULE));
    const RunResult answer = run(bench, syn(from, kShut));
    REQUIRE(answer.action == kXdpTx);
    check_frame(answer.output, family, kShut);
    const std::size_t at = tcp_at(family);
    CHECK(answer.output[at + 13] == (SYN | ACK));
    CHECK(be32(answer.output, at + 8) == kSeq + 1);
    CHECK(ring.take().empty());
    const std::uint32_t number = be32(answer.output, at + 4) + 1;
    const RunResult end = run(bench, ack(from, kShut, number));
    REQUIRE(end.action == kXdpTx);
    check_frame(end.output, family, kShut);
    CHECK(end.output[at + 13] == RST);
    CHECK(be32(end.output, at + 4) == number);
    const std::vector<sp_proof> proofs = ring.take();
    REQUIRE(proofs.size() == 1);
    CHECK(proofs[0].owner == SP_CHALLENGE_PROBE);
    CHECK(proofs[0].src_port == kClientPort);
    CHECK(proofs[0].dst_port == kShut);
    CHECK(bench.flow_entries() == 0);
    // It counts once: who sends it again has not opened anything again.
    CHECK(run(bench, ack(from, kShut, number)).action == kXdpDrop);
    CHECK(ring.take().empty());
    // A right answer is followed by the next question at once.
    CHECK(asked(bench, family, syn(from, kShut)));
}

TEST_CASE("what a limit refuses is asked about, with a listener there and without") {
    const Family family = GENERATE(Family::v4, Family::v6);
    const bool listens = GENERATE(true, false);
    INFO(to_string(family) << (listens ? ", listening" : ""));
    Bench bench{kLimits};
    both_ends_here();
    std::optional<Socket> service;
    if (listens) service.emplace(listener(host_of(family), kOpen));
    Ring ring{bench};
    const Packet from = fresh_source(family);
    CHECK(bench.xdp(syn(from, kOpen)) == passes());
    const auto number = asked(bench, family, syn(from, kOpen));
    REQUIRE(number);
    CHECK(run(bench, ack(from, kOpen, *number)).action == kXdpTx);
    const std::vector<sp_proof> proofs = ring.take();
    REQUIRE(proofs.size() == 1);
    CHECK(proofs[0].owner != SP_CHALLENGE_PROBE);
    CHECK(bench.rule_count("api").admitted == 1);
}

TEST_CASE("a wrong answer proves nothing, and there is no second guess") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kProbes};
    Ring ring{bench};
    const Packet from = fresh_source(family);
    const auto number = probed(bench, family, from);
    REQUIRE(number);
    CHECK(run(bench, ack(from, kShut, *number + 1)).action == kXdpDrop);
    CHECK(run(bench, ack(from, kShut, *number)).action == kXdpDrop);
    CHECK_FALSE(asked(bench, family, syn(from, kShut)));
    CHECK(ring.take().empty());
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    CHECK(asked(bench, family, syn(from, kShut)));
}

TEST_CASE("the number fits its addresses and ports alone") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kProbes};
    Ring ring{bench};
    const Packet from = fresh_source(family);
    const auto number = probed(bench, family, from);
    REQUIRE(number);
    SECTION("not another port there") {
        CHECK(run(bench, ack(from, kShut, *number, kClientPort + 1)).action == kXdpDrop);
    }
    SECTION("not another port here") {
        CHECK(run(bench, ack(from, kShut + 1, *number)).action == kXdpDrop);
    }
    SECTION("not another source") {
        CHECK(run(bench, ack(fresh_source(family), kShut, *number)).action == kXdpDrop);
    }
    SECTION("not later than a second") {
        std::this_thread::sleep_for(std::chrono::milliseconds(1100));
        CHECK(run(bench, ack(from, kShut, *number)).action == kXdpDrop);
    }
    CHECK(ring.take().empty());
}

TEST_CASE("what a host sends that has opened nothing is no proof") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kProbes};
    Ring ring{bench};
    const Packet from = fresh_source(family);
    const auto number = probed(bench, family, from);
    REQUIRE(number);
    // A RST, as every stack answers a SYN+ACK that it has not asked for; whatever is in it.
    for (const std::uint8_t flags :
         {RST, static_cast<std::uint8_t>(RST | ACK), static_cast<std::uint8_t>(SYN | ACK)})
        CHECK(run(bench, ack(from, kShut, *number, kClientPort, flags)).action == kXdpDrop);
    CHECK(ring.take().empty());
    CHECK(run(bench, ack(from, kShut, *number)).action == kXdpTx);
    CHECK(ring.take().size() == 1);
}

TEST_CASE("a hundred thousand forged SYNs and ACKs prove nothing and are hardly answered") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kProbes};
    Ring ring{bench};
    const Packet from = fresh_source(family);
    const auto began = std::chrono::steady_clock::now();
    unsigned answered = 0;
    for (std::uint32_t i = 0; i < 50000; ++i) {
        const auto sport = static_cast<std::uint16_t>(i);
        answered += run(bench, syn(from, kShut, sport)).action == kXdpTx;
        answered += run(bench, ack(from, kShut, i * 2654435761u, sport)).action == kXdpTx;
    }
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
    CHECK(ring.take().empty());
    CHECK(answered >= 1);
    CHECK(answered <= seconds.count() + 1);
}

TEST_CASE("what is observed, and what is not for this host, is not answered") {
    const Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    SECTION("observing") {
        Bench bench{kProbes, {.host = "mode = \"observe\"\n"}};
        const Packet from = fresh_source(family);
        for (int i = 0; i < 6; ++i)
            CHECK(bench.xdp(syn(from, kShut)) == would_be_dropped(SP_REASON_NO_RULE));
    }
    SECTION("routed") {
        Bench bench{kProbes};
        const Packet from = ip(family, family == Family::v4 ? "10.9.250.1" : "fd09:fafa::1",
                               family == Family::v4 ? "10.8.0.1" : "fd08::1");
        for (int i = 0; i < 6; ++i) CHECK(run(bench, syn(from, kShut)).action == kXdpDrop);
    }
    SECTION("asking") {
        Bench bench{kProbes, {.role = Role::asking}};
        const Packet from = fresh_source(family);
        for (int i = 0; i < 6; ++i) CHECK(run(bench, syn(from, kShut)).action == kXdpDrop);
    }
}
