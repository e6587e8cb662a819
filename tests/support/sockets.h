// SPDX-License-Identifier: Apache-2.0
#pragma once
// Real TCP sockets in the namespace of machine.h, for what the programs ask the kernel
// about. Whatever fails aborts: it is the test's own ground.
#include <cstdint>
#include <string>
#include <utility>

namespace sallyport::test {

class Socket {
  public:
    explicit Socket(int fd);
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket();
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

// Gives loopback the host's addresses and the peer's.
void both_ends_here();
[[nodiscard]] Socket listener(const std::string& address, std::uint16_t port);
[[nodiscard]] Socket connection(const std::string& from, std::uint16_t sport, const std::string& to,
                                std::uint16_t dport);

} // namespace sallyport::test
