// SPDX-License-Identifier: Apache-2.0
#include "support/machine.h"

#include "base/result.h"

#include <bit>
#include <bpf/libbpf.h>
#include <cstdlib>
#include <net/if.h>
#include <sched.h>

namespace sallyport::test {

void configure(const std::string& command) {
    SP_CHECK(std::system(command.c_str()) == 0);
}

void enter_machine() {
    static const bool made = [] {
        SP_CHECK(unshare(CLONE_NEWNET) == 0);
        for (const char* name : {"eth0", "eth1", "eth2", "en00", "wg0"}) {
            configure(std::string("ip link add ") + name + " type veth peer name " + name +
                      "-peer");
        }
        // Of the bench's MAC, so that a frame to it is for this host where the stack says so.
        configure("ip link set eth2 address 02:00:00:00:00:01");
        configure("ip link set lo up");
        return true;
    }();
    SP_CHECK(made);
}

bool has_netfilter_programs() {
    // Newer than the enumeration of Debian 12's headers.
    constexpr auto kNetfilter = std::bit_cast<bpf_prog_type>(32u);
    static const bool has = libbpf_probe_bpf_prog_type(kNetfilter, nullptr) == 1;
    return has;
}

std::uint32_t ifindex_of(const std::string& interface) {
    return if_nametoindex(interface.c_str());
}

} // namespace sallyport::test
