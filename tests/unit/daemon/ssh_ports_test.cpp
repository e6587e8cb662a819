// SPDX-License-Identifier: Apache-2.0
// Ports of logins, from files that a test made up.
#include "daemon/ssh_ports.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

using Ports = std::set<std::uint16_t>;

void write(const TempDir& root, const std::string& path, const std::string& text) {
    const std::filesystem::path file = root / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

} // namespace

TEST_CASE("22 is a port of logins, whatever the files say") {
    const TempDir root;
    CHECK(configured_login_ports(root / "") == Ports{22});
    write(root, "etc/ssh/sshd_config", "ListenAddress 10.0.0.1:2222\nListenAddress 10.0.0.2\n");
    CHECK(configured_login_ports(root / "") == Ports{22, 2222});
}

TEST_CASE("ports may be quoted") {
    CHECK(sshd_ports("Port \"2222\"\nListenAddress=\"[::]:23\"\n\"Port\" 24\n") ==
          Ports{23, 24, 2222});
    CHECK(sshd_ports("Port \"\"\nPort \"22x\"\n").empty());
}

TEST_CASE("files that sshd_config includes name ports, by globs, one level deep") {
    const TempDir root;
    write(root, "etc/ssh/sshd_config",
          "Include more.conf \"/etc/other/*.cfg\" /etc/none/*\nMatch all\nInclude late.conf\n");
    write(root, "etc/ssh/more.conf", "Port 1001\nInclude deeper.conf\n");
    write(root, "etc/ssh/deeper.conf", "Port 1002\n");
    write(root, "etc/ssh/late.conf", "Port 1003\n");
    write(root, "etc/other/a.cfg", "Port 1004\nMatch all\nPort 1005\n");
    write(root, "etc/other/b.cfg", "Port 1006\n");
    write(root, "etc/other/c.txt", "Port 1007\n");
    write(root, "etc/ssh/sshd_config.d/z.conf", "Port 1008\n");
    CHECK(configured_login_ports(root / "") == Ports{22, 1001, 1004, 1006, 1008});
}

TEST_CASE("ListenStream of a socket unit names a port by itself or behind an address") {
    CHECK(socket_unit_ports("[Socket]\nListenStream=2222\n ListenStream = 10.0.0.1:23\n"
                            "ListenStream=[::]:24\nListenStream=\nListenStream=/run/ssh\n"
                            "ListenStream=vsock::25\nListenDatagram=26\n#ListenStream=27\n"
                            "ListenStream=0\n") == Ports{23, 24, 2222});
    CHECK(socket_unit_ports("").empty());
}

TEST_CASE("socket units of ssh and their drop-ins count, and no others") {
    const TempDir root;
    write(root, "lib/systemd/system/ssh.socket", "ListenStream=1001\n");
    write(root, "etc/systemd/system/ssh.socket.d/port.conf", "ListenStream=1002\n");
    write(root, "etc/systemd/system/sshd.socket", "ListenStream=1003\n");
    write(root, "run/systemd/generator/ssh.socket.d/addresses.conf", "ListenStream=1004\n");
    write(root, "etc/systemd/system/ssh.socket.d/port.bak", "ListenStream=1005\n");
    write(root, "etc/systemd/system/web.socket", "ListenStream=1006\n");
    CHECK(configured_login_ports(root / "") == Ports{22, 1001, 1002, 1003, 1004});
}

TEST_CASE("what is no plain file of some size holds nothing up") {
    const TempDir root;
    write(root, "etc/ssh/sshd_config.d/a.conf", "Port 1001\n" + std::string(2 << 20, '\n'));
    write(root, "etc/ssh/sshd_config.d/c.conf", "Port 1002\n");
    REQUIRE(mkfifo((root / "etc/ssh/sshd_config.d/b.conf").c_str(), 0600) == 0);
    CHECK(configured_login_ports(root / "") == Ports{22, 1002});
}
