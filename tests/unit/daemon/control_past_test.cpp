// SPDX-License-Identifier: Apache-2.0
// Readers that reach back, and readers of packets.
#include "event/capture.h"
#include "unit/daemon/control_bench.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

namespace {

constexpr const char* kPast = R"({"cmd":"tail","since":60})";

Capture some_capture(std::uint8_t last) {
    return {.layer = CaptureLayer::ip, .wire_size = 4, .bytes = {1, 2, 3, last}, .stamp = {}};
}

Event numbered(std::uint64_t seq) {
    Event event = exfil_attempt();
    event.seq = seq;
    return event;
}

// All that comes until the server has nothing more to send.
std::vector<std::string> all_lines(ControlBench& bench, ControlClient& client) {
    std::vector<std::string> all;
    for (int quiet = 0; quiet < 3;) {
        bench.turn();
        const auto lines = client.lines();
        quiet = lines.empty() ? quiet + 1 : 0;
        all.insert(all.end(), lines.begin(), lines.end());
    }
    return all;
}

} // namespace

TEST_CASE("who reaches back is told what was before him, and then what comes, in order") {
    ControlBench bench;
    for (std::uint64_t seq = 1; seq <= 3; ++seq) bench.publish(numbered(seq));
    ControlClient client(bench.path);
    client.send(std::string(kPast) + "\n");
    bench.turn();
    bench.publish(numbered(4));
    const auto lines = all_lines(bench, client);
    REQUIRE(lines.size() == 5);
    for (std::size_t i = 1; i < lines.size(); ++i) CHECK(json::parse(lines[i])["seq"] == i);
}

TEST_CASE("a filter holds for the past too, and without `since` there is none") {
    ControlBench bench;
    bench.publish(exfil_attempt());
    bench.publish(refused_syn());
    ControlClient client(bench.path);
    const auto lines =
        bench.ask(client, "{\"cmd\":\"tail\",\"since\":60,\"filter\":{\"exfil\":true}}\n");
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == to_json_line(exfil_attempt()));
    CHECK(bench.listener().lines().empty());
}

TEST_CASE("a past that is larger than a queue is told whole to who reads") {
    ControlBench bench({.queue_bytes = 16 << 10});
    for (std::uint64_t seq = 1; seq <= 400; ++seq) bench.publish(numbered(seq));
    ControlClient client(bench.path);
    client.send(std::string(kPast) + "\n");
    bench.turn();
    bench.publish(numbered(401)); // while it is still in the past, or not: once, and last
    const auto lines = all_lines(bench, client);
    REQUIRE(lines.size() == 402);
    for (std::size_t i = 1; i < lines.size(); ++i) REQUIRE(json::parse(lines[i])["seq"] == i);
    CHECK(bench.server().cut_off() == 0);
}

TEST_CASE("what went while a slow reader was in the past is told as lost") {
    ControlBench bench({.queue_bytes = 4 << 10, .recent_bytes = 1 << 20});
    for (std::uint64_t seq = 1; seq <= 5000; ++seq) bench.publish(numbered(seq));
    ControlClient client(bench.path);
    client.send(std::string(kPast) + "\n");
    bench.turn();
    for (std::uint64_t seq = 5001; seq <= 30000; ++seq) bench.publish(numbered(seq));
    const auto lines = all_lines(bench, client);
    std::uint64_t lost = 0, told = 0, first = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const json line = json::parse(lines[i]);
        if (line["event"] == "lost") {
            lost += line["count"].get<std::uint64_t>();
            continue;
        }
        if (first == 0) first = line["seq"];
        ++told;
    }
    CHECK(lost > 0);
    CHECK(first + told + lost == 30001);
    CHECK(json::parse(lines.back())["seq"] == 30000);
    CHECK(bench.server().lost() == lost);
}

TEST_CASE("packets are a stream of their own") {
    ControlBench bench;
    ControlClient& events = bench.listener();
    ControlClient& packets = bench.listener(R"({"cmd":"tail","packets":true})");
    bench.server().take_packet(exfil_attempt(), some_capture(7));
    bench.publish(refused_syn());
    CHECK(packets.lines() == std::vector{packet_line(exfil_attempt(), some_capture(7))});
    CHECK(events.lines() == std::vector{to_json_line(refused_syn())});
    ControlClient later(bench.path);
    const auto lines = bench.ask(later, "{\"cmd\":\"tail\",\"packets\":true,\"since\":9}\n");
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == packet_line(exfil_attempt(), some_capture(7)));
}

TEST_CASE("packets are for root alone") {
    if (::geteuid() != 0) SKIP("it takes root to be somebody else for a while");
    ControlBench bench;
    REQUIRE(::chmod((bench.dir / ".").c_str(), 0755) == 0);
    REQUIRE(::chmod(bench.path.c_str(), 0666) == 0);
    REQUIRE(::seteuid(65534) == 0);
    ControlClient reader(bench.path);
    REQUIRE(::seteuid(0) == 0);
    const auto lines = bench.ask(reader, "{\"cmd\":\"tail\",\"packets\":true}\n");
    REQUIRE(lines.size() == 1);
    CHECK(json::parse(lines[0])["ok"] == false);
    bench.server().take_packet(exfil_attempt(), some_capture(7));
    bench.publish(exfil_attempt());
    CHECK(reader.lines().empty());
}

TEST_CASE("a `since` that makes no sense is refused") {
    ControlBench bench;
    for (const char* since : {"-1", "1.5", "\"10m\"", "[]", "null"}) {
        ControlClient client(bench.path);
        const auto lines =
            bench.ask(client, std::string("{\"cmd\":\"tail\",\"since\":") + since + "}\n");
        REQUIRE(lines.size() == 1);
        CHECK(json::parse(lines[0])["ok"] == false);
        bench.publish(exfil_attempt());
        CHECK(client.lines().empty());
    }
}
