// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a DNS message says of addresses (RFC 1035). Anybody may have written it, and any part of
// it may be missing.
#include "base/ip.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

struct DnsAnswer {
    struct Found {
        Address address;
        std::chrono::seconds lives{}; // the shortest time to live on the way to it
        bool operator==(const Found&) const = default;
    };
    // What was asked for, whatever it is an alias of: lower case, without the dot at the end,
    // nothing but letters, digits, '-', '_' and dots.
    std::string name;
    std::vector<Found> found; // 32 at most, in the order of the message
    bool operator==(const DnsAnswer&) const = default;
};

// The addresses (A, AAAA) that the question's name has, itself or by aliases (CNAME) that the
// message follows. Where the message ends early, by those records that are whole. nullopt: it is
// no answer without error to one such question, its name has other characters, or no address.
[[nodiscard]] std::optional<DnsAnswer> parse_dns_answer(std::span<const std::byte> message);

} // namespace sallyport
