// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_socket.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr const char* kGroup = "sallyport";

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail(ErrorKind::invalid_input,
                    fmt::format("{}: a socket's path has 1 to {} bytes, this one {}", path,
                                sizeof address.sun_path - 1, path.size()),
                    "choose a shorter directory with SALLYPORT_RUN_DIR");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Status make_directory(const std::string& path) {
    const std::filesystem::path directory = std::filesystem::path(path).parent_path();
    std::error_code error;
    if (directory.empty() || !std::filesystem::create_directories(directory, error)) {
        if (!error) return {};
        return fail_errno(error.value(), "making " + directory.string(),
                          "run as root, or choose another directory with SALLYPORT_RUN_DIR");
    }
    // Made just now: whatever the umask, the group must get through it to the socket.
    if (::chmod(directory.c_str(), 0755) != 0)
        return fail_errno(errno, "chmod " + directory.string());
    return {};
}

// What a daemon that was killed left behind goes; one that answers stays.
Status clear_the_place(const std::string& path) {
    struct stat about{};
    if (::lstat(path.c_str(), &about) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno(errno, path);
    }
    if (!S_ISSOCK(about.st_mode))
        return fail(ErrorKind::conflict, path + " is there and is no socket", "move it away");
    const auto peer = connect_to(path);
    if (peer) {
        ucred who{};
        socklen_t size = sizeof who;
        const bool is_known = ::getsockopt(peer->get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
        return fail(ErrorKind::conflict,
                    fmt::format("another sallyport daemon{} serves {}",
                                is_known ? fmt::format(" (pid {})", who.pid) : "", path),
                    "stop it first, or give this one directories of its own (SALLYPORT_RUN_DIR, "
                    "SALLYPORT_BPFFS)");
    }
    if (peer.error().kind != ErrorKind::not_found) return std::unexpected<Error>(peer.error());
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail_errno(errno, "removing " + path);
    return {};
}

// Bound as 0600 and only then opened to the group, so that at no time others can connect.
Status open_to_group(const std::string& path) {
    const auto readers = readers_group();
    if (!readers || ::chown(path.c_str(), static_cast<uid_t>(-1), *readers) != 0) return {};
    if (::chmod(path.c_str(), 0660) != 0) return fail_errno(errno, "chmod " + path);
    return {};
}

} // namespace

std::optional<gid_t> readers_group() {
    const group* found = ::getgrnam(kGroup);
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

Result<Fd> listen_at(const std::string& path) {
    const sockaddr_un address = SP_TRY(address_of(path));
    SP_TRY(make_directory(path));
    SP_TRY(clear_the_place(path));
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener) return fail_errno(errno, "making a control socket");
    // On Linux the mode of an unbound socket is the one its file is made with.
    if (::fchmod(listener.get(), 0600) != 0) return fail_errno(errno, "setting the socket's mode");
    if (::bind(listener.get(), generic(address), sizeof address) != 0)
        return fail_errno(errno, "binding " + path,
                          "run as root, or choose another directory with SALLYPORT_RUN_DIR");
    SP_TRY(open_to_group(path));
    if (::listen(listener.get(), 64) != 0) return fail_errno(errno, "listening at " + path);
    return listener;
}

Result<Fd> connect_to(const std::string& path) {
    const sockaddr_un address = SP_TRY(address_of(path));
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno(errno, "making a socket");
    if (::connect(socket.get(), generic(address), sizeof address) == 0) return socket;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
        return fail(ErrorKind::not_found, "no sallyport daemon answers at " + path,
                    "start it with: sallyport run");
    return fail_errno(errno, "connecting to " + path,
                      "be root, or a member of the group sallyport");
}

Result<FileId> file_id(const std::string& path) {
    struct stat about{};
    if (::lstat(path.c_str(), &about) != 0) return fail_errno(errno, path);
    return FileId{.device = about.st_dev, .inode = about.st_ino};
}

} // namespace sallyport
