// SPDX-License-Identifier: Apache-2.0
#include "support/frames.h"
#include "support/icmp_message.h"

namespace sallyport::test {
namespace {

void add_transports(std::vector<Packet>& out, Family family, const Packet& head) {
    Packet in = head / ip(family);
    Packet back = head / ip(family, host_of(family), peer_of(family));
    for (const Packet& at : {in, back}) {
        for (std::uint8_t flags : U8s{SYN, SYN | ACK, ACK, RST, RST | ACK, FIN | ACK, PSH | ACK})
            out.push_back(at / tcp{.flags = flags, .options = {2, 4, 5, 180, 1, 3, 3, 7}});
        out.push_back(at / tcp{.flags = RST | ACK} / text("last words"));
        out.push_back(at / tcp{.dport = 443, .options = {34, 2}} / text("early data"));
        out.push_back(at / udp{} / text("query"));
        out.push_back(at / udp{.sport = 53, .dport = kClientPort} / text("answer"));
        out.push_back(at / udplite{} / text("voice"));
        out.push_back(at / sctp{});
        out.push_back(at / echo_request(family));
        out.push_back(at / echo_reply(family));
        out.push_back(at / ah{} / tcp{});
        out.push_back(
            at / (family == Family::v4 ? Packet(icmp{.type = 13}) : Packet(icmp6{.type = 139})) /
            filler(16));
        out.push_back(at / ipv4{} / tcp{});
        out.push_back(at / ipv6{} / tcp{});
    }
    Packet sent = ip(family, host_of(family), peer_of(family));
    for (const Packet& quoted : {sent / udp{}, sent / tcp{}, sent / echo_request(family),
                                 sent / unreachable(family, sent / udp{})}) {
        out.push_back(in / unreachable(family, quoted));
        out.push_back(in / too_big(family, quoted));
    }
    Packet came = ip(family) / udp{};
    out.push_back(back / unreachable(family, came));
}

void add_v4(std::vector<Packet>& out) {
    for (const Bytes& options :
         {Bytes{148, 4, 0, 0}, Bytes{7, 7, 4, 0, 0, 0, 0, 0}, Bytes{131, 7, 4, 192, 0, 2, 9, 0},
          Bytes{1, 137, 7, 4, 192, 0, 2, 9}, Bytes{68, 8, 5, 0, 0, 0, 0, 0}, Bytes(40, 1)}) {
        out.push_back(eth{} / ipv4{.options = options} / tcp{});
        out.push_back(eth{} / ipv4{.dst = "224.0.0.22", .proto = 2, .ttl = 1, .options = options} /
                      filler(16, 0x22));
    }
    out.push_back(eth{} / ipv4{.mf = true} / udp{} / filler(24));
    out.push_back(eth{} / ipv4{.proto = 17, .offset = 3} / filler(24));
    out.push_back(eth{.dst = kBroadcastMac} / ipv4{.dst = "255.255.255.255"} /
                  udp{.sport = 67, .dport = 68});
    out.push_back(eth{.dst = kBroadcastMac} / ipv4{.src = "0.0.0.0", .dst = "255.255.255.255"} /
                  udp{.sport = 68, .dport = 67});
    out.push_back(eth{.dst = "01:00:5e:00:00:fb"} / ipv4{.dst = "224.0.0.251"} /
                  udp{.sport = 5353, .dport = 5353});
    out.push_back(eth{} / ipv4{} / redirect4());
    out.push_back(eth{} / ipv4{.dst = "203.0.113.9"} / tcp{});
    out.push_back(eth{} / ipv4{.src = kHost4, .dst = "169.254.169.254"} / tcp{.dport = 80});
    out.push_back(eth{.dst = kBroadcastMac} / arp{});
    out.push_back(eth{} / ipv4{.proto = 47} / filler(24, 8));
}

void add_v6(std::vector<Packet>& out) {
    Packet near = eth{} / ipv6{.src = kPeerLink6, .dst = kHostLink6, .hop_limit = 255};
    for (const Packet& message : {neighbour_solicitation(), neighbour_advertisement(),
                                  router_solicitation(), router_advertisement(), redirect6()}) {
        out.push_back(near / message);
        out.push_back(near / dest_options{} / message);
        out.push_back(near / fragment{} / message);
    }
    for (std::uint8_t type : U8s{130, 131, 132, 143}) {
        Packet heard = eth{.dst = "33:33:00:00:00:01"} /
                       ipv6{.src = kPeerLink6, .dst = "ff02::1", .hop_limit = 1};
        out.push_back(heard / router_alert() / listener(type));
        out.push_back(heard / hop_by_hop{.options = {1, 0, 5, 2, 0, 0}} / listener(type));
    }
    Packet v6 = to_host(Family::v6);
    out.push_back(v6 / hop_by_hop{} / dest_options{} / routing{.segments = {"2001:db8::9"}} /
                  dest_options{} / tcp{});
    out.push_back(v6 / dest_options{.options = Bytes(262, 22)} / udp{});
    out.push_back(v6 / routing{.type = 0, .segments_left = 1, .segments = {"2001:db8::9"}} / tcp{});
    out.push_back(v6 / fragment{.more = true} / udp{} / filler(24));
    out.push_back(v6 / hop_by_hop{} / fragment{.offset = 3, .next = 17} / filler(24));
    out.push_back(v6 / fragment{} / dest_options{} / tcp{});
    Packet seven = v6;
    for (int i = 0; i < 7; ++i) seven = seven / dest_options{};
    out.push_back(seven / fragment{.next = 60} / filler(24)); // the last that is walked
    Packet eight = v6;
    for (int i = 0; i < 8; ++i) eight = eight / dest_options{};
    out.push_back(eight / tcp{});
    out.push_back(eight / dest_options{} / tcp{});
    out.push_back(eth{} / ipv6{.payload_length = std::uint16_t{0}} /
                  hop_by_hop{.options = {0xc2, 4, 0, 1, 0, 0}} / udp{} / filler(64));
    for (std::uint8_t next : U8s{50, 59, 135, 139, 140, 253})
        out.push_back(eth{} / ipv6{.next = next} / filler(24));
    out.push_back(eth{} / ipv6{.src = kPeerLink6, .dst = kHostLink6} /
                  udp{.sport = 547, .dport = 546});
    out.push_back(eth{} / ipv6{.src = kHostLink6, .dst = "ff02::1:2"} /
                  udp{.sport = 546, .dport = 547});
    out.push_back(eth{} / ipv6{.src = kHost6, .dst = "fd00:ec2::254"} / tcp{.dport = 80});
}

void add_links(std::vector<Packet>& out) {
    auto frame = [](const char* dst, std::uint16_t type, Bytes body) {
        body.resize(46);
        return eth{.dst = dst, .type = type} / Packet(raw{.bytes = body});
    };
    out.push_back(frame("01:80:c2:00:00:0e", 0x88cc, {2, 7}));
    out.push_back(frame("01:80:c2:00:00:03", 0x888e, {2, 1}));
    out.push_back(frame("01:80:c2:00:00:02", 0x8809, {1, 1}));
    out.push_back(frame("01:1b:19:00:00:00", 0x88f7, {0}));
    out.push_back(frame("01:80:c2:00:00:00", 38, {0x42, 0x42, 3}));
    out.push_back(frame(kHostMac, 0x8847, {0, 1, 1, 64, 0x45}));
    out.push_back(frame(kHostMac, 0x8864, {0x11, 0, 0, 1, 0, 62, 0, 0x21, 0x45}));
}

std::vector<Bytes> make() {
    std::vector<Packet> packets;
    for (Family family : {Family::v4, Family::v6}) {
        add_transports(packets, family, eth{});
        packets.push_back(eth{} / vlan{} / ip(family) / tcp{});
        packets.push_back(eth{} / qinq() / vlan{.id = 0} / ip(family) / udp{});
        packets.push_back(eth{} / vlan{} / vlan{} / vlan{} / ip(family) / tcp{});
        packets.push_back(ip(family) / tcp{}); // for devices without Ethernet
        packets.push_back(ip(family) / udp{} / text("query"));
        packets.push_back(ip(family) / echo_request(family));
    }
    add_v4(packets);
    add_v6(packets);
    add_links(packets);
    std::vector<Bytes> frames;
    for (const Packet& packet : packets) frames.push_back(packet.bytes());
    return frames;
}

} // namespace

const std::vector<Bytes>& real_frames() {
    static const std::vector<Bytes> frames = make();
    return frames;
}

} // namespace sallyport::test
