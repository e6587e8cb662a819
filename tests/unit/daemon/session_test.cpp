// SPDX-License-Identifier: Apache-2.0
// Where a session comes from, over a /proc that a test made up.
#include "daemon/session.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

struct Proc {
    TempDir root;
    void add(pid_t pid, pid_t parent, const std::string& comm, const std::string& environment = "",
             std::uint32_t socket = 0) const {
        const std::string dir = root / std::to_string(pid);
        std::filesystem::create_directories(dir + "/fd");
        std::ofstream(dir + "/stat") << pid << " (" << comm << ") S " << parent << " 1 1";
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
