// SPDX-License-Identifier: Apache-2.0
// How the programs count the connections of a source, with threads for CPUs.
#include "support/peer_host.h"

#include <array>
#include <atomic>
#include <barrier>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

using namespace sallyport::test;

namespace {

constexpr std::uint32_t kNow = 1000;

sp_bucket_key key_of(std::uint32_t number) {
    sp_bucket_key key{};
    key.addr.words[3] = number;
    key.owner = 7;
    return key;
}

sp_counted socket_of(const sp_bucket_key& key) {
    sp_counted counted{};
    counted.peer = key;
    return counted;
}

} // namespace

TEST_CASE("a source has its number, handshakes on their way included, and each end makes room") {
    Peers peers;
    const sp_bucket_key key = key_of(1);
    CHECK(peers.take(key, 2, kNow));
    sp_counted first = socket_of(key);
    CHECK(peers.open(first, kNow, 0, kNow));
    CHECK(peers.take(key, 2, kNow));
    CHECK_FALSE(peers.take(key, 2, kNow));
    CHECK(peers.take(key_of(2), 2, kNow));
    sp_counted second = socket_of(key);
    CHECK(peers.open(second, kNow, 0, kNow));
    CHECK(peers.open_of(key) == 2);
    CHECK_FALSE(peers.take(key, 2, kNow));
    peers.end(first);
    peers.end(first); // twice is once
    CHECK(peers.open_of(key) == 1);
    CHECK(peers.take(key, 2, kNow));
    CHECK_FALSE(peers.take(key, 2, kNow));
}

TEST_CASE(
    "a handshake that becomes no socket gives its place back, and one that goes on keeps it") {
    Peers peers;
    const sp_bucket_key key = key_of(1);
    CHECK(peers.take(key, 1, kNow));
    CHECK_FALSE(peers.take(key, 1, kNow + 3));
    CHECK(peers.take(key, 1, kNow + 3, kNow)); // the same handshake
    CHECK_FALSE(peers.take(key, 1, kNow + 6));
    CHECK(peers.take(key, 1, kNow + 7));
    // Late, its place is another's: it is counted all the same, and nobody's place is taken for it.
    sp_counted late = socket_of(key);
    CHECK(peers.open(late, kNow + 3, 0, kNow + 7));
    CHECK(peers.open_of(key) == 1);
    CHECK_FALSE(peers.take(key, 2, kNow + 7));
}

TEST_CASE("a full set refuses who is not there, and puts out nobody who has something open") {
    Peers peers;
    std::vector<sp_counted> sockets;
    for (std::uint32_t i = 0; i < SP_PEER_WAYS; ++i) {
        CHECK(peers.take(key_of(i), 9, kNow));
        sockets.push_back(socket_of(key_of(i)));
        CHECK(peers.open(sockets.back(), kNow, 0, kNow));
    }
    CHECK_FALSE(peers.take(key_of(1000), 9, kNow + 100));
    CHECK(peers.take(key_of(3), 9, kNow + 100));
    peers.end(sockets[5]);
    CHECK(peers.take(key_of(1000), 9, kNow + 100));
    CHECK_FALSE(peers.take(key_of(1001), 9, kNow + 100));
    for (std::uint32_t i = 0; i < SP_PEER_WAYS; ++i)
        CHECK(peers.open_of(key_of(i)) == (i != 5 ? 1 : 0));
}

TEST_CASE("a recount finds what is, whatever opens and ends meanwhile") {
    Peers peers;
    const sp_bucket_key key = key_of(1);
    std::array<sp_counted, 6> sockets;
    for (sp_counted& socket : sockets) socket = socket_of(key);
    for (std::size_t i = 0; i < 4; ++i) CHECK(peers.open(sockets[i], kNow, 0, kNow));
    peers.distort(key, 5);
    CHECK(peers.open_of(key) == 9);
    peers.see(sockets[0], kNow + 60, kNow + 60);
    peers.end(sockets[0]);                                     // seen, then ended
    CHECK(peers.open(sockets[4], kNow, kNow + 60, kNow + 60)); // begun meanwhile
    peers.see(sockets[1], kNow + 60, kNow + 60);
    peers.see(sockets[1], kNow + 60, kNow + 60); // once is enough
    peers.end(sockets[2]);                       // ended before it was seen
    peers.see(sockets[2], kNow + 60, kNow + 60);
    peers.see(sockets[3], kNow + 60, kNow + 60);
    peers.see(sockets[4], kNow + 60, kNow + 60);
    peers.settle(kNow + 60);
    CHECK(peers.open_of(key) == 3);
    CHECK(peers.open(sockets[5], kNow, kNow + 60, kNow + 61));
    CHECK(peers.open_of(key) == 4);
    peers.settle(kNow + 120); // nobody was seen by this one
    CHECK(peers.open_of(key) == 0);
}

TEST_CASE("threads that come and go at once never have more than the number, and leave nothing") {
    constexpr std::uint32_t kMost = 5;
    constexpr unsigned kThreads = 4;
    Peers peers;
    const sp_bucket_key key = key_of(1);
    std::atomic<int> open{0};
    std::atomic<bool> over{false};
    std::atomic<unsigned> let_in{0};
    std::barrier together(kThreads + 1);
    const auto leave = [&](std::vector<sp_counted>& sockets) {
        for (sp_counted& socket : sockets) {
            open.fetch_sub(1); // before the place is anybody's again
            peers.end(socket);
        }
        sockets.clear();
    };
    {
        std::vector<std::jthread> running;
        for (unsigned t = 0; t < kThreads; ++t)
            running.emplace_back([&] {
                together.arrive_and_wait();
                std::vector<sp_counted> mine;
                for (int round = 0; round < 20000; ++round) {
                    if (peers.take(key, kMost, kNow)) {
                        if (open.fetch_add(1) >= static_cast<int>(kMost)) over = true;
                        let_in++;
                        mine.push_back(socket_of(key));
                        if (!peers.open(mine.back(), kNow, 0, kNow)) over = true;
                    }
                    if (mine.size() < 3 && round % 3 != 0) continue;
                    leave(mine);
                }
                leave(mine);
            });
        running.emplace_back([&] {
            together.arrive_and_wait();
            for (std::uint32_t i = 0; i < 1000; ++i) static_cast<void>(peers.open_of(key));
        });
    }
    CHECK_FALSE(over);
    CHECK(let_in > 1000);
    CHECK(peers.open_of(key) == 0);
    for (std::uint32_t i = 0; i < kMost; ++i) CHECK(peers.take(key, kMost, kNow + 10));
    CHECK_FALSE(peers.take(key, kMost, kNow + 10));
}
