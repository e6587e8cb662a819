// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events of every kind, for the tests of what shows, folds and carries them.
#include "event/event.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"

namespace sallyport::test {

inline Address addr(std::string_view text) {
    const auto address = parse_address(text);
    SP_CHECK(address.has_value());
    return *address;
}

// 2026-01-02T03:04:05.678901Z
inline WallTime some_time() {
    using namespace std::chrono;
    return WallTime{sys_days{year{2026} / January / 2}} + hours{3} + minutes{4} + seconds{5} +
           microseconds{678901};
}

// The example of the manual: a refused way out, seen at connect.
inline Event exfil_attempt() {
    Event event;
    event.seq = 8812;
    event.at = some_time();
    event.host = "gpu-07";
    event.kind = EventKind::drop;
    event.direction = SP_EGRESS;
    event.reason = SP_REASON_NO_RULE;
    event.exfil = true;
    event.proto = 6;
    event.src = addr("10.0.1.5");
    event.src_port = 44512;
    event.dst = addr("203.0.113.9");
    event.dst_port = 443;
    event.tcp_flags = 2;
    event.len = 60;
    event.iface = "eth0";
    event.hook = SP_HOOK_CONNECT;
    event.pid = 4242;
    event.comm = "python3";
    event.exe = "/usr/bin/python3.11";
    event.uid = 1001;
    event.cgroup = "/system.slice/ollama.service";
    event.unit = "ollama.service";
    event.repeats = 17;
    event.generation = 3;
    return event;
}

// A stranger's SYN that no rule takes.
inline Event refused_syn(std::string_view from = "192.0.2.7", std::uint16_t to_port = 22) {
    Event event;
    event.at = some_time();
    event.kind = EventKind::drop;
    event.direction = SP_INGRESS;
    event.reason = SP_REASON_NO_RULE;
    event.proto = 6;
    event.src = addr(from);
    event.src_port = 50000;
    event.dst = addr(from.find(':') == std::string_view::npos ? "10.0.1.5" : "fd00:10::5");
    event.dst_port = to_port;
    event.tcp_flags = 2;
    event.len = 60;
    event.iface = "eth0";
    event.hook = SP_HOOK_XDP;
    event.generation = 3;
    return event;
}

inline Event lost_events(LostBy by, std::uint64_t count) {
    Event event;
    event.at = some_time();
    event.kind = EventKind::lost;
    event.lost_by = by;
    event.count = count;
    return event;
}

} // namespace sallyport::test
