// SPDX-License-Identifier: Apache-2.0
// By which doors somebody is logged in, over a /proc that a test made up.
#include "daemon/lockout.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

void add(const TempDir& root, pid_t pid, pid_t parent, const std::string& comm,
         const std::string& environment = "", std::uint32_t socket = 0) {
    const std::string dir = root / std::to_string(pid);
    std::filesystem::create_directories(dir + "/fd");
    std::ofstream(dir + "/stat") << pid << " (" << comm << ") S " << parent << " 1 1 0";
    std::ofstream(dir + "/comm") << comm << "\n";
    std::ofstream(dir + "/environ") << environment;
    if (socket != 0)
        std::filesystem::create_symlink("socket:[" + std::to_string(socket) + "]", dir + "/fd/3");
}

SocketInfo tcp(const std::string& remote, std::uint16_t port, TcpState state, std::uint32_t inode) {
    SocketInfo socket;
    socket.local = parse_address("192.0.2.1").value();
    socket.remote = parse_address(remote).value();
    socket.local_port = port;
    socket.remote_port = state == TcpState::listen ? 0 : 50000;
    socket.state = state;
    socket.inode = inode;
    return socket;
}

const std::vector<SocketInfo> kSockets{tcp("0.0.0.0", 2222, TcpState::listen, 70),
                                       tcp("0.0.0.0", 80, TcpState::listen, 71),
                                       tcp("198.51.100.7", 2222, TcpState::established, 77),
                                       tcp("198.51.100.8", 2222, TcpState::established, 78),
                                       tcp("198.51.100.7", 80, TcpState::established, 79)};

} // namespace

TEST_CASE("who asks over ssh has his own door, at the port where sshd listens") {
    const TempDir proc;
    add(proc, 10, 1, "sshd", "", 70);
    add(proc, 20, 10, "sshd-session", "", 77);
    add(proc, 30, 20, "bash", "SSH_CONNECTION=198.51.100.7 50000 192.0.2.1 2222");
    const std::vector<Door> doors = doors_of(30, kSockets, proc / "");
    REQUIRE(doors.size() == 1);
    CHECK(to_string(doors[0].peer) == "198.51.100.7");
    CHECK(doors[0].port == 2222);
}

TEST_CASE("who comes by no session speaks for all that are at a login server") {
    const TempDir proc;
    add(proc, 10, 1, "sshd", "", 70);
    add(proc, 30, 1, "cron");
    CHECK(doors_of(30, kSockets, proc / "").size() == 2);
}

TEST_CASE("without a login server there is no door; one out of reach is any that he holds") {
    const TempDir proc;
    add(proc, 30, 1, "bash");
    CHECK(doors_of(30, kSockets, proc / "").empty());
    add(proc, 31, 1, "sh", "SSH_CONNECTION=198.51.100.7 50000 192.0.2.1 2222");
    CHECK(doors_of(31, kSockets, proc / "").size() == 2);
}

TEST_CASE("who came by socket activation has his door: sshd holds the connection, not the port") {
    const TempDir proc;
    add(proc, 1, 0, "systemd", "", 70);
    add(proc, 20, 1, "sshd", "", 77);
    add(proc, 40, 1, "nginx", "", 79);
    CHECK(login_ports(kSockets, proc / "") == std::set<std::uint16_t>{2222});
    add(proc, 30, 1, "cron");
    CHECK(doors_of(30, kSockets, proc / "").size() == 2);
}

TEST_CASE("what an sshd forwards is no door, and what it listens at beside hides none") {
    const TempDir proc;
    std::vector<SocketInfo> sockets = kSockets;
    sockets.push_back(tcp("203.0.113.5", 41000, TcpState::established, 90)); // on his behalf
    sockets.push_back(tcp("0.0.0.0", 6010, TcpState::listen, 91));
    add(proc, 21, 1, "sshd-session", "", 90);
    CHECK(login_ports(sockets, proc / "").empty());
    add(proc, 22, 1, "sshd-session", "", 91);
    add(proc, 20, 1, "sshd-session", "", 77);
    CHECK(login_ports(sockets, proc / "") == std::set<std::uint16_t>{2222, 6010});
}
