// SPDX-License-Identifier: Apache-2.0
#include "daemon/other_ways.h"

#include "base/fd.h"
#include "base/text.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <linux/vm_sockets.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// Does the directory hold anything but these?
bool holds(const std::string& directory, const std::vector<std::string>& other_than = {}) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
        if (std::ranges::find(other_than, entry.path().filename().string()) == other_than.end())
            return true;
    return false;
}

std::optional<std::uint32_t> own_vsock_id() {
    const Fd device(open("/dev/vsock", O_RDONLY | O_CLOEXEC));
    std::uint32_t id = 0;
    if (!device || ioctl(device.get(), IOCTL_VM_SOCKETS_GET_LOCAL_CID, &id) != 0)
        return std::nullopt;
    return id;
}

} // namespace

OtherWaysWorld system_other_ways() {
    return {.root = "", .vsock_id = own_vsock_id};
}

std::vector<std::string> other_ways(const OtherWaysWorld& world) {
    std::vector<std::string> ways;
    if (holds(world.root + "/sys/class/bluetooth")) ways.emplace_back("bluetooth");
    // "vfio" is the container's own node; the others are groups and devices.
    if (holds(world.root + "/dev/vfio", {"vfio", "devices"}) ||
        holds(world.root + "/dev/vfio/devices"))
        ways.emplace_back("vfio");
    if (holds(world.root + "/sys/class/uio")) ways.emplace_back("uio");
    const std::optional<std::uint32_t> vsock = world.vsock_id();
    if (vsock && *vsock != VMADDR_CID_ANY && *vsock != 1) // 1 is its loopback
        ways.emplace_back("vsock");
    return ways;
}

std::vector<std::string> nic_sharers(const std::string& root) {
    std::vector<std::string> sharers;
    for (const char* name : {"ipvlan", "macvlan"})
        if (fs::exists(root + "/sys/module/" + name)) sharers.emplace_back(name);
    return sharers;
}

std::vector<std::string> fast_paths(const Result<Flowtables>& found) {
    std::vector<std::string> paths;
    if (found)
        for (const std::string& name : found->names)
            paths.push_back("flowtable:" + escaped(name, Tabs::escape));
    if (!found || found->more) paths.emplace_back("flowtables");
    return paths;
}

} // namespace sallyport
