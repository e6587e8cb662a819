// SPDX-License-Identifier: Apache-2.0
// The programs' parser under a fuzzer: the same lines as in the kernel, with
// sanitizers in the verifier's place. What must hold for every input: it ends,
// reads within the frame, where it has no objection what it found lies within the
// frame too, and it says what the reference parser says.
#include "base/result.h"
#include "support/frames.h"
#include "support/host_parser.h"
#include "support/reference_packet.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

using namespace sallyport;
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

Address address_of(const sp_addr& from) {
    Address address;
    std::copy(std::begin(from.bytes), std::end(from.bytes), address.bytes.begin());
    return address;
}

// The programs' parser and the reference's say the same: of the same objections one, or
// without any the same of every field.
void compare(std::span<const std::uint8_t> frame, LinkType link, Carrier carrier) {
    const Parsed parsed = parse_on_host(frame, link);
    const ReferencePacket reference = read_frame(frame, carrier);
    check(parsed, frame.size());
    SP_CHECK((parsed.reason == SP_REASON_NONE) == reference.is_sound());
    if (!reference.is_sound()) {
        const Objections& stage = !reference.link.empty()      ? reference.link
                                  : !reference.network.empty() ? reference.network
                                                               : reference.transport;
        SP_CHECK(stage.has(parsed.reason));
        return;
    }
    SP_CHECK(parsed.family == reference.version);
    SP_CHECK(parsed.ethertype == reference.ether_type);
    SP_CHECK(parsed.vlans == reference.tags);
    if (parsed.family == 0) return;
    SP_CHECK(address_of(parsed.src) == reference.src);
    SP_CHECK(address_of(parsed.dst) == reference.dst);
    SP_CHECK(parsed.proto == reference.proto);
    SP_CHECK(parsed.src_port == reference.src_port);
    SP_CHECK(parsed.dst_port == reference.dst_port);
    SP_CHECK(parsed.tcp_flags == reference.tcp_flags);
    SP_CHECK(parsed.icmp_type == reference.icmp_type);
    SP_CHECK(parsed.fragment == reference.fragment);
    SP_CHECK(parsed.options == reference.options);
    SP_CHECK(parsed.router_alert == reference.router_alert);
    SP_CHECK(parsed.l4_offset == reference.body_at);
    SP_CHECK(parsed.end == reference.end);
    SP_CHECK((parsed.quote_family != 0) == reference.quoted.has_value());
    if (!reference.quoted) return;
    const Quoted& quoted = *reference.quoted;
    SP_CHECK((parsed.quote_reason == SP_REASON_NONE) == quoted.readable);
    if (!quoted.readable) return;
    SP_CHECK(address_of(parsed.quote_src) == quoted.src);
    SP_CHECK(address_of(parsed.quote_dst) == quoted.dst);
    SP_CHECK(parsed.quote_proto == quoted.proto);
    SP_CHECK(parsed.quote_src_port == quoted.src_port);
    SP_CHECK(parsed.quote_dst_port == quoted.dst_port);
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    if (*argc != 3 || std::string((*argv)[1]) != "--seeds") return 0;
    std::filesystem::path directory = (*argv)[2];
    std::filesystem::create_directories(directory);
    int number = 0;
    // Seeds for a corpus: `parse_fuzz --seeds DIR`.
    for (const Bytes& bytes : real_frames()) {
        std::ofstream(directory / ("seed-" + std::to_string(number++)), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Exactly as large as the frame, so that a byte too far is seen.
    std::vector<std::uint8_t> frame(data, data + size);
    compare(frame, LinkType::ethernet, Carrier::ethernet);
    compare(frame, LinkType::bare_ip, Carrier::bare_ip);
    return 0;
}
