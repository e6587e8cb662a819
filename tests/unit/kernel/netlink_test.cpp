// SPDX-License-Identifier: Apache-2.0
#include "kernel/netlink.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <utility>

using namespace sallyport;

namespace {

using Seen = std::vector<std::pair<unsigned, std::size_t>>; // type, length of the value

Seen attributes_of(const std::vector<std::uint16_t>& halves) { // length, type, value, ...
    Seen seen;
    for_each_attribute(std::as_bytes(std::span(halves)), [&](std::uint16_t type, Bytes value) {
        seen.emplace_back(type, value.size());
    });
    return seen;
}

} // namespace

TEST_CASE("attributes are walked one by one at netlink's alignment") {
    CHECK(attributes_of({8, 1, 0, 0, 6, 2, 0, 0, 4, 3}) == Seen{{1, 4}, {2, 2}, {3, 0}});
    CHECK(attributes_of({}).empty());
}

TEST_CASE("the flags of an attribute's type are not part of it") {
    CHECK(attributes_of({4, NLA_F_NESTED | 5}) == Seen{{5, 0}});
}

TEST_CASE("an attribute that contradicts what is there ends the walk") {
    CHECK(attributes_of({4, 1, 0, 2, 4, 3}) == Seen{{1, 0}}); // no length at all: not for ever
    CHECK(attributes_of({4, 1, 3, 2, 4, 3}) == Seen{{1, 0}}); // shorter than its own head
    CHECK(attributes_of({4, 1, 9, 2, 0, 0}) == Seen{{1, 0}}); // longer than what is left
    CHECK(attributes_of({8}).empty());
}

TEST_CASE("a struct at the front is zero where the message is shorter") {
    const std::uint16_t half = 0xffff;
    CHECK(front_of<std::uint32_t>(bytes_of(half)) ==
          (std::endian::native == std::endian::little ? 0xffffu : 0xffff0000u));
    CHECK(front_of<std::uint32_t>({}) == 0);
    CHECK(behind(bytes_of(half), 2).empty());
}

TEST_CASE("a dump hands over every message") {
    const Result<NetlinkSocket> socket = NetlinkSocket::open(NETLINK_ROUTE);
    REQUIRE(socket);
    unsigned links = 0;
    const auto end =
        socket->dump(RTM_GETLINK, bytes_of(ifinfomsg{}), [&](const NetlinkMessage& message) {
            CHECK(message.type == RTM_NEWLINK);
            CHECK(message.body.size() > sizeof(ifinfomsg));
            ++links;
        });
    REQUIRE(end);
    CHECK(links >= 1); // loopback is everywhere
}

TEST_CASE("what cannot be dumped is an error") {
    const Result<NetlinkSocket> socket = NetlinkSocket::open(NETLINK_SOCK_DIAG);
    REQUIRE(socket);
    inet_diag_req_v2 request{};
    request.sdiag_family = 250; // no such family
    CHECK_FALSE(socket->dump(SOCK_DIAG_BY_FAMILY, bytes_of(request), [](const NetlinkMessage&) {}));
}

TEST_CASE("a request is answered by the kernel's errno") {
    const Result<NetlinkSocket> socket = NetlinkSocket::open(NETLINK_SOCK_DIAG);
    REQUIRE(socket);
    inet_diag_req_v2 request{};
    request.sdiag_family = 250; // no such family
    const Result<int> error = socket->ask(SOCK_DIAG_BY_FAMILY, bytes_of(request));
    REQUIRE(error);
    CHECK(*error != 0);
}

TEST_CASE("a netlink protocol that does not exist is an error") {
    CHECK_FALSE(NetlinkSocket::open(31));
}
