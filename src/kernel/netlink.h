// SPDX-License-Identifier: Apache-2.0
#pragma once
// Netlink as the rest of this module needs it: dumps and acknowledged requests,
// over a socket in the network namespace of the thread that opens it.
#include "base/fd.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <linux/netlink.h>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace sallyport {

using Bytes = std::span<const std::byte>;

// The bytes of a plain value, for as long as the value lives.
template <typename T> [[nodiscard]] Bytes bytes_of(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return std::as_bytes(std::span(&value, 1));
}

struct NetlinkMessage {
    std::uint16_t type = 0;
    Bytes body; // valid during the call that hands it over
};

// A fixed struct at the front of `body`; zero where the body is shorter.
template <typename T> [[nodiscard]] T front_of(Bytes body);
// What follows that struct, at netlink's alignment.
[[nodiscard]] Bytes behind(Bytes body, std::size_t front);

// Calls `each` with the type (flags removed) and value of every whole attribute.
void for_each_attribute(Bytes attributes,
                        const std::function<void(std::uint16_t type, Bytes value)>& each);

class NetlinkSocket {
  public:
    // protocol: NETLINK_ROUTE, NETLINK_SOCK_DIAG; groups: RTMGRP_*, 0 for none.
    [[nodiscard]] static Result<NetlinkSocket> open(int protocol, std::uint32_t groups = 0);

    enum class Dump : std::uint8_t { complete, interrupted };
    // Asks for a dump and hands over its messages, one by one. `interrupted`: what
    // was listed changed meanwhile, and the messages may contradict each other.
    [[nodiscard]] Result<Dump> dump(std::uint16_t type, Bytes body,
                                    const std::function<void(const NetlinkMessage&)>& each) const;
    // Asks and waits for the kernel's acknowledgement: 0 or its errno.
    [[nodiscard]] Result<int> ask(std::uint16_t type, Bytes body) const;
    // For sockets with groups. True: something was told, or the kernel had to
    // leave something out. False: nothing waits. Never blocks.
    [[nodiscard]] Result<bool> drain() const;

    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    explicit NetlinkSocket(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// Dumps that were interrupted are asked for again so often, then are an error.
inline constexpr int kDumpAttempts = 8;

// Everything of a dump, each message made into T by `parse` (nullopt: left out).
template <typename T>
[[nodiscard]] Result<std::vector<T>>
collect(const NetlinkSocket& socket, std::uint16_t type, Bytes body,
        const std::function<std::optional<T>(const NetlinkMessage&)>& parse) {
    for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
        std::vector<T> found;
        const NetlinkSocket::Dump end =
            SP_TRY(socket.dump(type, body, [&](const NetlinkMessage& message) {
                std::optional<T> item = parse(message);
                if (item) found.push_back(std::move(*item));
            }));
        if (end == NetlinkSocket::Dump::complete) return found;
    }
    return fail(ErrorKind::kernel, "what the kernel lists keeps changing while it is read");
}

template <typename T> T front_of(Bytes body) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const std::span<std::byte> to = std::as_writable_bytes(std::span(&value, 1));
    for (std::size_t i = 0; i < to.size() && i < body.size(); ++i) to[i] = body[i];
    return value;
}

} // namespace sallyport
