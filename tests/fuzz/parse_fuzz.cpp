// SPDX-License-Identifier: Apache-2.0
// The programs' parser under a fuzzer: the same lines as in the kernel, with
// sanitizers in the verifier's place. What must hold for every input: it ends,
// reads within the frame, and where it has no objection what it found lies
// within the frame too.
#include "base/result.h"
#include "support/host_parser.h"
#include "support/icmp_message.h"
#include "support/packet.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

void check(const Parsed& parsed, std::size_t size) {
    SP_CHECK(static_cast<unsigned>(parsed.reason) < SP_REASON_END);
    SP_CHECK(parsed.vlans <= SP_VLANS_MAX);
    if (parsed.reason != SP_REASON_NONE || parsed.family == 0) return;
    SP_CHECK(parsed.end <= size);
    SP_CHECK(parsed.l4_offset <= parsed.end);
    SP_CHECK(parsed.family == 4 || parsed.family == 6);
    if (!parsed.fragment) return;
    SP_CHECK(parsed.src_port == 0 && parsed.dst_port == 0);
    SP_CHECK(static_cast<unsigned>(parsed.piece_reason) < SP_REASON_END);
    if (parsed.piece_reason != SP_REASON_NONE) return;
    SP_CHECK(parsed.piece_kind >= 1 && parsed.piece_kind <= 3);
    SP_CHECK(parsed.piece_l4_offset <= parsed.end);
    SP_CHECK(parsed.piece_offset + parsed.piece_len <= 65535);
    SP_CHECK(!parsed.piece_more || parsed.piece_len % 8 == 0);
    if (parsed.piece_kind == 2) SP_CHECK(parsed.end - parsed.piece_l4_offset >= 8);
    if (parsed.piece_kind == 3) SP_CHECK(parsed.piece_dst_port == 0 && parsed.piece_len > 0);
}

// Seeds for a corpus: `parse_fuzz --seeds DIR`.
std::vector<Packet> seeds() {
    return {to_host(Family::v4) / tcp{.options = {2, 4, 5, 180}},
            to_host(Family::v6) / tcp{} / text("GET /"),
            to_host(Family::v4) / udp{} / text("x"),
            eth{} / qinq() / vlan{} / ipv4{.options = {148, 4, 0, 0}} / udp{},
            to_host(Family::v6) / hop_by_hop{} / dest_options{} /
                routing{.segments = {"2001:db8::9"}} / ah{} / sctp{},
            to_host(Family::v6) / fragment{.more = true} / udp{} / text("12345678"),
            to_host(Family::v6) / fragment{} / dest_options{} / tcp{},
            to_host(Family::v6) / fragment{.offset = 3, .next = 17} / text("12345678"),
            eth{} / ipv4{.mf = true} / tcp{} / text("1234"),
            to_host(Family::v4) / unreachable(Family::v4, from_host(Family::v4) / tcp{}),
            to_host(Family::v6) / too_big(Family::v6, from_host(Family::v6) / udp{}),
            eth{} / ipv6{.hop_limit = 255} / router_alert() / listener(143),
            eth{} / ipv6{.hop_limit = 255} / router_advertisement(),
            eth{} / arp{}};
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    if (*argc != 3 || std::string((*argv)[1]) != "--seeds") return 0;
    std::filesystem::path directory = (*argv)[2];
    std::filesystem::create_directories(directory);
    int number = 0;
    for (const Packet& packet : seeds()) {
        Bytes bytes = packet.bytes();
        std::ofstream(directory / ("seed-" + std::to_string(number++)), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Exactly as large as the frame, so that a byte too far is seen.
    std::vector<std::uint8_t> frame(data, data + size);
    check(parse_on_host(frame, LinkType::ethernet), size);
    check(parse_on_host(frame, LinkType::bare_ip), size);
    return 0;
}
