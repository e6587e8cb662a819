// SPDX-License-Identifier: Apache-2.0
#pragma once
// Network interfaces and their addresses, asked of rtnetlink: /sys may belong to
// another network namespace.
#include "base/ip.h"
#include "base/result.h"
#include "kernel/netlink.h"
#include "sallyport/abi/types.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

struct InterfaceAddress {
    Address address;
    std::uint32_t kind = SP_LOCAL_HOST; // or SP_LOCAL_BROADCAST
    auto operator<=>(const InterfaceAddress&) const = default;
};

struct Interface {
    std::string name;
    unsigned index = 0;
    unsigned mtu = 0;
    sp_link_type link = SP_LINK_NONE;  // what a packet begins with; NONE: nothing we can read
    std::array<std::uint8_t, 6> mac{}; // zero when the link has none of that length
    bool is_loopback = false;
    std::vector<InterfaceAddress> addresses; // sorted, distinct
    unsigned master = 0;                     // of a port: the bond's or bridge's index
    unsigned lower = 0;                      // of a VLAN of this namespace: what it lies on
    std::uint16_t vlan = 0;                  // its id
    bool operator==(const Interface&) const = default;
};

// What devices of that ARPHRD_* type hand over.
[[nodiscard]] sp_link_type link_type_of(unsigned arphrd);

// Those of the calling thread's network namespace, by index, loopback too. Every
// IPv4 subnet's highest address is a broadcast one, named by its owner or not.
[[nodiscard]] Result<std::vector<Interface>> list_interfaces();

// Tells when links or addresses change in the namespace of the thread that opens it.
class InterfaceWatch {
  public:
    [[nodiscard]] static Result<InterfaceWatch> open();
    // Readable when drain() has something to do.
    [[nodiscard]] int fd() const { return socket_.fd(); }
    // True: something changed since the last call. Lost notices count as a change.
    [[nodiscard]] Result<bool> drain() { return socket_.drain(); }

  private:
    explicit InterfaceWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
    NetlinkSocket socket_;
};

} // namespace sallyport
