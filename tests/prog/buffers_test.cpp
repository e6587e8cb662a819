// SPDX-License-Identifier: Apache-2.0
// Frames of more than one buffer. A test run puts what does not fit a page, less
// headroom and tail, into fragments, as a driver does with a jumbo frame; where the
// boundary is depends on the kernel, so headers are laid across every place of it.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kSsh = allow_in("ssh", "any", "tcp", "22");
constexpr std::size_t kPage = 4096;

// The transport header begins at `at`, or up to 7 bytes after, behind two extension
// headers whose options are nothing but padding.
Packet padded(std::size_t at, const Packet& head) {
    const std::size_t first = 2040;
    const std::size_t before = head.bytes().size() + 2 + first + 6;
    return head / dest_options{.options = Bytes(first)} /
           dest_options{.options = Bytes(at > before + 2 ? at - before - 2 : 0)};
}

Packet v6() {
    return to_host(Family::v6);
}

Packet tagged() {
    return eth{} / vlan{} / ipv6{};
}

} // namespace

TEST_CASE("a transport header in the second buffer, or across both, is read whole") {
    Bench bench{kSsh};
    // A page less 256 of headroom and 320 of tail is usual; be generous around it.
    for (std::size_t at = kPage - 256 - 320 - 96; at < kPage; at += 8) {
        for (const Packet& head : {v6(), tagged()}) {
            INFO("transport header at about byte " << at);
            const Packet packet = padded(at, head);
            CHECK(bench.xdp(packet / tcp{.dport = 22}) == passes());
            CHECK(bench.xdp(packet / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
            CHECK(bench.xdp(packet / udp{.dport = 22}) == dropped(SP_REASON_NO_RULE));
            CHECK(bench.xdp(packet / tcp{.dport = 22} / raw{Bytes(4000)}) == passes());
        }
    }
}

TEST_CASE("a frame that ends in its second buffer before its headers do is dropped") {
    Bench bench{allow_in("all", "any", "any")};
    for (std::size_t at = kPage - 256 - 320 - 24; at < kPage - 256; at += 24) {
        const Bytes whole = (padded(at, v6()) / tcp{.dport = 22}).bytes();
        for (std::size_t less = 1; less <= 20; ++less) {
            INFO("of " << whole.size() << " bytes " << less << " are missing");
            CHECK(!(bench.xdp(Bytes(whole.begin(), whole.end() - static_cast<long>(less))) ==
                    passes()));
        }
        CHECK(bench.xdp(whole) == passes());
    }
}

TEST_CASE("a frame of 9000 bytes is judged as a small one, in both families") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kSsh};
    for (std::size_t payload : {100u, 3400u, 3500u, 4096u, 8192u, 8900u}) {
        INFO(payload << " bytes of payload");
        CHECK(bench.xdp(to_host(family) / tcp{.dport = 22} / raw{Bytes(payload)}) == passes());
        CHECK(bench.xdp(to_host(family) / tcp{.dport = 23} / raw{Bytes(payload)}) ==
              dropped(SP_REASON_NO_RULE));
        CHECK(bench.xdp(to_host(family) / udp{.dport = 22} / raw{Bytes(payload)}) ==
              dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("an extension header that begins in one buffer and ends in the next is walked") {
    Bench bench{kSsh};
    for (std::size_t at = kPage - 256 - 320 - 64; at < kPage; at += 8) {
        INFO("a second pair of headers at about byte " << at);
        const Packet packet = padded(at, v6()) / routing{} / dest_options{.options = Bytes(30)};
        CHECK(bench.xdp(packet / tcp{.dport = 22}) == passes());
        CHECK(bench.xdp(packet / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
        CHECK(bench.xdp(padded(at, v6()) / routing{.segments_left = 1, .segments = {kHost6}} /
                        tcp{.dport = 22}) == dropped(SP_REASON_EXT_CHAIN));
    }
}
