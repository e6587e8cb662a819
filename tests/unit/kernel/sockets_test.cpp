// SPDX-License-Identifier: Apache-2.0
// Against sockets of this process on loopback, in both families.
#include "base/fd.h"
#include "kernel/sockets.h"
#include "unit/kernel/own_namespace.h"

#include <algorithm>
#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;

namespace {

Address address(const std::string& text) {
    return parse_address(text).value();
}

// In the family of the address as it is written: "::ffff:127.0.0.1" is IPv6.
struct Name {
    sockaddr_storage storage{};
    socklen_t size = 0;
};
Name name_of(const std::string& text, std::uint16_t port) {
    Name name;
    if (text.find(':') == std::string::npos) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        REQUIRE(inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1);
        std::memcpy(&name.storage, &v4, name.size = sizeof v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        REQUIRE(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
        std::memcpy(&name.storage, &v6, name.size = sizeof v6);
    }
    return name;
}

Fd bound(const std::string& at, int type, int v6_only = 0) {
    const Name name = name_of(at, 0);
    Fd fd(socket(name.storage.ss_family, type | SOCK_CLOEXEC, 0));
    REQUIRE(fd);
    if (name.storage.ss_family == AF_INET6)
        REQUIRE(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) == 0);
    REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.size) == 0);
    return fd;
}

Fd listening(const std::string& at, int v6_only = 0) {
    Fd fd = bound(at, SOCK_STREAM, v6_only);
    REQUIRE(listen(fd.get(), 8) == 0);
    return fd;
}

std::uint16_t port_of(const Fd& fd) {
    sockaddr_in6 name{}; // the port is at the same place in both families
    socklen_t size = sizeof name;
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    return ntohs(name.sin6_port);
}

void connect_to(const Fd& fd, const std::string& at, std::uint16_t port) {
    const Name name = name_of(at, port);
    REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.size) == 0);
}

std::uint64_t cookie_of(const Fd& fd) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    REQUIRE(getsockopt(fd.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0);
    return cookie;
}

std::optional<SocketInfo> find_in(const Result<std::vector<SocketInfo>>& sockets,
                                  std::uint64_t cookie) {
    REQUIRE(sockets);
    REQUIRE(std::ranges::count(*sockets, cookie, &SocketInfo::cookie) <= 1);
    const auto found = std::ranges::find(*sockets, cookie, &SocketInfo::cookie);
    return found == sockets->end() ? std::nullopt : std::optional(*found);
}

// errno of the next recv, 0 when something came or the end was read.
int receive_error(const Fd& fd) {
    char byte = 0;
    return recv(fd.get(), &byte, 1, 0) < 0 ? errno : 0;
}

struct Pair {
    Fd listener;
    Fd client;
    Fd server;
};
Pair connected(const std::string& listen_at, const std::string& connect_at) {
    Pair pair{.listener = listening(listen_at), .client = {}, .server = {}};
    const int family = name_of(connect_at, 0).storage.ss_family;
    pair.client = Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connect_to(pair.client, connect_at, port_of(pair.listener));
    pair.server = Fd(accept4(pair.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(pair.server);
    return pair;
}

struct Case {
    const char* listen_at;
    const char* connect_at;
    const char* seen_as; // at both ends
};
constexpr Case kCases[] = {
    {"127.0.0.1", "127.0.0.1", "127.0.0.1"},
    {"::1", "::1", "::1"},
    {"::", "127.0.0.1", "127.0.0.1"},             // an IPv6 socket accepts IPv4
    {"0.0.0.0", "::ffff:127.0.0.1", "127.0.0.1"}, // an IPv6 socket connects to it
};

} // namespace

TEST_CASE("both ends of a connection are listed with addresses, owner and cgroup") {
    for (const Case& each : kCases) {
        INFO(each.listen_at << " from " << each.connect_at);
        const Pair pair = connected(each.listen_at, each.connect_at);
        const auto all = list_tcp();
        const auto client = find_in(all, cookie_of(pair.client));
        const auto server = find_in(all, cookie_of(pair.server));
        REQUIRE(client);
        REQUIRE(server);
        CHECK(client->state == TcpState::established);
        CHECK(client->proto == IPPROTO_TCP);
        CHECK(client->local == address(each.seen_as));
        CHECK(client->remote == address(each.seen_as));
        CHECK(client->remote_port == port_of(pair.listener));
        CHECK(client->local_port == port_of(pair.client));
        CHECK(server->local == address(each.seen_as));
        CHECK(server->local_port == port_of(pair.listener));
        CHECK(server->remote_port == port_of(pair.client));
        CHECK(client->uid == geteuid());
        CHECK(client->ifindex == 0);
        struct stat about{};
        REQUIRE(fstat(pair.client.get(), &about) == 0);
        CHECK(client->inode == about.st_ino);
        CHECK(client->cgroup != 0);
        CHECK(client->cgroup == server->cgroup);
    }
}

TEST_CASE("listeners are listed, and whether they serve both families") {
    const Fd v4 = listening("0.0.0.0");
    const Fd both = listening("::");
    const Fd v6 = listening("::", 1);
    const Fd unbound(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Fd idle = bound("127.0.0.1", SOCK_STREAM); // bound, but listens to nobody
    const auto all = list_tcp();
    REQUIRE(find_in(all, cookie_of(v4)));
    CHECK(find_in(all, cookie_of(v4))->state == TcpState::listen);
    CHECK(find_in(all, cookie_of(v4))->local == Address::v4(0));
    CHECK(find_in(all, cookie_of(v4))->local_port == port_of(v4));
    REQUIRE(find_in(all, cookie_of(both)));
    CHECK(find_in(all, cookie_of(both))->local == Address{});
    CHECK_FALSE(find_in(all, cookie_of(both))->is_ipv6_only);
    REQUIRE(find_in(all, cookie_of(v6)));
    CHECK(find_in(all, cookie_of(v6))->is_ipv6_only);
    CHECK_FALSE(find_in(all, cookie_of(unbound)));
    CHECK_FALSE(find_in(all, cookie_of(idle)));
}

TEST_CASE("a socket that is bound to an interface says so") {
    const Fd fd = bound("127.0.0.1", SOCK_STREAM);
    if (setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) SKIP("may not bind to lo");
    REQUIRE(listen(fd.get(), 1) == 0);
    const auto found = find_in(list_tcp(), cookie_of(fd));
    REQUIRE(found);
    CHECK(found->ifindex == 1);
}

TEST_CASE("UDP sockets are listed, connected or not, and not among TCP's") {
    for (const char* at : {"127.0.0.1", "::1"}) {
        const Fd idle = bound(at, SOCK_DGRAM);
        const Fd connected_to = bound(at, SOCK_DGRAM);
        connect_to(connected_to, at, port_of(idle));
        const auto all = list_udp();
        REQUIRE(find_in(all, cookie_of(idle)));
        CHECK(find_in(all, cookie_of(idle))->state == TcpState::close);
        CHECK(find_in(all, cookie_of(idle))->remote_port == 0);
        REQUIRE(find_in(all, cookie_of(connected_to)));
        CHECK(find_in(all, cookie_of(connected_to))->state == TcpState::established);
        CHECK(find_in(all, cookie_of(connected_to))->remote == address(at));
        CHECK(find_in(all, cookie_of(connected_to))->proto == IPPROTO_UDP);
        CHECK_FALSE(find_in(list_tcp(), cookie_of(idle)));
    }
}

TEST_CASE("another namespace's sockets are not listed") {
    const Fd ours = listening("127.0.0.1");
    const std::uint64_t cookie = cookie_of(ours);
    test::in_own_namespace([&] {
        const auto all = list_tcp();
        REQUIRE(all);
        CHECK_FALSE(find_in(all, cookie));
    });
    CHECK(find_in(list_tcp(), cookie));
}

TEST_CASE("a destroyed connection is aborted at this end and reset at the other") {
    if (geteuid() != 0) SKIP("needs CAP_NET_ADMIN");
    for (const Case& each : kCases) {
        INFO(each.listen_at << " from " << each.connect_at);
        const Pair pair = connected(each.listen_at, each.connect_at);
        const Pair other = connected(each.listen_at, each.connect_at);
        const auto server = find_in(list_tcp(), cookie_of(pair.server));
        REQUIRE(server);
        const Status cut = destroy(*server);
        INFO((cut ? "" : cut.error().text()));
        REQUIRE(cut);
        CHECK(receive_error(pair.server) == ECONNABORTED);
        CHECK(receive_error(pair.client) == ECONNRESET);
        const Status again = destroy(*server);
        REQUIRE_FALSE(again);
        CHECK(again.error().kind == ErrorKind::not_found);
        // Nobody else is touched: neither the listener nor another connection.
        REQUIRE(send(other.client.get(), "x", 1, 0) == 1);
        CHECK(receive_error(other.server) == 0);
        CHECK(find_in(list_tcp(), cookie_of(pair.listener)));
    }
}

TEST_CASE("a socket that took over the addresses of another is not destroyed in its place") {
    if (geteuid() != 0) SKIP("needs CAP_NET_ADMIN");
    const Pair pair = connected("127.0.0.1", "127.0.0.1");
    auto server = find_in(list_tcp(), cookie_of(pair.server));
    REQUIRE(server);
    server->cookie += 1;
    const Status cut = destroy(*server);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().kind == ErrorKind::not_found);
    REQUIRE(send(pair.client.get(), "x", 1, 0) == 1);
    CHECK(receive_error(pair.server) == 0);
}

TEST_CASE("a destroyed UDP socket is told and disconnected") {
    if (geteuid() != 0) SKIP("needs CAP_NET_ADMIN");
    for (const char* at : {"127.0.0.1", "::1"}) {
        const Fd peer = bound(at, SOCK_DGRAM);
        const Fd fd = bound(at, SOCK_DGRAM);
        connect_to(fd, at, port_of(peer));
        const auto found = find_in(list_udp(), cookie_of(fd));
        REQUIRE(found);
        REQUIRE(destroy(*found));
        CHECK(receive_error(fd) == ECONNABORTED);
        CHECK(send(fd.get(), "x", 1, 0) < 0);
        CHECK(find_in(list_udp(), cookie_of(peer)));
    }
}
