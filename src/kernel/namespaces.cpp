// SPDX-License-Identifier: Apache-2.0
#include "kernel/namespaces.h"

#include "kernel/interfaces.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <sched.h>
#include <set>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>

namespace sallyport {
namespace {

constexpr int kNetnsCookie = 71; // SO_NETNS_COOKIE; headers before 5.14 lack it

// Not /proc/self, which is the main thread's.
constexpr const char* kOwn = "/proc/thread-self/ns/net";

std::optional<std::uint64_t> inode_at(const std::string& path) {
    struct stat about{};
    if (stat(path.c_str(), &about) != 0) return std::nullopt;
    return about.st_ino;
}

Result<std::vector<pid_t>> processes() {
    const std::unique_ptr<DIR, decltype([](DIR* directory) { closedir(directory); })> proc(
        opendir("/proc"));
    if (!proc) return fail_errno(errno, "opening /proc");
    std::vector<pid_t> found;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(proc.get());
        if (entry == nullptr && errno != 0) return fail_errno(errno, "reading /proc");
        if (entry == nullptr) return found;
        const std::string_view name = entry->d_name;
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc{} && end == name.data() + name.size()) found.push_back(pid);
    }
}

// What `where` still is by the time it is open; none when its process has left it.
std::optional<NetNamespace> open_namespace(pid_t pid, std::uint64_t inode) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
    NetNamespace where{
        .fd = Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), .inode = inode, .pid = pid};
    struct stat about{};
    if (!where.fd || fstat(where.fd.get(), &about) != 0 || about.st_ino != inode)
        return std::nullopt;
    return where;
}

// Host addresses that others may be reached by.
std::vector<Address> reachable(const std::vector<Interface>& interfaces) {
    std::vector<Address> found;
    for (const Interface& interface : interfaces) {
        if (interface.is_loopback) continue;
        for (const auto& [address, kind] : interface.addresses)
            if (kind == SP_LOCAL_HOST) found.push_back(address);
    }
    return found;
}

} // namespace

Result<std::uint64_t> netns_cookie() {
    const Fd any(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!any) return fail_errno(errno, "opening a socket");
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (getsockopt(any.get(), SOL_SOCKET, kNetnsCookie, &cookie, &size) == 0) return cookie;
    if (errno == ENOPROTOOPT)
        return fail(ErrorKind::not_supported, "this kernel does not name its network namespaces",
                    "Linux 5.14 or newer is needed (SO_NETNS_COOKIE)");
    return fail_errno(errno, "asking for the network namespace's cookie");
}

Result<std::vector<NetNamespace>> other_namespaces() {
    const std::optional<std::uint64_t> own = inode_at(kOwn);
    if (!own) return fail_errno(errno, kOwn);
    std::map<std::uint64_t, NetNamespace> found;
    for (const pid_t pid : SP_TRY(processes())) {
        const std::optional<std::uint64_t> inode =
            inode_at("/proc/" + std::to_string(pid) + "/ns/net");
        if (!inode || *inode == *own || found.contains(*inode)) continue;
        if (std::optional<NetNamespace> where = open_namespace(pid, *inode))
            found.emplace(*inode, std::move(*where));
    }
    std::vector<NetNamespace> list;
    for (auto& [inode, where] : found) list.push_back(std::move(where));
    return list;
}

Status call_inside(const NetNamespace& where, const std::function<void()>& work) {
    int error = 0;
    try {
        std::thread([&] {
            if (setns(where.fd.get(), CLONE_NEWNET) != 0)
                error = errno;
            else
                work();
        }).join();
    } catch (const std::system_error& failed) { // no thread could be made
        error = failed.code().value();
    }
    if (error != 0)
        return fail_errno(error,
                          "entering the network namespace of process " + std::to_string(where.pid),
                          error == EPERM ? "CAP_SYS_ADMIN is needed" : "");
    return {};
}

Result<Elsewhere> addresses_elsewhere() {
    std::set<Address> all;
    Elsewhere found;
    for (const NetNamespace& where : SP_TRY(other_namespaces())) {
        const Result<std::vector<Interface>> interfaces = run_inside(where, list_interfaces);
        if (!interfaces) {
            ++found.unread;
            continue;
        }
        for (const Address& address : reachable(*interfaces)) all.insert(address);
    }
    const std::size_t kept = std::min(all.size(), kElsewhereMax);
    found.left_out = all.size() - kept;
    found.addresses.assign(all.begin(), std::next(all.begin(), static_cast<std::ptrdiff_t>(kept)));
    return found;
}

} // namespace sallyport
