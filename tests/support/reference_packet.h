// SPDX-License-Identifier: Apache-2.0
#pragma once
// The second opinion on a frame: a parser written from the RFCs and
// docs/policy.md, which shares no line with bpf/lib. Slow and plain by intent:
// it makes copies, keeps a list of what it walked, and names every objection
// that holds at the place where it stopped, because where two hold at once the
// programs may say either.
#include "base/ip.h"
#include "sallyport/abi/reason.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport::test {

// A set of reasons; empty: no objection.
class Objections {
  public:
    Objections() = default;
    Objections(sp_reason one) { add(one); } // NOLINT: a set of one
    void add(sp_reason reason) { bits_ |= std::uint64_t{1} << reason; }
    [[nodiscard]] bool has(sp_reason reason) const { return (bits_ >> reason & 1) != 0; }
    [[nodiscard]] bool empty() const { return bits_ == 0; }
    bool operator==(const Objections&) const = default;

  private:
    std::uint64_t bits_ = 0;
};
[[nodiscard]] std::string to_string(const Objections& objections);

// A header behind the IPv6 header that is not the last.
struct Extension {
    std::uint8_t kind = 0;
    std::size_t at = 0;
    std::size_t size = 0;
};

struct Quoted {
    bool readable = false;  // as far as its ports, and legitimate
    bool asks_time = false; // or tells it
    Address src;
    Address dst;
    std::uint8_t proto = 0;
    std::uint16_t src_port = 0;
    std::uint16_t dst_port = 0;
};

enum class Carrier : std::uint8_t { ethernet, bare_ip };

struct ReferencePacket {
    // By stage: the first that is not empty is where reading stopped.
    Objections link;
    Objections network;
    Objections transport;

    std::array<std::uint8_t, 6> to{};
    unsigned tags = 0;
    std::uint16_t ether_type = 0;
    std::size_t ip_at = 0;

    int version = 0; // 4, 6; 0: not IP
    Address src;
    Address dst;
    std::uint8_t hops = 0;
    std::uint8_t proto = 0;
    bool fragment = false;
    bool options = false;      // IPv4, other than a lone router alert
    bool router_alert = false; // IPv4's, or MLD's in a hop-by-hop header
    std::vector<Extension> extensions;
    std::size_t body_at = 0; // of the transport header
    std::size_t end = 0;

    std::uint16_t src_port = 0;
    std::uint16_t dst_port = 0;
    std::uint8_t tcp_flags = 0;
    bool loaded = false; // TCP with payload
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::optional<Quoted> quoted; // of an ICMP error

    [[nodiscard]] bool is_sound() const {
        return link.empty() && network.empty() && transport.empty();
    }
    [[nodiscard]] bool is_icmp() const { return proto == (version == 4 ? 1 : 58); }
    [[nodiscard]] bool is_icmp_error() const;
    [[nodiscard]] bool is_echo_request() const;
    [[nodiscard]] bool is_echo_reply() const;
};

[[nodiscard]] ReferencePacket read_frame(std::span<const std::uint8_t> frame, Carrier carrier);

} // namespace sallyport::test
