// SPDX-License-Identifier: Apache-2.0
#include "kernel/flowtables.h"

#include <algorithm>
#include <cerrno>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::uint16_t message_type(int what) {
    return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | what);
}

// Conntrack, on which flowtables rest, has this setting where the kernel can have any. To
// ask nf_tables elsewhere could make the kernel load it.
bool may_have_some() {
    return access("/proc/sys/net/netfilter/nf_flowtable_tcp_timeout", F_OK) == 0;
}

} // namespace

void note_flowtable(const NetlinkMessage& message, Flowtables& found) {
    if (message.type != message_type(NFT_MSG_NEWFLOWTABLE)) return;
    std::string name;
    for_each_attribute(behind(message.body, sizeof(nfgenmsg)),
                       [&](std::uint16_t type, Bytes value) {
                           if (type != NFTA_FLOWTABLE_NAME) return;
                           name.assign(reinterpret_cast<const char*>(value.data()), value.size());
                           name.resize(std::min(name.find('\0'), name.size()));
                       });
    const auto at = std::ranges::lower_bound(found.names, name);
    if (name.empty() || (at != found.names.end() && *at == name)) return;
    if (found.names.size() == kFlowtablesListed)
        found.more = true;
    else
        found.names.insert(at, std::move(name));
}

Result<Flowtables> flowtables() {
    if (!may_have_some()) return Flowtables{};
    const NetlinkSocket socket = SP_TRY(NetlinkSocket::open(NETLINK_NETFILTER));
    const nfgenmsg every{.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = 0};
    const int error = SP_TRY(socket.ask(message_type(NFT_MSG_GETGEN), bytes_of(every)));
    if (error == EINVAL) return Flowtables{}; // nfnetlink knows no such subsystem
    if (error != 0) return fail_errno(error, "asking nf_tables");
    for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
        Flowtables found;
        const NetlinkSocket::Dump end =
            SP_TRY(socket
                       .dump(message_type(NFT_MSG_GETFLOWTABLE), bytes_of(every),
                             [&](const NetlinkMessage& message) { note_flowtable(message, found); })
                       .context("listing flowtables"));
        if (end == NetlinkSocket::Dump::complete) return found;
    }
    return fail(ErrorKind::kernel, "the flowtables keep changing while they are listed");
}

} // namespace sallyport
