// SPDX-License-Identifier: Apache-2.0
// Who is too slow, or one too many, at the control socket.
#include "unit/daemon/control_bench.h"

#include <fmt/format.h>
#include <sys/resource.h>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

TEST_CASE("a slow reader is told and cut off, the others miss nothing") {
    ControlBench bench({.clients = 8, .request_bytes = 1024, .queue_bytes = 64 << 10});
    ControlClient& slow = bench.listener();
    ControlClient& quick = bench.listener();
    std::size_t quick_lines = 0;
    constexpr std::size_t kEvents = 20'000;
    for (std::size_t i = 0; i < kEvents; ++i) {
        bench.publish(exfil_attempt());
        quick_lines += quick.lines().size();
    }
    CHECK(quick_lines == kEvents);
    CHECK_FALSE(quick.has_ended());
    CHECK(bench.server().cut_off() == 1);

    std::vector<std::string> seen;
    do {
        for (std::string& line : slow.lines()) seen.push_back(std::move(line));
        bench.turn();
    } while (!slow.has_ended());
    CHECK_FALSE(slow.has_half_a_line());
    REQUIRE_FALSE(seen.empty());
    const auto last = event_from_json(seen.back());
    REQUIRE(last);
    CHECK(last->kind == EventKind::lost);
    CHECK(last->lost_by == LostBy::slow_reader);
    CHECK(last->count > 1);
    for (std::size_t i = 0; i + 1 < seen.size(); ++i)
        REQUIRE(seen[i] == to_json_line(exfil_attempt()));
    CHECK(seen.size() < kEvents);
    CHECK(last->count == bench.server().lost());
    CHECK(bench.server().clients() == 1);
}

TEST_CASE("arrivals are left out for who is behind, and what tries to leave is not") {
    ControlBench bench({.clients = 8, .request_bytes = 1024, .queue_bytes = 64 << 10});
    ControlClient& slow = bench.listener();
    constexpr std::uint64_t kArrivals = 20'000;
    std::uint64_t attempts = 0;
    for (std::uint64_t i = 0; i < kArrivals; ++i) {
        bench.publish(refused_syn());
        if (i % 500 != 0) continue;
        bench.publish(exfil_attempt());
        ++attempts;
    }
    CHECK(bench.server().cut_off() == 0);
    std::uint64_t arrivals = 0, lost = 0, lines = 0, seen_attempts = 0;
    const auto read = [&] {
        for (const std::string& line : slow.lines()) {
            ++lines;
            const auto event = event_from_json(line);
            REQUIRE(event);
            if (event->kind == EventKind::lost) {
                CHECK(event->lost_by == LostBy::slow_reader);
                lost += event->count;
            } else {
                ++(event->direction == SP_EGRESS ? seen_attempts : arrivals);
            }
        }
    };
    for (std::uint64_t before = ~0ull; before != lines; bench.turn()) {
        before = lines;
        read();
    }
    CHECK(seen_attempts == attempts);
    CHECK(arrivals + lost == kArrivals); // told when it had caught up, although nothing followed
    CHECK(lost == bench.server().lost());
    CHECK(lost > kArrivals / 2);
    bench.publish(refused_syn());
    CHECK(slow.lines() == std::vector{to_json_line(refused_syn())});
}

TEST_CASE("one who asks and never reads the answers is cut off") {
    ControlBench bench({.clients = 8, .request_bytes = 1024, .queue_bytes = 64 << 10});
    ControlClient client(bench.path);
    for (int i = 0; i < 20 && bench.server().clients() <= 1; ++i) {
        client.send("{\"cmd\":\"large\"}\n");
        bench.turn();
        if (bench.server().clients() == 0) break;
    }
    CHECK(bench.server().clients() == 0);
}

TEST_CASE("clients beyond the limit are refused by name, and admitted when one has left") {
    ControlBench bench({.clients = 2, .request_bytes = 1024, .queue_bytes = 1024});
    ControlClient first(bench.path);
    ControlClient second(bench.path);
    ControlClient third(bench.path);
    bench.turn();
    const auto answers = third.lines();
    REQUIRE(answers.size() == 1);
    CHECK(json::parse(answers[0])["ok"] == false);
    CHECK(third.has_ended());
    CHECK(bench.server().clients() == 2);
    first.leave();
    bench.turn();
    ControlClient fourth(bench.path);
    CHECK(bench.ask(fourth, "{\"cmd\":\"status\"}\n").size() == 1);
}

TEST_CASE("one that was cut off and does not read its last line gives up its place") {
    ControlBench bench({.clients = 1, .request_bytes = 1024, .queue_bytes = 4096});
    ControlClient& slow = bench.listener();
    while (bench.server().cut_off() == 0) bench.publish(exfil_attempt());
    CHECK(bench.server().clients() == 1);
    ControlClient next(bench.path);
    CHECK(bench.ask(next, "{\"cmd\":\"status\"}\n").size() == 1);
    static_cast<void>(slow.lines());
    CHECK(slow.has_ended());
}

TEST_CASE("when descriptors have run out a client is refused and the server does not spin") {
    ControlBench bench;
    ControlClient& listener = bench.listener();
    ControlClient unlucky(bench.path); // in the backlog
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    std::vector<Fd> hoard;
    const rlimit tight{.rlim_cur = 64, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    while (true) {
        Fd fd(::dup(0));
        if (!fd) break;
        hoard.push_back(std::move(fd));
    }
    bench.turn();
    hoard.clear();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    static_cast<void>(unlucky.lines());
    CHECK(unlucky.has_ended());
    bench.publish(refused_syn());
    CHECK(listener.lines().size() == 1);
    ControlClient later(bench.path);
    CHECK(bench.ask(later, "{\"cmd\":\"status\"}\n").size() == 1);
}
