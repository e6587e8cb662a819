// SPDX-License-Identifier: Apache-2.0
// Every kind of event, in the shapes of others.
#include "event/formats.h"
#include "support/events.h"
#include "support/shape.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

namespace {

Event full(EventKind kind) {
    Event event = exfil_attempt();
    event.kind = kind;
    event.rule = "postgres";
    event.src_name = "client.example";
    event.dst_name = "api.example.com";
    event.container = std::string(64, 'c');
    event.cmdline = "python3 -c 'a b\x1b'";
    event.ppid = 7;
    event.parent = "sh";
    event.user = "ml";
    event.slice = "system.slice";
    event.container_name = "rag";
    event.slurm_job = "123";
    event.slurm_step = "0";
    event.gpus = {"nvidia0", "nvidiactl"};
    event.icmp_type = 3;
    event.icmp_code = 1;
    event.ethertype = 0x800;
    event.detail = "a word\x1b[2J, \xff and caf\xc3\xa9";
    event.comm = "py\x7fth\non";
    event.network = Prefix{.base = addr("203.0.113.0"), .length = 120};
    event.origin = "jail:web";
    event.seconds = 60;
    event.count = 12;
    event.state = EventState::begins;
    event.file = "/etc/sallyport/policy.toml";
    event.sha256 = std::string(64, 'a');
    event.qdisc_bypass = true;
    event.socket_family = 17;
    return event;
}

std::vector<Event> all_kinds() {
    std::vector<Event> all{refused_syn(), refused_syn("fd00:99::1"), exfil_attempt(),
                           lost_events(LostBy::ring_full, 4)};
    for (const EventKind kind :
         {EventKind::drop, EventKind::would_drop, EventKind::opened, EventKind::lost,
          EventKind::policy, EventKind::hook, EventKind::ban, EventKind::unban, EventKind::limit,
          EventKind::socket, EventKind{77}, EventKind{999}}) {
        all.push_back(full(kind));
        Event bare;
        bare.at = some_time();
        bare.kind = kind;
        all.push_back(bare);
        for (const std::uint8_t proto : std::to_array<std::uint8_t>({1, 17, 47, 58, 132, 255})) {
            all.push_back(refused_syn("fd00:99::1"));
            all.back().kind = kind;
            all.back().proto = proto;
            all.back().direction = SP_FORWARD;
        }
    }
    return all;
}

json line_of(const Event& event, EventFormat format) {
    const std::string line = to_line(event, format);
    CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    return json::parse(line);
}

void check_shape(const json& value, const std::string& name) {
    for (const std::string& wrong : misfits(value, published_shape(name))) {
        INFO(value.dump(2));
        FAIL_CHECK(wrong);
    }
}

} // namespace

TEST_CASE("every event has the published shape of EVE") {
    for (const Event& event : all_kinds()) check_shape(line_of(event, EventFormat::eve), "eve");
    json line = line_of(exfil_attempt(), EventFormat::eve);
    Event named = exfil_attempt();
    named.dst_name = "api.example.com";
    CHECK(line_of(named, EventFormat::eve)["metadata"]["flowvars"][1] ==
          json{{"key", "sallyport.dst_name"}, {"value", "api.example.com"}});
    CHECK(line["timestamp"] == "2026-01-02T03:04:05.678901+0000");
    CHECK(line["event_type"] == "drop");
    CHECK(line["dest_ip"] == "203.0.113.9");
    CHECK(line["drop"]["reason"] == "no-rule");
    CHECK(line["drop"]["syn"] == true);
    CHECK(line["alert"]["action"] == "blocked");
    const auto& variables = line["metadata"]["flowvars"];
    CHECK(std::ranges::find(variables, json{{"key", "sallyport.comm"}, {"value", "python3"}}) !=
          variables.end());
    Event observed = exfil_attempt();
    observed.kind = EventKind::would_drop;
    line = line_of(observed, EventFormat::eve);
    CHECK(line["event_type"] == "alert");
    CHECK(line["alert"]["action"] == "allowed");
}

TEST_CASE("every event has the published shape of ECS") {
    for (const Event& event : all_kinds()) check_shape(line_of(event, EventFormat::ecs), "ecs");
    const json line = line_of(exfil_attempt(), EventFormat::ecs);
    CHECK(line["event"]["kind"] == "alert");
    CHECK(line["event"]["type"] == json{"connection", "denied"});
    CHECK(line["event"]["reason"] == "no-rule");
    CHECK(line["destination"]["ip"] == "203.0.113.9");
    CHECK_FALSE(line["destination"].contains("domain"));
    Event named = exfil_attempt();
    named.dst_name = "api.example.com";
    CHECK(line_of(named, EventFormat::ecs)["destination"]["domain"] == "api.example.com");
    CHECK(line["network"]["transport"] == "tcp");
    CHECK(line["network"]["direction"] == "egress");
    CHECK(line["process"]["executable"] == "/usr/bin/python3.11");
    CHECK(line["observer"]["egress"]["interface"]["name"] == "eth0");
    CHECK(line["sallyport"]["repeats"] == 17);
}

TEST_CASE("every event has the published shape of OCSF") {
    for (const Event& event : all_kinds())
        check_shape(line_of(event, EventFormat::ocsf),
                    is_about_packet(event) ? "ocsf" : "ocsf_base");
    const json line = line_of(exfil_attempt(), EventFormat::ocsf);
    CHECK(line["type_uid"] == 400105);
    CHECK(line["action_id"] == 2);
    CHECK(line["disposition_id"] == 6);
    CHECK(line["time"] == 1767323045678);
    CHECK(line["count"] == 17);
    CHECK(line["src_endpoint"]["interface_name"] == "eth0");
    CHECK(line["dst_endpoint"] == json{{"ip", "203.0.113.9"}, {"port", 443}});
    Event named = exfil_attempt();
    named.dst_name = "api.example.com";
    CHECK(line_of(named, EventFormat::ocsf)["dst_endpoint"]["hostname"] == "api.example.com");
    CHECK(line["actor"]["process"]["file"]["name"] == "python3.11");
    CHECK(line["unmapped"]["reason"] == "no-rule");
}

TEST_CASE("the check of shapes finds what does not fit") {
    const json shape =
        json::parse(R"({"type":"object","required":["a"],"additionalProperties":false,
        "atLeastOne":["b","c"],"properties":{"a":{"type":"integer","enum":[1,2]},
        "b":{"type":"array","items":{"type":"string","pattern":"^x"}}}})");
    const auto count = [&](const char* text) { return misfits(json::parse(text), shape).size(); };
    CHECK(count(R"({"a":1,"b":["x"]})") == 0);
    CHECK(count(R"({"b":["x"]})") == 1);
    CHECK(count(R"({"a":3,"b":["x"]})") == 1);
    CHECK(count(R"({"a":"1","b":["x"]})") == 1);
    CHECK(count(R"({"a":1,"b":["y",7]})") == 2);
    CHECK(count(R"({"a":1})") == 1);
    CHECK(count(R"({"a":1,"b":[],"d":0})") == 1);
    CHECK(count("[]") == 1);
}
