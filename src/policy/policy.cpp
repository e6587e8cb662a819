// SPDX-License-Identifier: Apache-2.0
// The few questions a policy answers by itself.
#include "policy/policy.h"

#include <fnmatch.h>

namespace sallyport {

const char* to_string(Direction direction) {
    switch (direction) {
    case Direction::ingress:
        return "ingress";
    case Direction::egress:
        return "egress";
    case Direction::forward:
        return "forward";
    }
    return "unknown";
}

const char* to_string(PacketSockets packet_sockets) {
    switch (packet_sockets) {
    case PacketSockets::report:
        return "report";
    case PacketSockets::deny:
        return "deny";
    case PacketSockets::allow:
        return "allow";
    }
    return "unknown";
}

const char* to_string(XdpMode xdp) {
    switch (xdp) {
    case XdpMode::automatic:
        return "auto";
    case XdpMode::native:
        return "native";
    case XdpMode::generic:
        return "generic";
    }
    return "unknown";
}

PeerSet any_peer() {
    static const PrefixList everything = std::make_shared<const std::vector<Prefix>>(std::vector{
        prefix_of(Address::v4(0), 96),
        prefix_of(Address{}, 0),
    });
    return PeerSet{.parts = {PeerPart{.networks = everything, .except = {}, .interfaces = {}}}};
}

bool glob_matches(const std::string& glob, const std::string& name) {
    return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

} // namespace sallyport
