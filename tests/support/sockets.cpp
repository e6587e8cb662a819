// SPDX-License-Identifier: Apache-2.0
#include "support/sockets.h"

#include "base/result.h"
#include "support/machine.h"
#include "support/packet.h"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport::test {
namespace {

struct Name {
    sockaddr_storage storage{};
    socklen_t size = 0;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Name name_of(const std::string& address, std::uint16_t port) {
    Name name;
    Bytes bytes = address_bytes(address);
    if (bytes.size() == 4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, bytes.data(), 4);
        std::memcpy(&name.storage, &v4, sizeof(v4));
        name.size = sizeof(v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, bytes.data(), 16);
        std::memcpy(&name.storage, &v6, sizeof(v6));
        name.size = sizeof(v6);
    }
    return name;
}

Socket bound(const std::string& address, std::uint16_t port) {
    Name name = name_of(address, port);
    Socket socket{::socket(name.storage.ss_family, SOCK_STREAM, 0)};
    int on = 1;
    SP_CHECK(setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
    SP_CHECK(bind(socket.fd(), name.get(), name.size) == 0);
    return socket;
}

} // namespace

Socket::Socket(int fd) : fd_(fd) {
    SP_CHECK(fd >= 0);
}

Socket::~Socket() {
    if (fd_ >= 0) close(fd_);
}

void both_ends_here() {
    static const bool once = [] {
        for (const char* address : {kHost4, kPeer4, kHost6, kPeer6}) {
            std::string length =
                std::string(address).find(':') == std::string::npos ? "/32" : "/128";
            configure(std::string("ip addr add ") + address + length + " dev lo");
        }
        return true;
    }();
    SP_CHECK(once);
}

Socket listener(const std::string& address, std::uint16_t port) {
    Socket socket = bound(address, port);
    SP_CHECK(listen(socket.fd(), 8) == 0);
    return socket;
}

Socket connection(const std::string& from, std::uint16_t sport, const std::string& to,
                  std::uint16_t dport) {
    Socket socket = bound(from, sport);
    Name peer = name_of(to, dport);
    SP_CHECK(connect(socket.fd(), peer.get(), peer.size) == 0);
    return socket;
}

} // namespace sallyport::test
