// SPDX-License-Identifier: Apache-2.0
#include "event/text.h"
#include "support/events.h"
#include "support/golden.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

std::string plain(const Event& event) {
    return to_text(event, Colour::never, Zone::utc);
}

std::vector<Event> a_busy_minute() {
    std::vector<Event> events{exfil_attempt(), refused_syn(),
                              refused_syn("2001:db8:1:2:3:4:5:6", 11434)};
    events.push_back(refused_syn("10.0.0.10"));
    events.back().kind = EventKind::opened;
    events.back().reason = 0;
    events.back().rule = "ssh";
    events.push_back(refused_syn("10.0.0.99"));
    events.back().kind = EventKind::would_drop;
    events.back().reason = SP_REASON_NO_FLOW;
    events.back().tcp_flags = 16;
    events.back().repeats = 3;
    events.push_back(exfil_attempt());
    events.back().container = std::string(64, 'c');
    events.back().reason = SP_REASON_DENIED;
    events.back().rule = "no telnet to data";
    events.back().exfil = false;
    events.push_back(refused_syn("fd00:99::1"));
    events.back().proto = 58;
    events.back().src_port = events.back().dst_port = std::nullopt;
    events.back().tcp_flags = std::nullopt;
    events.back().icmp_type = 128;
    events.back().icmp_code = 0;
    events.push_back({});
    events.back().at = some_time();
    events.back().direction = SP_INGRESS;
    events.back().reason = SP_REASON_ETHERTYPE;
    events.back().ethertype = 0x88cc;
    events.back().iface = "eth0";
    for (const LostBy by : {LostBy::ring_full, LostBy::over_rate, LostBy::slow_reader,
                            LostBy::log_file, LostBy::journal})
        events.push_back(lost_events(by, by == LostBy::ring_full ? 1 : 12));
    events.push_back({});
    events.back().at = some_time();
    events.back().kind = EventKind::policy;
    events.back().state = EventState::applied;
    events.back().generation = 4;
    events.back().file = "/etc/sallyport/policy.toml";
    events.back().sha256 = std::string(64, 'a');
    events.push_back({});
    events.back().at = some_time();
    events.back().kind = EventKind::hook;
    events.back().state = EventState::restored;
    events.back().hook = SP_HOOK_XDP;
    events.back().iface = "eth0";
    for (const std::uint16_t family : {std::uint16_t{17}, std::uint16_t{44}}) {
        events.push_back({});
        events.back().at = some_time();
        events.back().direction = SP_EGRESS;
        events.back().hook = SP_HOOK_SOCKET;
        events.back().reason = SP_REASON_PACKET_SOCKET;
        events.back().socket_family = family;
        events.back().pid = 4242;
        events.back().comm = "tcpdump";
        events.back().unit = "dump.service";
    }
    events.push_back(events.back());
    events.back().kind = EventKind::socket;
    events.back().state = EventState::found;
    events.back().reason = 0;
    events.back().socket_family = 17;
    events.back().qdisc_bypass = true;
    events.back().iface = "eth0";
    events.push_back(exfil_attempt());
    events.back().container = std::string(64, 'c');
    events.back().container_name = "rag";
    events.back().gpus = {"nvidia0", "nvidiactl"};
    events.push_back(exfil_attempt());
    events.back().slurm_job = "123";
    for (const EventState state : {EventState::begins, EventState::ends}) {
        events.push_back(refused_syn());
        events.back().kind = EventKind::limit;
        events.back().state = state;
        events.back().reason = 0;
        events.back().rule = "ollama";
        events.back().network = prefix_of(*events.back().src, 128);
        events.back().count = state == EventState::ends ? 17 : 0;
    }
    events.push_back(refused_syn());
    events.back().kind = static_cast<EventKind>(99);
    events.push_back(exfil_attempt());
    events.back().dst_name = "api.example.com";
    events.push_back(refused_syn());
    events.back().src_name = "client.example";
    return events;
}

} // namespace

TEST_CASE("a busy minute reads as the golden file has it") {
    std::string lines;
    for (const Event& event : a_busy_minute()) lines += plain(event) + '\n';
    CHECK(lines == golden("event/text.txt", lines));
}

TEST_CASE("with colours the same words stand there") {
    for (const Event& event : a_busy_minute()) {
        const std::string coloured = to_text(event, Colour::always, Zone::utc);
        std::string stripped;
        for (std::size_t at = 0; at < coloured.size(); ++at) {
            if (coloured[at] == '\033')
                at = coloured.find('m', at);
            else
                stripped += coloured[at];
        }
        CHECK(coloured != stripped);
        CHECK(stripped == plain(event));
    }
}

TEST_CASE("without colours there is no escape sequence") {
    for (const Event& event : a_busy_minute())
        CHECK(plain(event).find('\033') == std::string::npos);
}

TEST_CASE("names that others chose cannot forge a line or steer the terminal") {
    const std::string evil = "a\n03:04:05 DROP\r\033[2J\x9b\xff\u202e\x07";
    std::vector<Event> events(4, exfil_attempt());
    events[0].comm = events[0].unit = events[0].rule = events[0].iface = evil;
    events[1].unit.clear();
    events[1].cgroup = evil;
    events[2].kind = EventKind::policy;
    events[2].file = events[2].detail = events[2].sha256 = evil;
    events[3].kind = EventKind::hook;
    events[3].detail = events[3].iface = evil;
    for (const Event& event : events) {
        const std::string line = plain(event);
        for (const char byte : line) CHECK(static_cast<unsigned char>(byte) >= 0x20);
        for (const char* part : {"\x9b", "\xff", "\u202e", "\x7f"})
            CHECK(line.find(part) == std::string::npos);
        CHECK(line.find("\\x0a") != std::string::npos);
    }
}

TEST_CASE("an exfiltration attempt is marked, and nothing else is") {
    CHECK(plain(exfil_attempt()).ends_with("EXFIL"));
    Event event = exfil_attempt();
    event.exfil = false;
    CHECK(plain(event).find("EXFIL") == std::string::npos);
}

TEST_CASE("a process that ended before its name was known is shown by its number") {
    Event event = exfil_attempt();
    event.comm.clear();
    CHECK(plain(event).find("python3.11[4242]") != std::string::npos);
    event.exe.clear();
    CHECK(plain(event).find("pid[4242]") != std::string::npos);
    event.pid.reset();
    CHECK(plain(event).find("4242") == std::string::npos);
}
