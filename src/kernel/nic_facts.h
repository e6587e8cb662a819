// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a NIC and its driver say of themselves, for telling whether XDP can run there.
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

struct NicReport {
    std::string driver; // "" when it does not say
    std::string bus;    // "0000:00:03.0"; "": no hardware of its own
    bool is_up = false;
    unsigned combined = 0; // queues; 0: it does not say
    unsigned most_combined = 0;
    std::optional<bool> lro;
    std::optional<std::uint64_t> xdp_features; // NETDEV_XDP_ACT_*, from 6.3 on
    std::string xdp_mode;                      // "native", "generic", "offloaded"; "": none
    std::string xdp_program;                   // its name; "?" when it may not be read
};

// Of the calling thread's network namespace. What cannot be read is left as it is.
[[nodiscard]] NicReport nic_report(const std::string& name, unsigned index);

} // namespace sallyport
