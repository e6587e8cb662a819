// SPDX-License-Identifier: Apache-2.0
#pragma once
// The programs' own parser, compiled natively (reader_host.h): what it makes of
// a frame, without a kernel.
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <cstdint>
#include <span>

namespace sallyport::test {

enum class LinkType : std::uint8_t { ethernet, bare_ip };

struct Parsed {
    sp_reason reason = SP_REASON_NONE; // the first objection, NONE when there is none
    sp_addr src{};                     // as the programs' struct packet has them
    sp_addr dst{};
    std::uint16_t ethertype = 0;
    std::uint16_t src_port = 0;
    std::uint16_t dst_port = 0;
    std::uint8_t family = 0;
    std::uint8_t proto = 0;
    std::uint8_t tcp_flags = 0;
    std::uint8_t icmp_type = 0;
    std::uint8_t vlans = 0;
    bool fragment = false;
    bool options = false;
    bool router_alert = false;
    std::uint32_t l4_offset = 0;
    std::uint32_t end = 0;
    // Of a fragment, what parse_piece() finds in it: enum piece_kind, 0 when it is none.
    sp_reason piece_reason = SP_REASON_NONE;
    std::uint8_t piece_kind = 0;
    bool piece_more = false;
    std::uint32_t piece_id = 0;
    std::uint32_t piece_offset = 0;
    std::uint32_t piece_len = 0;
    std::uint16_t piece_src_port = 0;
    std::uint16_t piece_dst_port = 0;
    std::uint8_t piece_proto = 0;
    std::uint8_t piece_tcp_flags = 0;
    std::uint8_t piece_icmp_type = 0;
    std::uint32_t piece_l4_offset = 0;
    // What an ICMP error quotes; family 0 when the packet is none.
    sp_reason quote_reason = SP_REASON_NONE;
    sp_addr quote_src{};
    sp_addr quote_dst{};
    std::uint16_t quote_src_port = 0;
    std::uint16_t quote_dst_port = 0;
    std::uint8_t quote_proto = 0;
    std::uint8_t quote_family = 0;
};

[[nodiscard]] Parsed parse_on_host(std::span<const std::uint8_t> frame,
                                   LinkType link = LinkType::ethernet);

} // namespace sallyport::test
