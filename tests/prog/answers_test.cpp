// SPDX-License-Identifier: Apache-2.0
// Which DNS answers are copied for their names: those to what was asked by way of a guarded NIC.
#include "kernel/ring.h"
#include "sallyport/abi/answer.h"
#include "support/bench.h"
#include "support/counters.h"
#include "support/dns_message.h"
#include "support/machine.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint16_t kAsker = 40053;
const std::string kResolvers = allow_out("dns", "any", "udp", "53");

class Ring {
  public:
    explicit Ring(const Bench& bench) {
        auto reader = RingReader::open(std::array{bench.maps().answers}, [this](auto record) {
            REQUIRE(record.size() == sizeof(sp_answer));
            sp_answer answer{};
            std::memcpy(&answer, record.data(), sizeof answer);
            came_.push_back(answer);
        });
        REQUIRE(reader);
        reader_.emplace(*std::move(reader));
        static_cast<void>(take());
    }
    std::vector<sp_answer> take() {
        REQUIRE(reader_->drain());
        return std::exchange(came_, {});
    }

  private:
    std::vector<sp_answer> came_;
    std::optional<RingReader> reader_;
};

Bytes message() {
    return DnsMessage("api.example.com").a("api.example.com", 60, {203, 0, 113, 9}).bytes();
}

Packet reply(Family family, const Bytes& bytes, std::uint16_t sport = 53,
             std::uint16_t dport = kAsker) {
    return to_host(family) / udp{.sport = sport, .dport = dport} / raw{bytes};
}

void ask(Bench& bench, Family family) {
    REQUIRE(bench.tc(from_host(family) / udp{.sport = kAsker, .dport = 53}) == passes());
}

Bytes bytes_of(const sp_answer& answer) {
    return {answer.bytes, answer.bytes + answer.len};
}

} // namespace

TEST_CASE("an answer to what this host asked is copied as it is") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kResolvers};
    Ring ring{bench};
    ask(bench, family);
    CHECK(bench.xdp(reply(family, message())) == passes());
    const std::vector<sp_answer> came = ring.take();
    REQUIRE(came.size() == 1);
    CHECK(bytes_of(came[0]) == message());
    CHECK(came[0].whole == message().size());
    CHECK(came[0].at_ns != 0);
}

TEST_CASE("what nobody asked for teaches nothing, whether a rule lets it in or not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kResolvers + allow_in("service", "any", "udp", std::to_string(kAsker))};
    Ring ring{bench};
    CHECK(bench.xdp(reply(family, message())) == passes());
    CHECK(bench.xdp(reply(family, message())) == passes());
    CHECK(bench.xdp(reply(family, message(), 53, kAsker + 1)) == dropped(SP_REASON_NO_RULE));
    // Nor once the service has answered whoever sent it.
    CHECK(bench.tc(from_host(family) / udp{.sport = kAsker, .dport = 1053}) == passes());
    CHECK(bench.xdp(reply(family, message(), 1053)) == passes());
    CHECK(ring.take().empty());
}

TEST_CASE("only answers from port 53, without error and with something in them, are copied") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("all", "any", "any")};
    Ring ring{bench};
    ask(bench, family);
    for (const unsigned flags : {0x0180u, 0x8183u, 0x8182u}) {
        Bytes bytes = message();
        bytes[2] = static_cast<std::uint8_t>(flags >> 8);
        bytes[3] = static_cast<std::uint8_t>(flags);
        CHECK(bench.xdp(reply(family, bytes)) == passes());
    }
    CHECK(bench.xdp(reply(family, DnsMessage("api.example.com").bytes())) == passes());
    for (std::size_t length = 0; length < 12; ++length)
        CHECK(bench.xdp(reply(family, Bytes(length, 0xff))).passed);
    REQUIRE(bench.tc(from_host(family) / udp{.sport = kAsker, .dport = 54}) == passes());
    CHECK(bench.xdp(reply(family, message(), 54)) == passes());
    REQUIRE(bench.tc(from_host(family) / tcp{.sport = kAsker, .dport = 53}) == passes());
    CHECK(bench.xdp(to_host(family) /
                    tcp{.sport = 53, .dport = kAsker, .flags = SYN | ACK, .ack = 1001}) ==
          passes());
    CHECK(ring.take().empty());
}

TEST_CASE("of a long answer the beginning is copied") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kResolvers};
    Ring ring{bench};
    ask(bench, family);
    for (const std::size_t length : {12u, 13u, 511u, 512u, 513u, 1232u}) {
        INFO(length);
        Bytes bytes = message();
        bytes.resize(length, 0xab);
        CHECK(bench.xdp(reply(family, bytes)) == passes());
        const std::vector<sp_answer> came = ring.take();
        REQUIRE(came.size() == 1);
        CHECK(came[0].whole == length);
        bytes.resize(std::min<std::size_t>(length, SP_ANSWER_BYTES));
        CHECK(bytes_of(came[0]) == bytes);
    }
}

TEST_CASE("a flood of answers is copied up to a credit, the rest counted, and all of it passes") {
    Bench bench{kResolvers};
    Ring ring{bench};
    ask(bench, Family::v4);
    const Bytes frame = reply(Family::v4, message()).bytes();
    const Counts before = read_counts(bench.maps());
    for (int i = 0; i < 2000; ++i) {
        const auto result = run_xdp(bench.programs().fd(Program::xdp), frame, ifindex_of("eth0"));
        REQUIRE(result);
        REQUIRE(result->action == 2);
    }
    const Counts rose = rise(before, read_counts(bench.maps()));
    CHECK(rose[SP_COUNT_ANSWERS_SENT] + rose[SP_COUNT_ANSWERS_LOST] == 2000);
    CHECK(rose[SP_COUNT_ANSWERS_LOST] > 0);
    CHECK(rose[SP_COUNT_EVENTS_LOST] + rose[SP_COUNT_EVENTS_HELD] == 0);
    CHECK(ring.take().size() == rose[SP_COUNT_ANSWERS_SENT]);
}

TEST_CASE("a policy without names has nothing copied") {
    Policy policy = parsed(kResolvers);
    policy.events.names = false;
    Bench bench{policy};
    Ring ring{bench};
    ask(bench, Family::v4);
    CHECK(bench.xdp(reply(Family::v4, message())) == passes());
    CHECK(ring.take().empty());
}

TEST_CASE("what an inside machine asked is heard on its way back, what it is asked is not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const char* box = family == Family::v4 ? "10.9.0.2" : "fd00:9::2";
    const Packet there = eth{} / ip(family, box, peer_of(family));
    const Packet back = eth{} / ip(family, peer_of(family), box);
    const sp_forward_hook hook =
        has_netfilter_programs() ? SP_FORWARD_NETFILTER : SP_FORWARD_TC_INGRESS;
    Bench bench{allow_through("dns", "10.9.0.0/24 fd00:9::/64", "any", "udp", "53") +
                    allow_through("in", "any", "10.9.0.0/24 fd00:9::/64", "udp", "7777"),
                {.forward_hook = hook}};
    Ring ring{bench};
    REQUIRE(bench.forward(there / udp{.sport = kAsker, .dport = 53}) == passes());
    CHECK(bench.xdp(back / udp{.sport = 53, .dport = kAsker} / raw{message()}).passed);
    CHECK(ring.take().size() == 1);
    CHECK(bench.xdp(back / udp{.sport = 53, .dport = 7777} / raw{message()}).passed);
    CHECK(bench.xdp(back / udp{.sport = 53, .dport = kAsker + 1} / raw{message()}).passed);
    CHECK(ring.take().empty());
}
