// SPDX-License-Identifier: Apache-2.0
// What an ICMP error quotes, where there is more than an IP header before the ports:
// extension headers, and the first fragment of a datagram that was sent in pieces.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <vector>

using namespace sallyport::test;

namespace {

const Packet kSent = ipv6{.src = kHost6, .dst = kPeer6};
const Packet kCame = ipv6{.src = kPeer6, .dst = kHost6};
const Packet kQuery = udp{.sport = 50000, .dport = 53};

Packet behind(int headers, const Packet& transport) {
    Packet chain;
    for (int i = 0; i < headers; ++i) chain = chain / dest_options{};
    return chain / transport;
}

} // namespace

TEST_CASE("too big is told to who sent in fragments: an error may quote the first, not a later") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("dns", "any", "udp", "53")};
    auto quoting = [&](std::uint16_t offset, std::uint16_t sport) {
        Packet query = udp{.sport = sport, .dport = 53};
        Packet piece =
            family == Family::v4
                ? Packet(ipv4{.src = kHost4,
                              .dst = kPeer4,
                              .proto = std::uint8_t{17},
                              .mf = true,
                              .offset = offset}) /
                      query
                : kSent / fragment{.offset = offset, .more = true, .next = std::uint8_t{17}} /
                      query;
        return to_host(family) / too_big(family, piece);
    };
    CHECK(bench.xdp(quoting(0, 50000)) == dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.tc(from_host(family) / kQuery) == passes());
    CHECK(bench.xdp(quoting(0, 50000)) == passes());
    CHECK(bench.xdp(quoting(0, 50001)) == dropped(SP_REASON_ICMP_UNRELATED));
    for (std::uint16_t offset : U16s{1, 185, 0x1fff})
        CHECK(bench.xdp(quoting(offset, 50000)) == dropped(SP_REASON_ICMP_UNRELATED));
}

TEST_CASE("an error about a packet with extension headers passes when its flow is known") {
    Bench bench{allow_out("dns", "any", "udp", "53") + allow_out("ping", "any", "icmp")};
    auto about = [](const Packet& rest) {
        return to_host(Family::v6) / unreachable(Family::v6, kSent / rest);
    };
    const std::vector<Packet> chains{hop_by_hop{},
                                     dest_options{},
                                     routing{},
                                     Packet(hop_by_hop{}) / dest_options{},
                                     Packet(fragment{.more = true}) / dest_options{},
                                     dest_options{.options = Bytes(70, 0)},
                                     behind(3, fragment{})};
    for (const Packet& chain : chains)
        CHECK(bench.xdp(about(chain / kQuery)) == dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.tc(from_host(Family::v6) / kQuery) == passes());
    CHECK(bench.tc(from_host(Family::v6) / echo_request(Family::v6, 500)) == passes());
    for (const Packet& chain : chains) {
        CHECK(bench.xdp(about(chain / kQuery)) == passes());
        CHECK(bench.xdp(about(chain / echo_request(Family::v6, 500))) == passes());
        CHECK(bench.xdp(about(chain / udp{.sport = 50000, .dport = 54})) ==
              dropped(SP_REASON_ICMP_UNRELATED));
        CHECK(bench.xdp(about(chain / echo_request(Family::v6, 501))) ==
              dropped(SP_REASON_ICMP_UNRELATED));
        CHECK(bench.xdp(about(chain / tcp{.sport = 50000, .dport = 53})) ==
              dropped(SP_REASON_ICMP_UNRELATED));
    }
}

TEST_CASE("a quote is walked as far as four extension headers, and never past its end") {
    Bench bench{allow_out("dns", "any", "udp", "53")};
    CHECK(bench.tc(from_host(Family::v6) / kQuery) == passes());
    auto about = [](const Packet& rest) {
        return to_host(Family::v6) / unreachable(Family::v6, kSent / rest);
    };
    CHECK(bench.xdp(about(behind(4, kQuery))) == passes());
    CHECK(bench.xdp(about(behind(5, kQuery))) == dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.xdp(about(Packet(dest_options{.length = std::uint8_t{255}}) / kQuery)) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    // An authentication header is a protocol here as everywhere: no port behind it is believed.
    CHECK(bench.xdp(about(Packet(ah{}) / kQuery)) == dropped(SP_REASON_ICMP_UNRELATED));
    // Every shorter quote is one of too little: the whole frame with the error's length cut.
    Bytes inner = (kSent / dest_options{} / kQuery).bytes();
    for (std::size_t size = 0; size <= inner.size(); ++size) {
        Bytes part(inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(size));
        Packet error = to_host(Family::v6) / icmp6{.type = 1, .code = 4, .id = 0, .seq = 0} /
                       Packet(raw{.bytes = part});
        INFO(size << " of " << inner.size());
        CHECK(bench.xdp(error).passed == (size >= 56));
    }
}

TEST_CASE("the kernel's error about a packet with extension headers leaves when that was let in") {
    Bench bench{allow_in("dns", "any", "udp", "53")};
    for (const Packet& chain :
         std::vector<Packet>{hop_by_hop{}, dest_options{}, Packet(hop_by_hop{}) / dest_options{}}) {
        CHECK(bench.tc(from_host(Family::v6) /
                       unreachable(Family::v6, kCame / chain / udp{.dport = 53})) == passes());
        CHECK(bench.tc(from_host(Family::v6) /
                       unreachable(Family::v6, kCame / chain / udp{.dport = 54})) ==
              dropped(SP_REASON_ICMP_UNRELATED));
    }
}
