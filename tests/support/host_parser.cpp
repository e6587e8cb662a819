// SPDX-License-Identifier: Apache-2.0
#include "support/host_parser.h"

#include "support/reader_host.h"
// After the reader, which they are written against.
#include "lib/parse_fragment.h"
#include "lib/parse_l4.h"
#include "lib/parse_quote.h"

namespace sallyport::test {
namespace {

void take_quote(const reader& bytes, const packet& outer, Parsed& parsed) {
    packet inner{};
    parsed.quote_reason = parse_quote(&bytes, &outer, &inner);
    parsed.quote_src = inner.src;
    parsed.quote_dst = inner.dst;
    parsed.quote_src_port = inner.src_port;
    parsed.quote_dst_port = inner.dst_port;
    parsed.quote_proto = inner.proto;
    parsed.quote_family = inner.family;
}

// What parse_l3() leaves to whoever tracks fragments.
void take_piece(const reader& bytes, packet p, Parsed& parsed) {
    piece found{};
    parsed.piece_reason = parse_piece(&bytes, &p, &found);
    parsed.piece_kind = found.kind;
    parsed.piece_more = found.more != 0;
    parsed.piece_id = found.id;
    parsed.piece_offset = found.offset;
    parsed.piece_len = found.len;
    parsed.piece_src_port = p.src_port;
    parsed.piece_dst_port = p.dst_port;
    parsed.piece_proto = p.proto;
    parsed.piece_tcp_flags = p.tcp_flags;
    parsed.piece_icmp_type = p.icmp_type;
    parsed.piece_l4_offset = p.l4_offset;
}

} // namespace

Parsed parse_on_host(std::span<const std::uint8_t> frame, LinkType link) {
    reader bytes{.bytes = frame.data(), .len = static_cast<__u32>(frame.size())};
    packet p{};
    Parsed parsed;
    parsed.reason =
        link == LinkType::ethernet ? parse_ethernet(&bytes, &p) : parse_bare_ip(&bytes, &p);
    if (parsed.reason == SP_REASON_NONE) parsed.reason = parse_l3(&bytes, &p);
    parsed.src = p.src;
    parsed.dst = p.dst;
    parsed.ethertype = p.ethertype;
    parsed.src_port = p.src_port;
    parsed.dst_port = p.dst_port;
    parsed.family = p.family;
    parsed.proto = p.proto;
    parsed.tcp_flags = p.tcp_flags;
    parsed.icmp_type = p.icmp_type;
    parsed.vlans = p.vlans;
    parsed.fragment = (p.marks & SP_PKT_FRAGMENT) != 0;
    parsed.options = (p.marks & SP_PKT_OPTIONS) != 0;
    parsed.router_alert = (p.marks & SP_PKT_ROUTER_ALERT) != 0;
    parsed.l4_offset = p.l4_offset;
    parsed.end = p.end;
    if (parsed.reason == SP_REASON_NONE && is_icmp_error(&p) && !parsed.fragment)
        take_quote(bytes, p, parsed);
    if (parsed.reason == SP_REASON_NONE && parsed.fragment) take_piece(bytes, p, parsed);
    return parsed;
}

} // namespace sallyport::test
