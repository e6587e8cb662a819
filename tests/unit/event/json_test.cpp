// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "event/json.h"
#include "support/events.h"
#include "support/golden.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

namespace {

Event ping() {
    Event event = refused_syn("fd00:99::1");
    event.kind = EventKind::would_drop;
    event.proto = 58;
    event.src_port = event.dst_port = std::nullopt;
    event.tcp_flags = std::nullopt;
    event.icmp_type = 128;
    event.icmp_code = 0;
    return event;
}

Event strange_frame() {
    Event event;
    event.at = some_time();
    event.direction = SP_INGRESS;
    event.reason = SP_REASON_ETHERTYPE;
    event.ethertype = 0x88cc;
    event.len = 64;
    event.iface = "eth0";
    event.hook = SP_HOOK_XDP;
    return event;
}

Event opened_by_rule() {
    Event event = refused_syn("10.0.0.10");
    event.kind = EventKind::opened;
    event.reason = 0;
    event.rule = "ssh";
    return event;
}

Event refused_policy() {
    Event event;
    event.at = some_time();
    event.host = "gpu-07";
    event.kind = EventKind::policy;
    event.state = EventState::refused;
    event.generation = 3;
    event.file = "/etc/sallyport/policy.toml";
    event.sha256 = std::string(64, 'a');
    event.detail = "2 errors; generation 3 stays";
    return event;
}

Event restored_hook() {
    Event event;
    event.at = some_time();
    event.kind = EventKind::hook;
    event.state = EventState::restored;
    event.iface = "eth0";
    event.hook = SP_HOOK_XDP;
    event.detail = "native";
    return event;
}

Event found_socket() {
    Event event;
    event.at = some_time();
    event.kind = EventKind::socket;
    event.state = EventState::found;
    event.direction = SP_EGRESS;
    event.hook = SP_HOOK_SOCKET;
    event.socket_family = 17;
    event.qdisc_bypass = true;
    event.ethertype = 3;
    event.pid = 4242;
    event.comm = "tcpdump";
    event.uid = 0;
    event.iface = "eth0";
    return event;
}

Event banned_network() {
    Event event;
    event.at = some_time();
    event.host = "gpu-07";
    event.kind = EventKind::ban;
    event.network = parse_prefix("203.0.113.0/24").value();
    event.origin = "jail:web";
    event.seconds = 3600;
    event.detail = "too many";
    return event;
}

Event lifted_by_list() {
    Event event;
    event.at = some_time();
    event.kind = EventKind::unban;
    event.origin = "list:blocked";
    event.count = 7;
    return event;
}

Event limited_source(EventState state) {
    Event event;
    event.at = some_time();
    event.kind = EventKind::limit;
    event.state = state;
    event.direction = SP_INGRESS;
    event.rule = "ollama";
    event.src = addr("2001:db8:1:2::7");
    event.network = prefix_of(*event.src, 64);
    event.generation = 3;
    if (state == EventState::ends) event.count = 17;
    return event;
}

Event refused_socket() {
    Event event = found_socket();
    event.kind = EventKind::drop;
    event.state = std::nullopt;
    event.reason = SP_REASON_PACKET_SOCKET;
    event.socket_family = 44;
    event.qdisc_bypass = false;
    event.ethertype = 0;
    return event;
}

Event in_container() {
    Event event = exfil_attempt();
    event.container = std::string(64, 'c');
    event.rule = "no telnet";
    return event;
}

Event in_a_job() {
    Event event = exfil_attempt();
    event.cmdline = "python3 train.py --token 'a b'";
    event.ppid = 4200;
    event.parent = "slurmstepd";
    event.user = "ml";
    event.slice = "system.slice";
    event.container = std::string(64, 'c');
    event.container_name = "ml/vllm-0/server";
    event.slurm_job = "123";
    event.slurm_step = "batch";
    event.gpus = {"nvidia0", "nvidia-uvm"};
    return event;
}

Event looked_up(std::uint8_t direction) {
    Event event = direction == SP_EGRESS ? exfil_attempt() : refused_syn();
    (direction == SP_EGRESS ? event.dst_name : event.src_name) = "api.example.com";
    return event;
}

std::vector<Event> one_of_each() {
    return {exfil_attempt(),
            refused_syn(),
            ping(),
            strange_frame(),
            opened_by_rule(),
            in_container(),
            in_a_job(),
            lost_events(LostBy::ring_full, 12),
            lost_events(LostBy::slow_reader, 1),
            refused_policy(),
            restored_hook(),
            found_socket(),
            banned_network(),
            lifted_by_list(),
            refused_socket(),
            limited_source(EventState::begins),
            limited_source(EventState::ends),
            looked_up(SP_EGRESS),
            looked_up(SP_INGRESS)};
}

} // namespace

TEST_CASE("the record is what the manual shows, name by name and in its order") {
    CHECK(
        to_json_line(exfil_attempt()) ==
        R"({"v":1,"seq":8812,"ts":"2026-01-02T03:04:05.678901Z","host":"gpu-07","event":"drop",)"
        R"("direction":"egress","reason":"no-rule","exfil":true,"proto":"tcp","src":"10.0.1.5",)"
        R"("src_port":44512,"dst":"203.0.113.9","dst_port":443,"tcp_flags":"S","len":60,"iface":"eth0",)"
        R"("hook":"connect","pid":4242,"comm":"python3","exe":"/usr/bin/python3.11","uid":1001,)"
        R"("cgroup":"/system.slice/ollama.service","unit":"ollama.service","repeats":17,"generation":3})");
}

TEST_CASE("events of every kind are written as the golden file has them") {
    std::string lines;
    for (const Event& event : one_of_each()) lines += to_json_line(event) + '\n';
    CHECK(lines == golden("event/events.jsonl", lines));
}

TEST_CASE("what is not known is left out") {
    CHECK(to_json_line(Event{}) == R"({"v":1,"ts":"1970-01-01T00:00:00.000000Z","event":"drop"})");
}

TEST_CASE("an event that was written is read back the same") {
    for (const Event& event : one_of_each()) {
        const std::string line = to_json_line(event);
        const auto again = event_from_json(line);
        REQUIRE(again);
        Event expected = event;
        if (event.proto) expected.ethertype = 0; // not written then
        CHECK(*again == expected);
        CHECK(to_json_line(*again) == line);
    }
}

TEST_CASE(
    "whatever bytes a process calls itself, the line is JSON, UTF-8 and without raw controls") {
    for (unsigned high = 0; high < 256; ++high) {
        for (const unsigned low :
             {0x01u, 0x1bu, 0x22u, 0x5cu, 0x7fu, 0x80u, 0x9bu, 0xa0u, 0xbfu, 0xffu}) {
            Event event = exfil_attempt();
            event.comm = std::string{static_cast<char>(high), static_cast<char>(low)};
            const std::string line = to_json_line(event);
            const json parsed = json::parse(line, nullptr, false);
            REQUIRE(parsed.is_object());
            CHECK(parsed["comm"].is_string());
            CHECK_NOTHROW(parsed.dump()); // throws when a string is not UTF-8
            CHECK(is_printable(line));
        }
    }
}

TEST_CASE("bytes that are no UTF-8 become the replacement character, one for each byte") {
    Event event;
    event.comm = "a\xff\xc0\x80z";
    CHECK(to_json_line(event).find("\"comm\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"") !=
          std::string::npos);
}

TEST_CASE("UTF-8 of every length passes as it is, and what reorders text is escaped") {
    Event event;
    event.comm = "ü€\U0001f600";
    CHECK(to_json_line(event).find("\"ü€\U0001f600\"") != std::string::npos);
    event.comm = "a\u202eb\"\\";
    const std::string line = to_json_line(event);
    CHECK(line.find(R"("a\u202eb\"\\")") != std::string::npos);
    CHECK(json::parse(line)["comm"] == "a\u202eb\"\\");
}

TEST_CASE("GPUs that are no list of names are no event") {
    const std::string front = R"({"v":1,"ts":"2026-01-02T03:04:05.678901Z","event":"drop","gpus":)";
    CHECK(event_from_json(front + R"(["a","b"]})")->gpus == std::vector<std::string>{"a", "b"});
    CHECK(event_from_json(front + "[]}")->gpus.empty());
    for (const char* wrong : {"7}", "\"a\"}", "{}}", "[7]}", "[[\"a\"]]}"})
        CHECK_FALSE(event_from_json(front + wrong));
}

TEST_CASE("a line that is no event is refused") {
    for (const char* line :
         {"", "[]", "null", "{", "{}", R"({"event":7})", R"({"event":"maybe"})",
          R"({"event":"drop","pid":-1})", R"({"event":"drop","pid":4294967296})",
          R"({"event":"drop","src_port":65536})", R"({"event":"drop","src":"10.0.0"})",
          R"({"event":"drop","exfil":1})", R"({"event":"drop","repeats":0})",
          R"({"event":"drop","ts":"2026-02-30T00:00:00.000000Z"})",
          R"({"event":"drop","ts":"yesterday"})", R"({"event":"drop","comm":["a"]})",
          R"({"event":"lost","reason":"no-rule"})"}) {
        INFO(line);
        CHECK_FALSE(event_from_json(line));
    }
}

TEST_CASE("keys that are not known are passed over, edges of numbers are kept") {
    const auto event = event_from_json(
        R"({"event":"drop","novel":{"a":[1]},"pid":4294967295,"src_port":65535,"dst_port":0})");
    REQUIRE(event);
    CHECK(event->pid == 4294967295u);
    CHECK(event->src_port == 65535);
    CHECK(event->dst_port == 0);
}
