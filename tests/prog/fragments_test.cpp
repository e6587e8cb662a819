// SPDX-License-Identifier: Apache-2.0
// essentials.fragments = "track": a first fragment is judged as a packet, the
// later ones follow an admitted first and nothing else.
#include "support/bench.h"
#include "support/fragment_table.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kDns = allow_in("dns", "any", "udp", "53") + allow_in("all tcp", "any", "tcp");
const std::string kTrack = kDns + essentials("fragments = \"track\"");
constexpr std::size_t kPiece = 64;

// A question of 8 + 240 bytes: three pieces of 64, a last one of 56.
Datagram question(Family family, std::uint16_t port = 53) {
    return datagram(family, udp{.dport = port}, 240);
}

// Its `index`th piece as a sender cuts it.
Packet nth(const Datagram& cut, std::size_t index, std::size_t size = kPiece) {
    const std::size_t offset = index * size;
    const bool more = offset + size < cut.bytes.size();
    return cut.piece(offset, more ? size : cut.bytes.size() - offset, more);
}

} // namespace

TEST_CASE("by default every fragment is dropped by name, the first of what is allowed too") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kDns};
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(bench.xdp(nth(question(family), i)) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(to_host(family) / udp{}) == passes());
    CHECK(read_fragments(bench.instance()).empty());
}

TEST_CASE("the pieces of an allowed datagram pass behind its first, in any order") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    std::uint32_t id = 0;
    for (const std::vector<std::size_t>& order :
         std::vector<std::vector<std::size_t>>{{0, 1, 2, 3}, {0, 3, 2, 1}, {0, 2, 3, 1}}) {
        Datagram cut = question(family);
        cut.id = ++id;
        for (std::size_t index : order) {
            INFO("piece " << index);
            Seen seen = bench.xdp(nth(cut, index));
            CHECK(seen == passes());
            CHECK(seen.rule == "dns"); // its bytes are the rule's
        }
    }
    CHECK(bench.rule_count("dns").admitted == 3);
}

TEST_CASE("a first that no rule allows is dropped as such, and leaves its pieces orphans") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack + deny_in("no ntp", "any", "udp", "123")};
    Datagram shut = question(family, 54);
    Seen seen = bench.xdp(nth(shut, 0));
    CHECK(seen == dropped(SP_REASON_NO_RULE));
    REQUIRE(seen.events.size() == 1);
    CHECK(seen.events[0].dst_port == 54);
    CHECK(bench.xdp(nth(shut, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    CHECK(bench.xdp(nth(question(family, 123), 0)) == dropped(SP_REASON_DENIED));
    CHECK(read_fragments(bench.instance()).empty());
}

TEST_CASE("a later fragment follows the first of its own datagram alone") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    const bool is4 = family == Family::v4;
    const Datagram cut = question(family);
    CHECK(bench.xdp(nth(cut, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN)); // before its first
    REQUIRE(bench.xdp(nth(cut, 0)) == passes());
    Datagram other = cut;
    other.id = cut.id + 1;
    CHECK(bench.xdp(nth(other, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    other = cut;
    other.src = is4 ? "198.51.100.8" : "2001:db8:1::8";
    CHECK(bench.xdp(nth(other, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    other = cut;
    other.dst = is4 ? "192.0.2.9" : "2001:db8::9"; // of somebody else
    Seen elsewhere = bench.xdp(nth(other, 1));
    CHECK(elsewhere == dropped(SP_REASON_FRAGMENT_ORPHAN));
    REQUIRE(elsewhere.events.size() == 1);
    CHECK(elsewhere.events[0].direction == SP_FORWARD);
    CHECK(bench.xdp(nth(cut, 1), "eth1") == dropped(SP_REASON_FRAGMENT_ORPHAN));
    CHECK(bench.xdp(nth(question(is4 ? Family::v6 : Family::v4), 1)) ==
          dropped(SP_REASON_FRAGMENT_ORPHAN));
    // RFC 791 tells datagrams apart by the protocol too, RFC 8200 does not.
    other = cut;
    other.proto = 6;
    CHECK(bench.xdp(nth(other, 1)) == (is4 ? dropped(SP_REASON_FRAGMENT_ORPHAN) : passes()));
    CHECK(bench.xdp(nth(cut, 2)) == passes());
}

TEST_CASE("a first fragment must bear its whole transport header") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any") + essentials("fragments = \"track\"")};
    std::uint32_t id = 0;
    auto first = [&](const Packet& transport, std::size_t size) {
        Datagram cut = datagram(family, transport, 200);
        cut.id = ++id;
        return bench.xdp(cut.piece(0, size, true));
    };
    const Expected tiny = dropped(SP_REASON_FRAGMENT_TINY);
    for (std::size_t size : {0u, 8u, 16u}) CHECK(first(tcp{}, size) == tiny);
    CHECK(first(tcp{}, 24) == passes());
    const Bytes options(20, 1);
    CHECK(first(tcp{.options = options}, 24) == tiny);
    CHECK(first(tcp{.options = options}, 32) == tiny);
    CHECK(first(tcp{.options = options}, 40) == passes());
    CHECK(first(udp{}, 0) == tiny);
    CHECK(first(udp{}, 8) == passes());
    CHECK(first(sctp{}, 8) == tiny);
    CHECK(first(sctp{}, 16) == passes());
    CHECK(first(echo_request(family), 0) == tiny);
    CHECK(first(echo_request(family), 8) == passes());
    Datagram gre{.family = family, .proto = 47, .bytes = Bytes(100), .id = ++id};
    CHECK(bench.xdp(gre.piece(0, 0, true)) == tiny);
    CHECK(bench.xdp(gre.piece(0, 8, true)) == passes());
}

TEST_CASE("a first IPv6 fragment must bear all its headers, and no second fragment header") {
    Bench bench{kTrack};
    std::uint32_t id = 0;
    auto first = [&](const Packet& inside, std::size_t size) {
        Datagram cut = datagram(Family::v6, inside, 200);
        cut.id = ++id;
        return bench.xdp(cut.piece(0, size, true));
    };
    const Packet wrapped = dest_options{.options = Bytes(14)} / udp{};
    CHECK(first(wrapped, 8) == dropped(SP_REASON_FRAGMENT_TINY));
    CHECK(first(wrapped, 16) == dropped(SP_REASON_FRAGMENT_TINY));
    CHECK(first(wrapped, 24) == passes());
    CHECK(first(dest_options{.options = Bytes(14)} / udp{.dport = 54}, 24) ==
          dropped(SP_REASON_NO_RULE));
    CHECK(first(fragment{.more = true} / udp{}, 64) == dropped(SP_REASON_EXT_CHAIN));
    CHECK(first(hop_by_hop{} / udp{}, 64) == dropped(SP_REASON_EXT_CHAIN));
    CHECK(first(routing{.segments_left = 1, .segments = {"2001:db8::9"}} / udp{}, 64) ==
          dropped(SP_REASON_EXT_CHAIN));
    // Eight headers with the fragment's own are walked, a ninth is not.
    Packet chain = dest_options{};
    for (int i = 1; i < SP_EXTS_MAX - 1; ++i) chain = chain / dest_options{};
    CHECK(first(chain / udp{}, 64) == passes());
    CHECK(first(chain / dest_options{} / udp{}, 72) == dropped(SP_REASON_EXT_CHAIN));
}

TEST_CASE("pieces of no multiple of eight, without a byte, or past 65535 are malformed") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    const Datagram cut = question(family);
    CHECK(bench.xdp(cut.piece(0, 60, true)) == dropped(SP_REASON_MALFORMED));
    REQUIRE(bench.xdp(cut.piece(0, kPiece, true)) == passes());
    CHECK(bench.xdp(cut.piece(kPiece, 60, true)) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(cut.piece(kPiece, 0, false)) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(cut.piece(kPiece, 60, false)) == passes());

    // 127 pieces of 512, and a last that ends with the largest packet there is, or one past it.
    Datagram largest = datagram(family, udp{.length = std::uint16_t{65000}}, 600);
    const std::size_t header = family == Family::v4 ? 20 : 0;
    const std::size_t room = 65535 - header - 127 * 512;
    REQUIRE(bench.xdp(largest.piece(0, 512, true)) == passes());
    CHECK(bench.xdp(largest.piece(127 * 512, room + 1, false)) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(largest.piece(127 * 512, room, false)) == passes());
}

TEST_CASE("a piece over another, out of step, or behind the last is dropped, the rest is not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    const Datagram cut = question(family);
    const Expected overlap = dropped(SP_REASON_FRAGMENT_OVERLAP);
    REQUIRE(bench.xdp(nth(cut, 0)) == passes());
    CHECK(bench.xdp(nth(cut, 0)) == overlap); // the first once more
    CHECK(bench.xdp(cut.piece(0, 32, true)) == overlap);
    CHECK(bench.xdp(cut.piece(8, kPiece, true)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece + 8, kPiece, true)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece, kPiece + 8, true)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece, kPiece - 8, true)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece, kPiece + 1, false)) == overlap);
    REQUIRE(bench.xdp(nth(cut, 2)) == passes());
    CHECK(bench.xdp(nth(cut, 2)) == overlap);
    CHECK(bench.xdp(cut.piece(2 * kPiece, 8, false)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece, 8, false)) == overlap); // a last before what was seen
    REQUIRE(bench.xdp(nth(cut, 3)) == passes());
    CHECK(bench.xdp(cut.piece(3 * kPiece, kPiece, true)) == overlap);
    CHECK(bench.xdp(cut.piece(4 * kPiece, kPiece, true)) == overlap); // behind the last
    CHECK(bench.xdp(cut.piece(4 * kPiece, 8, false)) == overlap);
    CHECK(bench.xdp(cut.piece(kPiece, kPiece, false)) == overlap); // a second last
    CHECK(bench.xdp(nth(cut, 1)) == passes());
}

TEST_CASE("a second first fragment with other ports is a conflict, and changes nothing") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack + allow_in("ntp", "any", "udp", "123")};
    const Datagram cut = question(family);
    REQUIRE(bench.xdp(nth(cut, 0)) == passes());
    CHECK(bench.xdp(nth(question(family, 123), 0)) == dropped(SP_REASON_FRAGMENT_CONFLICT));
    CHECK(bench.xdp(nth(question(family, 54), 0)) == dropped(SP_REASON_NO_RULE));
    const Datagram segment = datagram(family, tcp{.dport = 53}, 200);
    CHECK(bench.xdp(nth(segment, 0)) ==
          (family == Family::v4 ? passes() : dropped(SP_REASON_FRAGMENT_CONFLICT)));
    Seen next = bench.xdp(nth(cut, 1));
    CHECK(next == passes());
    CHECK(next.rule == "dns");
}

TEST_CASE("128 pieces of a datagram are followed, a piece beyond is out of step") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    const Datagram cut = datagram(family, udp{}, 8 * 129);
    REQUIRE(bench.xdp(cut.piece(0, 8, true)) == passes());
    for (std::size_t index : {63u, 64u, 62u, 65u, 126u, 1u}) {
        INFO("piece " << index);
        CHECK(bench.xdp(cut.piece(index * 8, 8, true)) == passes());
        CHECK(bench.xdp(cut.piece(index * 8, 8, true)) == dropped(SP_REASON_FRAGMENT_OVERLAP));
    }
    CHECK(bench.xdp(cut.piece(std::size_t{128} * 8, 8, true)) ==
          dropped(SP_REASON_FRAGMENT_OVERLAP));
    CHECK(bench.xdp(cut.piece(std::size_t{128} * 8, 8, false)) ==
          dropped(SP_REASON_FRAGMENT_OVERLAP));
    CHECK(bench.xdp(cut.piece(std::size_t{127} * 8, 8, false)) == passes());
}

TEST_CASE("a complete datagram leaves no entry, however many pieces it has") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    for (std::size_t pieces : {2u, 3u, 63u, 64u, 65u, 66u, 127u, 128u}) {
        INFO(pieces << " pieces");
        const Datagram cut = datagram(family, udp{}, pieces * 8 - 8 - 1);
        // The last one second, so that a middle one completes it.
        CHECK(bench.xdp(nth(cut, 0, 8)) == passes());
        age_fragments(bench.instance(), std::chrono::hours(-1)); // however slow this machine is
        CHECK(bench.xdp(nth(cut, pieces - 1, 8)) == passes());
        for (std::size_t i = 1; i < pieces - 1; ++i) {
            REQUIRE(read_fragments(bench.instance()).size() == 1);
            REQUIRE(bench.xdp(nth(cut, i, 8)) == passes());
        }
        CHECK(read_fragments(bench.instance()).empty());
        CHECK(bench.xdp(nth(cut, pieces - 1, 8)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    }
}

TEST_CASE("two seconds after the first its pieces are orphans, and its place is free") {
    using namespace std::chrono_literals;
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack + allow_in("ntp", "any", "udp", "123")};
    const Datagram cut = question(family);
    REQUIRE(bench.xdp(nth(cut, 0)) == passes());
    age_fragments(bench.instance(), 1500ms); // half a second for the test to run in
    CHECK(bench.xdp(nth(cut, 1)) == passes());
    age_fragments(bench.instance(), 501ms);
    CHECK(bench.xdp(nth(cut, 2)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    CHECK(bench.xdp(nth(question(family, 123), 0)) == passes());
    CHECK(read_fragments(bench.instance()).size() == 1);

    // What is full now is not for long; whole packets never knew of it.
    fill_fragments(bench.instance());
    CHECK(bench.xdp(nth(cut, 0)) == dropped(SP_REASON_FRAGMENT_FULL));
    CHECK(bench.xdp(nth(cut, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    CHECK(bench.xdp(to_host(family) / udp{}) == passes());
    age_fragments(bench.instance(), 2001ms);
    CHECK(bench.xdp(nth(cut, 0)) == passes());
    CHECK(bench.xdp(nth(cut, 1)) == passes());
}

TEST_CASE("an atomic fragment is judged as the whole packet that it is") {
    Bench bench{kTrack};
    auto atomic = [](const Packet& inside) { return eth{} / ipv6{} / fragment{} / inside; };
    CHECK(bench.xdp(atomic(udp{})) == passes());
    CHECK(bench.xdp(atomic(udp{})) == passes()); // twice the same: nothing is remembered
    CHECK(bench.xdp(atomic(udp{.dport = 54})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(atomic(dest_options{} / udp{.dport = 54})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(atomic(tcp{.flags = SYN | FIN})) == dropped(SP_REASON_TCP_FLAGS));
    CHECK(bench.xdp(atomic(filler(7))) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv6{} / fragment{.next = std::uint8_t{17}} / filler(7)) ==
          dropped(SP_REASON_TRUNCATED));
    CHECK(read_fragments(bench.instance()).empty());
    Bench strict{kDns};
    CHECK(strict.xdp(atomic(udp{})) == dropped(SP_REASON_FRAGMENT));
}

TEST_CASE("long pings pass where pings do, and nowhere else") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const Datagram ping = datagram(family, echo_request(family), 3000);
    Bench bench{kTrack};
    for (std::size_t i = 0; i < 3; ++i) CHECK(bench.xdp(nth(ping, i, 1232)) == passes());
    Bench silent{essentials("ping = \"none\"\nfragments = \"track\"")};
    CHECK(silent.xdp(nth(ping, 0, 1232)) == dropped(SP_REASON_NO_RULE));
    CHECK(silent.xdp(nth(ping, 1, 1232)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
}

TEST_CASE("ICMP errors and what a link lives by never pass in fragments") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all in", "any", "any") + allow_out("all", "any", "any") +
                essentials("fragments = \"track\"\nredirects = true")};
    CHECK(bench.tc(from_host(family) / udp{.sport = 53, .dport = 53}) == passes());
    const Packet error = unreachable(family, from_host(family) / udp{.sport = 53, .dport = 53});
    CHECK(bench.xdp(to_host(family) / error) == passes());
    CHECK(bench.xdp(datagram(family, error, 200).piece(0, kPiece, true)) ==
          dropped(SP_REASON_FRAGMENT));
    if (family == Family::v4) {
        Datagram igmp{.proto = 2, .bytes = Bytes(200)};
        CHECK(bench.xdp(igmp.piece(0, kPiece, true)) == dropped(SP_REASON_FRAGMENT));
        CHECK(bench.xdp(igmp.piece(kPiece, kPiece, true)) == dropped(SP_REASON_FRAGMENT));
        return;
    }
    CHECK(bench.xdp(eth{} / ipv6{} / fragment{} / error) == dropped(SP_REASON_FRAGMENT));
    for (const Packet& message : {neighbour_solicitation(), neighbour_advertisement(),
                                  router_advertisement(), redirect6(), listener(131)}) {
        const Packet head = eth{} / ipv6{.src = kPeerLink6, .hop_limit = 255};
        CHECK(bench.xdp(head / fragment{} / message) == dropped(SP_REASON_FRAGMENT));
        CHECK(bench.xdp(head / fragment{.more = true} / message) == dropped(SP_REASON_FRAGMENT));
    }
}

TEST_CASE("later fragments are held to what asks for no port: options, sources, group frames") {
    Bench bench{kTrack};
    const Bytes record_route{7, 7, 4, 0, 0, 0, 0, 0};
    REQUIRE(bench.xdp(nth(question(Family::v4), 0)) == passes());
    auto second = [](ipv4 head, const eth& link = {}) {
        head.proto = 17;
        head.id = 0x5a11;
        head.mf = true;
        head.offset = kPiece / 8;
        return link / head / filler(kPiece);
    };
    CHECK(bench.xdp(second({.options = record_route})) == dropped(SP_REASON_IP_OPTIONS));
    CHECK(bench.xdp(second({.src = "127.0.0.1"})) == dropped(SP_REASON_BOGON));
    CHECK(bench.xdp(second({.src = kHost4})) == dropped(SP_REASON_BOGON));
    CHECK(bench.xdp(second({}, {.dst = kBroadcastMac})) == dropped(SP_REASON_L2_MISMATCH));
    CHECK(bench.xdp(second({}, {.dst = kOtherMac})) == dropped(SP_REASON_OTHER_STATION));
    CHECK(bench.xdp(second({})) == passes());
}

TEST_CASE("a large answer to a question of ours passes in fragments, one to nobody's does not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("dns", "any", "udp", "53") + essentials("fragments = \"track\"")};
    const Datagram answer = datagram(family, udp{.sport = 53, .dport = 40001}, 3000);
    CHECK(bench.xdp(nth(answer, 0, 1232)) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(nth(answer, 1, 1232)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    REQUIRE(bench.tc(from_host(family) / udp{.sport = 40001, .dport = 53}) == passes());
    for (std::size_t i = 0; i < 3; ++i) CHECK(bench.xdp(nth(answer, i, 1232)) == passes());
}

TEST_CASE("in observe mode fragments are followed as enforce would, and all of them pass") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack, BenchOptions{.host = "mode = \"observe\"\n"}};
    const Datagram open = question(family);
    Datagram shut = question(family, 54);
    shut.id = 2;
    CHECK(bench.xdp(nth(open, 0)) == passes());
    CHECK(bench.xdp(nth(open, 1)) == passes());
    CHECK(bench.xdp(nth(open, 1)) == would_be_dropped(SP_REASON_FRAGMENT_OVERLAP));
    CHECK(bench.xdp(nth(shut, 0)) == would_be_dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(nth(shut, 1)) == would_be_dropped(SP_REASON_FRAGMENT_ORPHAN));
}

TEST_CASE("an instance that is only asked judges a first fragment and remembers none") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack, BenchOptions{.role = Role::asking}};
    Seen first = bench.xdp(nth(question(family), 0));
    CHECK(first.passed);
    CHECK(first.disagreements.empty());
    CHECK_FALSE(bench.xdp(nth(question(family, 54), 0)).passed);
    CHECK_FALSE(bench.xdp(nth(question(family), 1)).passed);
    CHECK(read_fragments(bench.instance()).empty());
}

TEST_CASE("another policy does not follow what the last one admitted") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kTrack};
    REQUIRE(bench.xdp(nth(question(family), 0)) == passes());
    REQUIRE(bench.xdp(nth(question(family), 1)) == passes());
    bench.reload(essentials("fragments = \"track\""));
    CHECK(bench.xdp(nth(question(family), 2)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
}
