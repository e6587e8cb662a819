// SPDX-License-Identifier: Apache-2.0
// What is never banned.
#include "daemon/bans.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport {
namespace {

struct Special {
    Prefix network;
    const char* what;
};

const std::array<Special, 7>& special() {
    static const std::array<Special, 7> kAll{{
        {prefix_of(Address::v4(0x7f000000), 96 + 8), "loopback"},
        {Prefix{.base = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, .length = 128},
         "loopback"},
        {prefix_of(Address::v4(0xe0000000), 96 + 4), "multicast, which is no one's own address"},
        {prefix_of(Address{{0xff}}, 8), "multicast, which is no one's own address"},
        {prefix_of(Address::v4(0xffffffff), 128), "broadcast, which is no one's own address"},
        {prefix_of(Address::v4(0), 96 + 8), "the unspecified address, which is no one's"},
        {Prefix{.base = {}, .length = 128}, "the unspecified address, which is no one's"},
    }};
    return kAll;
}

bool overlaps(const Prefix& a, const Prefix& b) {
    return a.length <= b.length ? a.covers(b.base) : b.covers(a.base);
}

BanOutcome refused(const Prefix& network, const Prefix& over, const std::string& what,
                   const char* next) {
    const bool same = network == over;
    const bool inside = !same && network.length > over.length;
    return BanOutcome{.answer = BanAnswer::refused,
                      .why = fmt::format("{} {} {}{}", to_string(network),
                                         same     ? "is"
                                         : inside ? "lies in"
                                                  : "contains",
                                         same ? "" : to_string(over) + ", ", what),
                      .next = next};
}

} // namespace

std::optional<BanOutcome> Bans::refusal(const BanRequest& request,
                                        std::span<const Address> session) const {
    const Prefix& network = request.network;
    const auto single = [](const Address& address) {
        return Prefix{.base = address, .length = 128};
    };
    for (const Special& entry : special())
        if (overlaps(network, entry.network) && network.length >= entry.network.length)
            return refused(network, entry.network, entry.what, "ban addresses that can be others'");
    for (const Address& address : own_)
        if (network.covers(address))
            return refused(network, single(address), "an address of this host",
                           "ban the networks around it one by one");
    for (const Address& address : session)
        if (network.covers(address))
            return refused(network, single(address),
                           request.origin == "hand"
                               ? "the address that this session comes from: it would be cut"
                               : "where root is logged in from",
                           "ban a network without it, or do it from another machine");
    for (const Special& entry : special())
        if (overlaps(network, entry.network))
            return refused(network, entry.network, entry.what, "ban addresses that can be others'");
    if (const auto never = table_.never_within_or_around(network))
        return refused(network, *never, "which [bans] never names",
                       "take it out of the zone in the policy and reload, or ban the rest");
    return std::nullopt;
}

std::size_t leave_out_never_listed(std::vector<Prefix>& networks, std::span<const Address> own) {
    std::ranges::sort(networks);
    networks.erase(std::ranges::unique(networks).begin(), networks.end());
    return std::erase_if(networks, [&](const Prefix& network) {
        return std::ranges::any_of(own, [&](const Address& one) { return network.covers(one); }) ||
               std::ranges::any_of(special(), [&](const Special& entry) {
                   return overlaps(network, entry.network);
               });
    });
}

} // namespace sallyport
