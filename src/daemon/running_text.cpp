// SPDX-License-Identifier: Apache-2.0
// A connection that is to be cut, as the operator reads of it.
#include "base/text.h"
#include "daemon/running.h"
#include "event/names.h"
#include "sallyport/abi/reason.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

const Address kMetadataV4 = Address::v4(0xa9fea9fe);
const Address kMetadataV6{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}};

bool is_metadata(const Address& address) {
    return address == kMetadataV4 || address == kMetadataV6;
}

std::string endpoint(const Address& address, std::uint16_t port) {
    return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"), to_string(address),
                       port);
}

std::string reason_of(const RunningConnection& connection, const Policy& policy) {
    if (connection.verdict.answer == Answer::denied && connection.verdict.rule) {
        const Rule& rule = policy.rules.at(*connection.verdict.rule);
        return fmt::format("{} by {}", reason_name(SP_REASON_DENIED), escaped(rule.name));
    }
    const bool metadata =
        connection.direction == Direction::egress && is_metadata(connection.socket.remote);
    return reason_name(metadata ? SP_REASON_METADATA : SP_REASON_NO_RULE);
}

} // namespace

std::string to_string(const RunningConnection& connection, const Policy& policy) {
    const SocketInfo& socket = connection.socket;
    const std::string local = endpoint(socket.local, socket.local_port);
    const std::string remote = endpoint(socket.remote, socket.remote_port);
    const bool in = connection.direction == Direction::ingress;
    return fmt::format("{} tcp {} > {}{}{} ({})", in ? "in" : "out", in ? remote : local,
                       in ? local : remote, connection.who.empty() ? "" : " ",
                       escaped(connection.who), reason_of(connection, policy));
}

} // namespace sallyport
