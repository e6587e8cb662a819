// SPDX-License-Identifier: Apache-2.0
#pragma once
// What this host serves, as the audit found it: to tell a client from a probe.
#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::learn {

// Whom the catalogue of services means it for.
enum class Circle : std::uint8_t { unknown, inside, everybody };

struct Served {
    std::uint8_t proto = 0;
    std::uint16_t low = 0, high = 0;
    bool v4 = false, v6 = false;
    std::optional<Address> at{}; // only there
    std::string name{};          // of the service or process; any bytes
    Circle circle = Circle::unknown;
    bool operator==(const Served&) const = default;
};

// The first that answers there; null: nobody does.
[[nodiscard]] const Served* find_served(const std::vector<Served>& served, std::uint8_t proto,
                                        const Address& address, std::uint16_t port);

} // namespace sallyport::learn
