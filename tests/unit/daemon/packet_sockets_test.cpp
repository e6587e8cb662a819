// SPDX-License-Identifier: Apache-2.0
#include "daemon/enforced.h"
#include "daemon/packet_sockets.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

sp_found_socket held(std::uint64_t inode, std::uint32_t pid, std::uint64_t cgroup = 1,
                     std::uint8_t bypass = SP_BYPASS_NO) {
    sp_found_socket socket{};
    socket.inode = inode;
    socket.pid = pid;
    socket.cgroup = cgroup;
    socket.bypass = bypass;
    socket.family = SP_AF_PACKET;
    return socket;
}

} // namespace

TEST_CASE("a packet socket is news once, while it is held") {
    PacketSocketWatch watch;
    CHECK(watch.take({}).empty());
    CHECK(watch.take({held(7, 100)}).size() == 1);
    CHECK(watch.take({held(7, 100)}).empty());
    CHECK(watch.held().size() == 1);
    CHECK(watch.take({held(7, 100), held(8, 100)}).size() == 1);
    CHECK(watch.take({}).empty());
    CHECK(watch.held().empty());
    CHECK(watch.take({held(7, 100)}).size() == 1); // another one by now
}

TEST_CASE("a packet socket that several processes of a cgroup hold is one") {
    PacketSocketWatch watch;
    const auto news = watch.take({held(7, 300), held(7, 100), held(7, 200)});
    REQUIRE(news.size() == 1);
    CHECK(news[0].pid == 100);
    CHECK(watch.take({held(7, 300)}).empty());
    CHECK(watch.held()[0].pid == 300);
}

TEST_CASE("a packet socket is news again in another cgroup, and when it bypasses the hook") {
    PacketSocketWatch watch;
    CHECK(watch.take({held(7, 100)}).size() == 1);
    CHECK(watch.take({held(7, 100), held(7, 200, 2)}).size() == 1);
    const auto news = watch.take({held(7, 100, 1, SP_BYPASS_YES), held(7, 200, 2)});
    REQUIRE(news.size() == 1);
    CHECK(news[0].pid == 100);
}

TEST_CASE("a cgroup is in a list when it or one above it is named") {
    const std::vector<std::string> users = {"/a/b", "/c.service/"};
    CHECK(is_in_cgroups("/a/b", users));
    CHECK(is_in_cgroups("/a/b/c", users));
    CHECK(is_in_cgroups("/c.service/x", users));
    for (const char* other : {"", "/", "/a", "/a/bc", "/x/a/b", "/c.service2", "a/b"})
        CHECK_FALSE(is_in_cgroups(other, users));
    CHECK_FALSE(is_in_cgroups("/a", {}));
}

TEST_CASE("a policy that denies is told what stands in the way, and no other is") {
    Policy policy;
    CHECK(advise_packet_sockets(policy, "p.toml", "no LSM").empty());
    policy.host.packet_sockets = PacketSockets::deny;
    CHECK(advise_packet_sockets(policy, "p.toml", "").empty());
    const auto advice = advise_packet_sockets(policy, "p.toml", "no LSM");
    REQUIRE(advice.size() == 1);
    CHECK(advice[0].severity == Severity::warning);
    CHECK(advice[0].message.find("no LSM") != std::string::npos);
    CHECK(advice[0].hint.find("lsm=") != std::string::npos);
}

TEST_CASE("the record keeps what the policy says of packet sockets") {
    Enforced enforced;
    enforced.packet_sockets = "deny";
    enforced.packet_socket_users = {"/a", "/b"};
    const auto again = enforced_from_json(to_json_text(enforced));
    REQUIRE(again);
    CHECK(*again == enforced);
}
