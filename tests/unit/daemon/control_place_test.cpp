// SPDX-License-Identifier: Apache-2.0
// The place of the control socket: whose it is, and what it must not be.
#include "unit/daemon/control_bench.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

TEST_CASE("a socket that a killed daemon left is replaced, a live one is a conflict") {
    const TempDir dir;
    const std::string path = dir / "control.sock";
    {
        // Bound and closed without unlink, as a kill leaves it.
        const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    REQUIRE(std::filesystem::exists(path));
    const auto server = ControlServer::open(path, handle);
    REQUIRE(server);
    const auto second = ControlServer::open(path, handle);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::conflict);
    CHECK(second.error().message.find(path) != std::string::npos);
    CHECK(second.error().hint.find("SALLYPORT_RUN_DIR") != std::string::npos);
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("what is no socket is not removed") {
    const TempDir dir;
    std::ofstream(dir / "control.sock") << "precious";
    const auto server = ControlServer::open(dir / "control.sock", handle);
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == ErrorKind::conflict);
    CHECK(std::filesystem::file_size(dir / "control.sock") == 8);
}

TEST_CASE("the socket goes with its server, but not another's that took its place") {
    const TempDir dir;
    const std::string path = dir / "control.sock";
    auto server = ControlServer::open(path, handle);
    REQUIRE(server);
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0007) == 0);
    server->reset();
    CHECK_FALSE(std::filesystem::exists(path));

    auto first = ControlServer::open(path, handle);
    REQUIRE(first);
    std::filesystem::rename(path, dir / "aside"); // keeps its inode from being used again
    const auto other = ControlServer::open(path, handle);
    REQUIRE(other);
    first->reset();
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path that no socket can have is an error that says so") {
    const TempDir dir;
    const auto server = ControlServer::open(dir / std::string(200, 'a'), handle);
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == ErrorKind::invalid_input);
    CHECK(server.error().hint.find("SALLYPORT_RUN_DIR") != std::string::npos);
    CHECK_FALSE(ControlServer::open("", handle));
}

TEST_CASE("where nobody listens a client is told that there is no daemon") {
    const TempDir dir;
    const auto none = connect_to(dir / "control.sock");
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == ErrorKind::not_found);
}
