// SPDX-License-Identifier: Apache-2.0
#include "kernel/offload.h"

#include "base/fd.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

// 0 or an errno.
Result<int> ask_ethtool(const std::string& nic, void* command) {
    const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return fail_errno(errno, "opening a socket for ethtool");
    ifreq request{};
    nic.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(command);
    return ioctl(fd.get(), SIOCETHTOOL, &request) == 0 ? 0 : errno;
}

Result<std::uint32_t> flags_of(const std::string& nic) {
    ethtool_value value{.cmd = ETHTOOL_GFLAGS, .data = 0};
    const int error = SP_TRY(ask_ethtool(nic, &value));
    if (error == ENODEV) return fail(ErrorKind::not_found, "there is no interface " + nic);
    if (error == EOPNOTSUPP) return 0u; // it has no offloads
    if (error != 0) return fail_errno(error, "asking about the offloads of " + nic);
    return value.data;
}

} // namespace

Result<VlanTags> vlan_tags_of(const std::string& nic) {
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    const int error = SP_TRY(ask_ethtool(nic, &driver));
    // A veth's own flag is without effect (6.1, 6.12, 6.18): the peer decides.
    if (error == 0 && std::strcmp(driver.driver, "veth") == 0) return VlanTags::hidden;
    return SP_TRY(flags_of(nic)) & ETH_FLAG_RXVLAN ? VlanTags::stripped : VlanTags::seen;
}

Status set_vlan_tags(const std::string& nic, VlanTags to) {
    const std::uint32_t flags = SP_TRY(flags_of(nic));
    const std::uint32_t wanted = to == VlanTags::stripped
                                     ? flags | ETH_FLAG_RXVLAN
                                     : flags & ~static_cast<std::uint32_t>(ETH_FLAG_RXVLAN);
    ethtool_value value{.cmd = ETHTOOL_SFLAGS, .data = wanted};
    const int error = SP_TRY(ask_ethtool(nic, &value));
    if (error == EOPNOTSUPP || error == EINVAL)
        return fail(ErrorKind::not_supported, nic + " cannot switch its VLAN offload");
    if (error != 0) return fail_errno(error, "switching the VLAN offload of " + nic);
    // A driver may take the request and do otherwise.
    if ((SP_TRY(flags_of(nic)) & ETH_FLAG_RXVLAN) != (wanted & ETH_FLAG_RXVLAN))
        return fail(ErrorKind::not_supported, nic + " keeps its VLAN offload as it is");
    return {};
}

} // namespace sallyport
