// SPDX-License-Identifier: Apache-2.0
#include "daemon/spared.h"

#include "daemon/advice.h"
#include "daemon/session.h"
#include "kernel/routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

bool overlaps(const Prefix& a, const Prefix& b) {
    if (a.is_v4() != b.is_v4()) return false;
    return a.length <= b.length ? a.covers(b.base) : b.covers(a.base);
}

// The network lies in what is taken out of a zone again.
bool is_excepted(const PeerPart& part, const Prefix& network) {
    return std::ranges::any_of(part.except, [&](const PrefixList& list) {
        return std::ranges::any_of(*list, [&](const Prefix& except) {
            return except.length <= network.length && overlaps(except, network);
        });
    });
}

const Prefix* named_by(const PeerPart& part, const Prefix& network) {
    const auto found = std::ranges::find_if(*part.networks, [&](const Prefix& named) {
        return named.family_length() != 0 && overlaps(named, network);
    });
    if (found == part.networks->end() || is_excepted(part, network)) return nullptr;
    return &*found;
}

std::vector<Address> sessions() {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    if (!sockets) return {};
    std::vector<Address> peers = root_session_peers(*sockets);
    const std::vector<Address> own = session_peers(getpid(), *sockets);
    peers.insert(peers.end(), own.begin(), own.end());
    return peers;
}

} // namespace

SparedWorld system_spared_world() {
    return {.gateways = [] { return default_gateways().value_or(std::vector<Address>()); },
            .resolvers = [] { return configured_resolvers(system_advice_world()); },
            .sessions = sessions};
}

std::optional<std::string> egress_destination(const std::vector<Rule>& rules,
                                              const Prefix& network) {
    for (const Rule& rule : rules) {
        if (rule.direction != Direction::egress || rule.deny) continue;
        for (const PeerPart& part : rule.to.parts)
            if (const Prefix* const named = named_by(part, network))
                return fmt::format("{}, which egress rule \"{}\" names", to_string(*named),
                                   rule.name);
    }
    return std::nullopt;
}

Spared::Spared(const std::vector<Rule>& rules, const SparedWorld& world) : rules_(&rules) {
    const auto add = [&](const std::vector<Address>& addresses, const char* what) {
        for (const Address& address : addresses)
            addresses_.push_back({.address = address, .what = what});
    };
    add(world.gateways(), "a gateway of this host");
    add(world.resolvers(), "a resolver of this host");
    add(world.sessions(), "where root is logged in from");
}

std::optional<std::string> Spared::why(const Prefix& network) const {
    for (const One& one : addresses_)
        if (network.covers(one.address))
            return fmt::format("{}, {}", to_string(one.address), one.what);
    return egress_destination(*rules_, network);
}

} // namespace sallyport
