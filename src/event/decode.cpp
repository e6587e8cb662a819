// SPDX-License-Identifier: Apache-2.0
// Copies the record out of the ring before looking at it: the ring gives no alignment.
#include "event/decode.h"

#include "sallyport/abi/event.h"

#include <cstring>
#include <fmt/format.h>

namespace sallyport {
namespace {

Address address_of(const sp_addr& addr) {
    Address address;
    std::memcpy(address.bytes.data(), addr.bytes, address.bytes.size());
    return address;
}

void take_packet(Event& event, const sp_event& record) {
    const bool has_addresses = (record.flags & SP_EVENT_HAS_ADDRS) != 0;
    if (has_addresses) {
        event.src = address_of(record.src);
        event.dst = address_of(record.dst);
    }
    if (has_addresses || record.proto != 0) event.proto = record.proto;
    if ((record.flags & SP_EVENT_HAS_PORTS) != 0) {
        event.src_port = record.src_port;
        event.dst_port = record.dst_port;
    }
    if ((record.flags & SP_EVENT_HAS_ICMP) != 0) {
        event.icmp_type = record.icmp_type;
        event.icmp_code = record.icmp_code;
    }
    if ((record.flags & SP_EVENT_HAS_FLAGS) != 0) event.tcp_flags = record.tcp_flags;
    event.ethertype = record.ethertype;
    event.len = record.len;
    event.ifindex = record.ifindex;
    event.socket_family = record.socket_family;
}

void take_owner(Event& event, const sp_event& record) {
    if ((record.flags & SP_EVENT_HAS_OWNER) == 0) return;
    if (record.pid != 0) event.pid = record.pid;
    event.uid = record.uid;
    event.cgroup_id = record.cgroup;
    event.comm.assign(record.comm, strnlen(record.comm, sizeof record.comm));
}

} // namespace

Result<Event> decode_event(std::span<const std::byte> record,
                           std::chrono::nanoseconds monotonic_to_wall) {
    sp_event raw{};
    if (record.size() != sizeof raw)
        return fail(ErrorKind::invalid_input,
                    fmt::format("an event of {} bytes, not {}", record.size(), sizeof raw));
    std::memcpy(&raw, record.data(), sizeof raw);
    if (raw.version != SP_LAYOUT)
        return fail(ErrorKind::invalid_input,
                    fmt::format("an event of layout {}, not {}", raw.version, SP_LAYOUT),
                    "the programs in the kernel are of another version; restart the daemon");

    Event event;
    // Unsigned, so that a senseless clock in the record wraps instead of overflowing.
    const auto wall_ns = raw.at_ns + static_cast<std::uint64_t>(monotonic_to_wall.count());
    event.at = WallTime{std::chrono::microseconds{static_cast<std::int64_t>(wall_ns / 1000)}};
    event.stamp = {.at_ns = raw.at_ns, .cpu = raw.cpu};
    event.kind = static_cast<EventKind>(raw.kind);
    event.direction = raw.direction;
    event.reason = raw.reason;
    event.exfil = (raw.flags & SP_EVENT_EXFIL) != 0;
    event.hook = raw.hook;
    event.generation = raw.generation;
    event.rule_number = raw.rule;
    take_packet(event, raw);
    take_owner(event, raw);
    return event;
}

} // namespace sallyport
