// SPDX-License-Identifier: Apache-2.0
// Requests go out with NLM_F_REQUEST and a number of their own; what comes back
// under another number belongs to nobody and is passed over.
#include "kernel/netlink.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace sallyport {
namespace {

// The kernel fills what the reader offers, up to 32 KiB.
constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kRequestBytes = 256;
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};

using Buffer = std::vector<std::byte>;

std::uint32_t next_number() {
    static std::atomic<std::uint32_t> number{0};
    return ++number;
}

Status send_request(int fd, nlmsghdr header, Bytes body) {
    std::array<std::byte, kRequestBytes> request{};
    SP_CHECK(NLMSG_HDRLEN + body.size() <= request.size());
    header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + body.size());
    std::memcpy(request.data(), &header, sizeof header);
    std::ranges::copy(body, request.begin() + NLMSG_HDRLEN);
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    ssize_t sent = 0;
    do {
        sent = sendto(fd, request.data(), header.nlmsg_len, 0,
                      reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return fail_errno(errno, "sending a netlink request");
    return {};
}

// One datagram of the kernel's.
Result<Bytes> receive(int fd, Buffer& buffer) {
    for (;;) {
        sockaddr_nl from{};
        iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t size = recvmsg(fd, &message, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN)
            return fail(ErrorKind::kernel, "the kernel does not answer over netlink");
        if (size < 0) return fail_errno(errno, "reading from netlink");
        if ((message.msg_flags & MSG_TRUNC) != 0)
            return fail(ErrorKind::internal, "a netlink message is longer than is read");
        if (from.nl_pid != 0) continue; // another process's
        return Bytes(buffer.data(), static_cast<std::size_t>(size));
    }
}

// The next message of a datagram, which loses it; nullopt at its end.
struct Message {
    nlmsghdr header;
    Bytes body;
};
std::optional<Message> take_message(Bytes& datagram) {
    const nlmsghdr header = front_of<nlmsghdr>(datagram);
    if (datagram.size() < NLMSG_HDRLEN || header.nlmsg_len < NLMSG_HDRLEN ||
        header.nlmsg_len > datagram.size())
        return std::nullopt;
    const Message message{.header = header,
                          .body = datagram.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN)};
    datagram = behind(datagram, header.nlmsg_len);
    return message;
}

} // namespace

Bytes behind(Bytes body, std::size_t front) {
    const std::size_t at = NLMSG_ALIGN(front);
    return at < body.size() ? body.subspan(at) : Bytes{};
}

void for_each_attribute(Bytes attributes,
                        const std::function<void(std::uint16_t type, Bytes value)>& each) {
    while (attributes.size() >= sizeof(nlattr)) {
        const nlattr head = front_of<nlattr>(attributes);
        if (head.nla_len < NLA_HDRLEN || head.nla_len > attributes.size()) return;
        each(head.nla_type & NLA_TYPE_MASK,
             attributes.subspan(NLA_HDRLEN, head.nla_len - static_cast<std::size_t>(NLA_HDRLEN)));
        attributes = behind(attributes, head.nla_len);
    }
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol, std::uint32_t groups) {
    const int waits = groups != 0 ? SOCK_NONBLOCK : 0;
    Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | waits, protocol));
    if (!fd) return fail_errno(errno, "opening a netlink socket");
    // Some malformed requests the kernel drops without a word: nobody waits for ever.
    if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0)
        return fail_errno(errno, "setting a netlink socket's timeout");
    sockaddr_nl self{};
    self.nl_family = AF_NETLINK;
    self.nl_groups = groups;
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&self), sizeof self) != 0)
        return fail_errno(errno, "binding a netlink socket");
    return NetlinkSocket(std::move(fd));
}

Result<NetlinkSocket::Dump>
NetlinkSocket::dump(std::uint16_t type, Bytes body,
                    const std::function<void(const NetlinkMessage&)>& each) const {
    const std::uint32_t number = next_number();
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header.nlmsg_seq = number;
    SP_TRY(send_request(fd_.get(), header, body));
    Buffer buffer(kReadBytes);
    Dump end = Dump::complete;
    for (;;) {
        Bytes datagram = SP_TRY(receive(fd_.get(), buffer));
        while (const std::optional<Message> message = take_message(datagram)) {
            if (message->header.nlmsg_seq != number) continue;
            if ((message->header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) end = Dump::interrupted;
            const std::uint16_t kind = message->header.nlmsg_type;
            if (kind == NLMSG_DONE || kind == NLMSG_ERROR) {
                // Both begin with an errno, negative, or 0.
                const int error = -front_of<int>(message->body);
                if (error != 0) return fail_errno(error, "a netlink dump");
                return end;
            }
            each({.type = kind, .body = message->body});
        }
    }
}

Result<int> NetlinkSocket::ask(std::uint16_t type, Bytes body) const {
    const std::uint32_t number = next_number();
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header.nlmsg_seq = number;
    SP_TRY(send_request(fd_.get(), header, body));
    Buffer buffer(kReadBytes);
    for (;;) {
        Bytes datagram = SP_TRY(receive(fd_.get(), buffer));
        while (const std::optional<Message> message = take_message(datagram)) {
            if (message->header.nlmsg_seq != number) continue;
            if (message->header.nlmsg_type == NLMSG_ERROR) return -front_of<int>(message->body);
        }
    }
}

Result<bool> NetlinkSocket::drain() const {
    std::array<std::byte, 1> any{}; // what was told does not matter
    bool changed = false;
    for (;;) {
        if (recv(fd_.get(), any.data(), any.size(), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
            changed = true; // ENOBUFS: more was told than there was room for
        else if (errno == EAGAIN)
            return changed;
        else if (errno != EINTR)
            return fail_errno(errno, "reading link notices");
    }
}

} // namespace sallyport
