// SPDX-License-Identifier: Apache-2.0
// The programs' parser, compiled natively: what it reads of good packets, and
// that no packet cut short is ever read as a whole one. Frames under 14 bytes
// are only seen here: BPF_PROG_TEST_RUN does not take them.
#include "support/host_parser.h"
#include "support/icmp_message.h"
#include "support/packet.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

bool is_address(const sp_addr& address, const std::string& text) {
    Bytes bytes = mapped_bytes(text);
    return std::equal(bytes.begin(), bytes.end(), address.bytes);
}

// One option of forty bytes, all of which read like port 22.
Bytes looks_like_ports() {
    Bytes options(40, 22);
    options[1] = 40;
    return options;
}

struct Named {
    std::string name;
    Packet packet;
};

// Every kind of packet whose every byte a header claims.
std::vector<Named> whole_packets() {
    const std::string data = "payload of the packet";
    Packet v4 = to_host(Family::v4);
    Packet v6 = to_host(Family::v6);
    return {
        {"tcp", v4 / tcp{} / text(data)},
        {"tcp with options", v4 / tcp{.options = {2, 4, 5, 180, 1, 1}} / text(data)},
        {"udp", v4 / udp{} / text(data)},
        {"udp-lite", v4 / udplite{} / text(data)},
        {"sctp", v4 / sctp{}},
        {"icmp", v4 / echo_request(Family::v4)},
        {"icmp error", v4 / unreachable(Family::v4, from_host(Family::v4) / udp{})},
        {"ipv4 options", eth{} / ipv4{.options = {148, 4, 0, 0, 1, 1, 1, 0}} / tcp{}},
        {"one tag", eth{} / vlan{} / ipv4{} / tcp{}},
        {"two tags", eth{} / qinq() / vlan{} / ipv6{} / tcp{}},
        {"tcp over ipv6", v6 / tcp{} / text(data)},
        {"udp over ipv6", v6 / udp{} / text(data)},
        {"sctp over ipv6", v6 / sctp{}},
        {"icmpv6", v6 / echo_request(Family::v6)},
        {"neighbour solicitation", eth{} / ipv6{.hop_limit = 255} / neighbour_solicitation()},
        {"extension headers", v6 / hop_by_hop{} / dest_options{} / routing{} / ah{} / tcp{}},
        {"fragment", v6 / fragment{.more = true} / udp{} / text("12345678")},
    };
}

} // namespace

TEST_CASE("a frame cut at any length is an objection, and the whole one is none") {
    for (const Named& row : whole_packets()) {
        Bytes whole = row.packet.bytes();
        INFO(row.name);
        CHECK(parse_on_host(whole).reason == SP_REASON_NONE);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            INFO("cut at " << length);
            CHECK(parse_on_host(std::span(whole).first(length)).reason != SP_REASON_NONE);
        }
    }
}

TEST_CASE("Ethernet padding behind an IP packet is no part of it") {
    Bytes whole = (to_host(Family::v4) / udp{} / text("x")).bytes();
    std::size_t end = whole.size();
    whole.resize(60);
    Parsed parsed = parse_on_host(whole);
    CHECK(parsed.reason == SP_REASON_NONE);
    CHECK(parsed.end == end);
}

TEST_CASE("addresses, ports and flags are those of the packet, in both families") {
    Family family = GENERATE(Family::v4, Family::v6);
    Parsed parsed = parse_on_host(
        (to_host(family) / tcp{.sport = 1, .dport = 65535, .flags = SYN | ACK}).bytes());
    CHECK(parsed.reason == SP_REASON_NONE);
    CHECK(is_address(parsed.src, peer_of(family)));
    CHECK(is_address(parsed.dst, host_of(family)));
    CHECK(parsed.src_port == 1);
    CHECK(parsed.dst_port == 65535);
    CHECK(parsed.tcp_flags == (SYN | ACK));
    CHECK(parsed.proto == 6);
    CHECK(parsed.family == (family == Family::v4 ? 4 : 6));
}

TEST_CASE("ports are read behind options and extension headers, never at a fixed place") {
    // Option bytes that look like an allowed port where a naive parser would read one.
    Parsed v4 = parse_on_host(
        (eth{} / ipv4{.options = looks_like_ports()} / tcp{.sport = 5, .dport = 23}).bytes());
    CHECK(v4.reason == SP_REASON_NONE);
    CHECK(v4.dst_port == 23);
    CHECK(v4.options);
    // 264 bytes of options overflow length arithmetic in 8 bits.
    Packet long_options =
        to_host(Family::v6) / dest_options{.options = Bytes(262, 22)} / tcp{.dport = 23};
    Parsed v6 = parse_on_host(long_options.bytes());
    CHECK(v6.reason == SP_REASON_NONE);
    CHECK(v6.dst_port == 23);
    CHECK(v6.l4_offset == 14 + 40 + 264);
}

TEST_CASE("a lone IPv4 router alert is told from other options") {
    Parsed alert =
        parse_on_host((eth{} / ipv4{.proto = 2, .options = {148, 4, 0, 0}} / filler(8)).bytes());
    CHECK(alert.router_alert);
    CHECK_FALSE(alert.options);
    Parsed more = parse_on_host(
        (eth{} / ipv4{.proto = 2, .options = {148, 4, 0, 0, 7, 4, 4, 0}} / filler(8)).bytes());
    CHECK_FALSE(more.router_alert);
    CHECK(more.options);
}

TEST_CASE("a source route is found wherever it stands in the list of options") {
    for (std::uint8_t kind : U8s{131, 137}) {
        for (std::size_t before = 0; before <= 37; ++before) {
            Bytes options(before, 1);
            options.insert(options.end(), {kind, 3, 4});
            INFO("kind " << int(kind) << " behind " << before);
            CHECK(parse_on_host((eth{} / ipv4{.options = options} / tcp{}).bytes()).reason ==
                  SP_REASON_SOURCE_ROUTE);
        }
        // Within another option, or behind the end of the list, its number is data.
        CHECK(parse_on_host((eth{} / ipv4{.options = {7, 4, kind, 3}} / tcp{}).bytes()).reason ==
              SP_REASON_NONE);
        CHECK(parse_on_host((eth{} / ipv4{.options = {1, 0, kind, 3}} / tcp{}).bytes()).reason ==
              SP_REASON_NONE);
    }
}

TEST_CASE("a list of options whose lengths lie is malformed") {
    for (std::size_t room : {4u, 8u, 20u, 40u}) {
        for (std::size_t before = 0; before < room; ++before) {
            for (unsigned size = 0; size <= 255; ++size) {
                Bytes options(room, 1);
                options[before] = 7;
                bool has_size = before + 1 < room;
                if (has_size) options[before + 1] = static_cast<std::uint8_t>(size);
                sp_reason expected = has_size && size >= 2 && size <= room - before
                                         ? SP_REASON_NONE
                                         : SP_REASON_MALFORMED;
                sp_reason reason =
                    parse_on_host((eth{} / ipv4{.options = options} / tcp{}).bytes()).reason;
                if (reason != expected) {
                    INFO(hex(options));
                    CHECK(reason == expected);
                }
                if (!has_size) break;
            }
        }
    }
}

TEST_CASE("the router alert of MLD is found where Linux and where the BSDs write it") {
    auto alert = [](const Bytes& options) {
        return parse_on_host(
                   (to_host(Family::v6) / hop_by_hop{.options = options} / icmp6{.type = 143})
                       .bytes())
            .router_alert;
    };
    CHECK(alert({5, 2, 0, 0, 1, 0}));
    CHECK(alert({1, 0, 5, 2, 0, 0}));
    CHECK(alert({0, 0, 5, 2, 0, 0}));
    CHECK_FALSE(alert({5, 2, 0, 1, 1, 0})); // RSVP's
    CHECK_FALSE(alert({1, 0, 5, 2, 1, 0}));
    CHECK_FALSE(alert({1, 4, 5, 2, 0, 0})); // within padding
    CHECK_FALSE(alert({1, 4, 0, 0, 0, 0}));
}

TEST_CASE("a quote of a later fragment, of an error, or that another host sent is an objection") {
    Family family = GENERATE(Family::v4, Family::v6);
    auto quoted = [&](const Packet& inner) {
        return parse_on_host((to_host(family) / unreachable(family, inner)).bytes()).quote_reason;
    };
    Packet sent = ip(family, host_of(family), peer_of(family));
    CHECK(quoted(sent / udp{} / text("x")) == SP_REASON_NONE);
    CHECK(quoted(ip(family, peer_of(family), host_of(family)) / udp{} / text("x")) ==
          SP_REASON_MALFORMED);
    CHECK(quoted(sent / unreachable(family, sent / udp{})) == SP_REASON_MALFORMED);
    CHECK(quoted(sent / echo_request(family)) == SP_REASON_NONE);
    if (family == Family::v6) return; // there a fragment header ends the reading
    auto piece = [&](std::uint16_t offset) {
        return quoted(
            ipv4{.src = kHost4, .dst = kPeer4, .proto = 17, .mf = true, .offset = offset} /
            filler(16));
    };
    CHECK(piece(0) == SP_REASON_NONE);
    CHECK(piece(1) == SP_REASON_MALFORMED);
    CHECK(piece(0x1fff) == SP_REASON_MALFORMED);
}

TEST_CASE("AH and ESP end the walk: no port behind them is believed") {
    Parsed v6 = parse_on_host((to_host(Family::v6) / dest_options{} / ah{} / tcp{}).bytes());
    CHECK(v6.reason == SP_REASON_NONE);
    CHECK(v6.proto == 51);
    CHECK(v6.dst_port == 0);
    Parsed v4 = parse_on_host((to_host(Family::v4) / ah{} / tcp{}).bytes());
    CHECK(v4.proto == 51);
    CHECK(v4.dst_port == 0);
}

TEST_CASE("as many extension headers as are walked pass, one more does not") {
    auto chain = [](unsigned count) {
        Packet packet = to_host(Family::v6);
        for (unsigned i = 0; i < count; ++i) packet = packet / dest_options{};
        return parse_on_host((packet / tcp{}).bytes());
    };
    CHECK(chain(SP_EXTS_MAX).reason == SP_REASON_NONE);
    CHECK(chain(SP_EXTS_MAX).dst_port == 22);
    CHECK(chain(SP_EXTS_MAX + 1).reason == SP_REASON_EXT_CHAIN);
    CHECK(chain(100).reason == SP_REASON_EXT_CHAIN);
    // A fragment header may be the last of them: what is behind it is no part of the chain.
    Packet packet = to_host(Family::v6);
    for (unsigned i = 1; i < SP_EXTS_MAX; ++i) packet = packet / dest_options{};
    Parsed last = parse_on_host((packet / fragment{.next = 60} / filler(16)).bytes());
    CHECK(last.reason == SP_REASON_NONE);
    CHECK(last.fragment);
    CHECK(parse_on_host((packet / dest_options{} / fragment{} / filler(16)).bytes()).reason ==
          SP_REASON_EXT_CHAIN);
}

TEST_CASE("a fragment's ports are not read, a whole datagram's are") {
    Packet tail = udp{} / Packet(text("12345678"));
    for (const Packet& packet :
         {eth{} / ipv4{.mf = true} / tail, eth{} / ipv4{.proto = 17, .offset = 1} / tail,
          eth{} / ipv4{.evil = true} / tail, to_host(Family::v6) / fragment{} / tail,
          to_host(Family::v6) / fragment{.offset = 9, .next = 17} / tail}) {
        Parsed parsed = parse_on_host(packet.bytes());
        CHECK(parsed.fragment != (std::get_if<ipv4>(&packet.layers[1]) != nullptr &&
                                  std::get<ipv4>(packet.layers[1]).evil));
        if (parsed.fragment) CHECK(parsed.dst_port == 0);
    }
    CHECK_FALSE(parse_on_host((eth{} / ipv4{.df = true} / tail).bytes()).fragment);
}

TEST_CASE("an ICMP error gives the quoted packet's addresses and ports, in both families") {
    Family family = GENERATE(Family::v4, Family::v6);
    Packet inner = ip(family, host_of(family), peer_of(family)) / tcp{.sport = 50000, .dport = 443};
    Parsed parsed = parse_on_host((to_host(family) / too_big(family, inner)).bytes());
    CHECK(parsed.reason == SP_REASON_NONE);
    CHECK(parsed.quote_reason == SP_REASON_NONE);
    CHECK(parsed.quote_family == (family == Family::v4 ? 4 : 6));
    CHECK(is_address(parsed.quote_src, host_of(family)));
    CHECK(is_address(parsed.quote_dst, peer_of(family)));
    CHECK(parsed.quote_src_port == 50000);
    CHECK(parsed.quote_dst_port == 443);
    CHECK(parsed.quote_proto == 6);
}

TEST_CASE("a quote that is cut before its ports is an objection") {
    Family family = GENERATE(Family::v4, Family::v6);
    Packet inner = ip(family, host_of(family), peer_of(family)) / udp{};
    std::size_t header = family == Family::v4 ? 20 : 40;
    for (std::size_t kept = 0; kept <= header + 8; ++kept) {
        Packet error = family == Family::v4
                           ? icmp{.type = 3, .code = 1} / Packet(quote(inner, kept))
                           : icmp6{.type = 1} / Packet(quote(inner, kept));
        INFO("quoting " << kept << " bytes");
        Parsed parsed = parse_on_host((to_host(family) / error).bytes());
        CHECK((parsed.quote_reason == SP_REASON_NONE) == (kept == header + 8));
    }
}

TEST_CASE("a fragment's place is read to the byte, and a first one's ports through its headers") {
    const Packet tail = udp{.dport = 53} / text("12345678");
    Parsed first = parse_on_host((eth{} / ipv4{.id = 0xabcd, .mf = true} / tail).bytes());
    CHECK(first.piece_reason == SP_REASON_NONE);
    CHECK(first.piece_kind == 2);
    CHECK(first.piece_id == 0xabcd);
    CHECK(first.piece_more);
    CHECK(first.piece_len == 16);
    CHECK(first.piece_dst_port == 53);
    Parsed later = parse_on_host(
        (to_host(Family::v6) / fragment{.offset = 0x1ffe, .id = 0x12345678, .next = 17} / text("1"))
            .bytes());
    CHECK(later.piece_reason == SP_REASON_NONE);
    CHECK(later.piece_kind == 3);
    CHECK(later.piece_id == 0x12345678);
    CHECK_FALSE(later.piece_more);
    CHECK(later.piece_offset == 0xfff0);
    CHECK(later.piece_len == 1);
    CHECK(later.piece_dst_port == 0);
    Parsed atomic = parse_on_host(
        (to_host(Family::v6) / hop_by_hop{} / fragment{} / dest_options{} / tail).bytes());
    CHECK(atomic.piece_reason == SP_REASON_NONE);
    CHECK(atomic.piece_kind == 1);
    CHECK(atomic.piece_proto == 17);
    CHECK(atomic.piece_dst_port == 53);
    CHECK(parse_on_host((to_host(Family::v4) / tail).bytes()).piece_kind == 0);
}

TEST_CASE("a first fragment is read with its whole transport header or not at all") {
    const Family family = GENERATE(Family::v4, Family::v6);
    const std::vector<std::pair<Packet, std::size_t>> rows{{tcp{}, 20},
                                                           {tcp{.options = Bytes(40, 1)}, 60},
                                                           {udp{}, 8},
                                                           {sctp{}, 12},
                                                           {echo_request(family), 8}};
    for (const auto& [transport, header] : rows) {
        Bytes whole = (ip(family) / transport / filler(72)).bytes();
        const std::uint8_t proto = whole[family == Family::v4 ? 9 : 6];
        whole.erase(whole.begin(), whole.begin() + (family == Family::v4 ? 20 : 40));
        for (std::size_t kept = 0; kept <= 72; ++kept) {
            INFO("protocol " << int(proto) << ", " << kept << " bytes");
            const Packet part = raw{
                .bytes = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept))};
            const Packet frame =
                family == Family::v4
                    ? eth{} / ipv4{.proto = proto, .mf = true} / part
                    : eth{} / ipv6{} / fragment{.more = true, .next = proto} / part;
            const sp_reason expected = kept < header   ? SP_REASON_FRAGMENT_TINY
                                       : kept % 8 != 0 ? SP_REASON_MALFORMED
                                                       : SP_REASON_NONE;
            CHECK(parse_on_host(frame.bytes()).piece_reason == expected);
        }
    }
}

TEST_CASE("a device without Ethernet gives the family by the version, and nothing else") {
    Family family = GENERATE(Family::v4, Family::v6);
    Parsed parsed = parse_on_host((ip(family) / tcp{}).bytes(), LinkType::bare_ip);
    CHECK(parsed.reason == SP_REASON_NONE);
    CHECK(parsed.dst_port == 22);
    CHECK(parse_on_host(Bytes{0x55, 0, 0, 0}, LinkType::bare_ip).reason == SP_REASON_ETHERTYPE);
    CHECK(parse_on_host(Bytes{}, LinkType::bare_ip).reason == SP_REASON_TRUNCATED);
}
