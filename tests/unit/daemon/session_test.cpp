// SPDX-License-Identifier: Apache-2.0
// Where a session comes from, over a /proc that a test made up.
#include "daemon/session.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

struct Proc {
    TempDir root;
    void add(pid_t pid, pid_t parent, const std::string& comm, const std::string& environment = "",
             std::uint32_t socket = 0, int terminal = 0) const {
        const std::string dir = root / std::to_string(pid);
        std::filesystem::create_directories(dir + "/fd");
        std::ofstream(dir + "/stat")
            << pid << " (" << comm << ") S " << parent << " 1 1 " << terminal;
        std::ofstream(dir + "/comm") << comm << "\n";
        std::ofstream(dir + "/environ") << environment;
        if (socket != 0)
            std::filesystem::create_symlink("socket:[" + std::to_string(socket) + "]",
                                            dir + "/fd/3");
    }
    [[nodiscard]] std::vector<std::string> peers(pid_t pid) const {
        SocketInfo socket;
        socket.inode = 77;
        socket.remote = parse_address("198.51.100.7").value();
        socket.remote_port = 50000;
        SocketInfo other = socket;
        other.inode = 78;
        other.remote = parse_address("2001:db8::7").value();
        const std::vector<SocketInfo> sockets{socket, other};
        std::vector<std::string> names;
        for (const Address& peer : session_peers(pid, sockets, root / ""))
            names.push_back(to_string(peer));
        return names;
    }
};

using Sockets = std::vector<SocketInfo>;
using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a shell below sshd comes from where sshd's connection does, whatever its environment") {
    const Proc proc;
    proc.add(10, 1, "sshd");
    proc.add(11, 10, "sshd-session", "", 77);
    proc.add(12, 11, "ba) S 1 (sh");
    proc.add(13, 12, "sudo");
    CHECK(proc.peers(13) == Names{"198.51.100.7"});
    proc.add(20, 11, "sshd", "", 78);
    proc.add(21, 20, "bash");
    CHECK(proc.peers(21) == Names{"198.51.100.7", "2001:db8::7"});
}

TEST_CASE("a service's own connections are no session: it may ban whom it talks to") {
    const Proc proc;
    proc.add(10, 1, "httpd", "", 77);
    proc.add(11, 10, "sh");
    CHECK(proc.peers(11).empty());
}

TEST_CASE("SSH_CONNECTION counts where sshd is out of reach, loopback does not") {
    using namespace std::string_literals;
    const Proc proc;
    proc.add(10, 1, "tmux", "A=b\0SSH_CONNECTION=2001:db8::9 1 2001:db8::1 22\0"s);
    proc.add(11, 10, "bash");
    CHECK(proc.peers(11) == Names{"2001:db8::9"});
    proc.add(20, 1, "bash", "SSH_CONNECTION=127.0.0.1 1 127.0.0.1 22\0"s);
    CHECK(proc.peers(20).empty());
    proc.add(30, 1, "bash", "SSH_CONNECTION=nonsense");
    CHECK(proc.peers(30).empty());
    CHECK(proc.peers(999).empty());
}

TEST_CASE("a session stands where its own connection is, and not in another network namespace") {
    using namespace std::string_literals;
    const Proc proc;
    proc.add(10, 1, "sshd", "", 77);
    proc.add(11, 10, "bash", "SSH_CONNECTION=2001:db8::9 1 2001:db8::1 22\0"s);
    proc.add(12, 1, "bash", "SSH_CONNECTION=198.51.100.9 1 192.0.2.1 22\0"s);
    proc.add(20, 1, "cron");
    const auto stands = [&](pid_t pid, const char* remote, std::uint32_t inode, TcpState state) {
        SocketInfo socket;
        socket.remote = parse_address(remote).value();
        socket.remote_port = 50000;
        socket.inode = inode;
        socket.state = state;
        return session_stands(pid, Sockets{socket}, proc.root / "");
    };
    CHECK(stands(11, "198.51.100.7", 77, TcpState::established)); // by sshd's socket
    CHECK(stands(11, "2001:db8::9", 0, TcpState::established));   // by the variable
    CHECK(stands(12, "198.51.100.9", 0, TcpState::established));
    // Sockets of others, as a namespace has them that the session did not come by.
    CHECK_FALSE(stands(11, "10.1.0.2", 99, TcpState::established));
    CHECK_FALSE(stands(12, "fd00::2", 99, TcpState::established));
    CHECK_FALSE(session_stands(11, Sockets{}, proc.root / ""));
    CHECK_FALSE(stands(12, "198.51.100.9", 0, TcpState::time_wait));
    CHECK_FALSE(stands(20, "198.51.100.9", 0, TcpState::established));
}

TEST_CASE("where root is at a terminal is a session, over a connection that stands") {
    if (geteuid() != 0) SKIP("only root's processes belong to root");
    using namespace std::string_literals;
    const Proc proc;
    proc.add(10, 1, "sshd", "", 77);
    proc.add(11, 10, "bash", "", 0, 34816);
    proc.add(20, 1, "bash", "SSH_CONNECTION=2001:db8::9 1 2001:db8::1 22\0"s, 0, 34817);
    proc.add(30, 1, "sshd", "", 78); // nobody is logged in yet
    proc.add(31, 30, "sshd", "", 78);
    const auto socket = [](const char* remote, std::uint32_t inode, TcpState state) {
        SocketInfo made;
        made.remote = parse_address(remote).value();
        made.remote_port = 50000;
        made.inode = inode;
        made.state = state;
        return made;
    };
    const auto peers = [&](const Sockets& sockets) {
        Names names;
        for (const Address& peer : root_session_peers(sockets, proc.root / ""))
            names.push_back(to_string(peer));
        return names;
    };
    const SocketInfo at_terminal = socket("198.51.100.7", 77, TcpState::established);
    const SocketInfo at_login = socket("198.51.100.8", 78, TcpState::established);
    CHECK(peers({at_terminal, at_login}) == Names{"198.51.100.7"});
    const SocketInfo named = socket("2001:db8::9", 0, TcpState::established);
    CHECK(peers({at_terminal, named}) == Names{"198.51.100.7", "2001:db8::9"});
    CHECK(peers({socket("2001:db8::9", 0, TcpState::time_wait)}).empty());
    CHECK(peers({}).empty());
}
