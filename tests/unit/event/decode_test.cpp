// SPDX-License-Identifier: Apache-2.0
#include "event/decode.h"
#include "event/json.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;
using std::chrono::nanoseconds;

namespace {

sp_event some_record() {
    sp_event record{};
    record.at_ns = 5'000'001'999;
    record.version = SP_LAYOUT;
    record.kind = SP_EVENT_DROP;
    record.reason = SP_REASON_NO_RULE;
    record.direction = SP_EGRESS;
    record.hook = SP_HOOK_CONNECT;
    record.proto = 6;
    record.tcp_flags = 2;
    record.src_port = 44512;
    record.dst_port = 443;
    record.icmp_type = 8;
    record.icmp_code = 1;
    record.ifindex = 7;
    record.len = 60;
    record.generation = 3;
    record.rule = 4;
    record.pid = 4242;
    record.uid = 1001;
    record.cgroup = 99;
    std::memcpy(record.comm, "python3", 8);
    std::memcpy(record.src.bytes, addr("10.0.1.5").bytes.data(), 16);
    std::memcpy(record.dst.bytes, addr("2001:db8::9").bytes.data(), 16);
    return record;
}

Result<Event> decode(const sp_event& record) {
    return decode_event(std::as_bytes(std::span(&record, 1)), nanoseconds{1'000'000'000});
}

} // namespace

TEST_CASE("facts are taken from a record only where its flags vouch for them") {
    sp_event record = some_record();
    record.proto = 0;
    const auto bare = decode(record);
    REQUIRE(bare);
    CHECK_FALSE(bare->src);
    CHECK_FALSE(bare->dst);
    CHECK_FALSE(bare->proto);
    CHECK_FALSE(bare->src_port);
    CHECK_FALSE(bare->dst_port);
    CHECK_FALSE(bare->icmp_type);
    CHECK_FALSE(bare->icmp_code);
    CHECK_FALSE(bare->tcp_flags);
    CHECK_FALSE(bare->pid);
    CHECK_FALSE(bare->uid);
    CHECK(bare->comm.empty());
    CHECK(bare->cgroup_id == 0);
    CHECK_FALSE(bare->exfil);

    record.proto = 6;
    record.flags = SP_EVENT_EXFIL | SP_EVENT_HAS_PORTS | SP_EVENT_HAS_ADDRS | SP_EVENT_HAS_OWNER |
                   SP_EVENT_HAS_ICMP | SP_EVENT_HAS_FLAGS;
    const auto full = decode(record);
    REQUIRE(full);
    CHECK(full->src == addr("10.0.1.5"));
    CHECK(full->dst == addr("2001:db8::9"));
    CHECK(full->proto == 6);
    CHECK(full->src_port == 44512);
    CHECK(full->dst_port == 443);
    CHECK(full->icmp_type == 8);
    CHECK(full->icmp_code == 1);
    CHECK(full->tcp_flags == 2);
    CHECK(full->pid == 4242u);
    CHECK(full->uid == 1001u);
    CHECK(full->comm == "python3");
    CHECK(full->cgroup_id == 99);
    CHECK(full->exfil);
    CHECK(full->direction == SP_EGRESS);
    CHECK(full->hook == SP_HOOK_CONNECT);
    CHECK(full->reason == SP_REASON_NO_RULE);
    CHECK(full->ifindex == 7);
    CHECK(full->rule_number == 4);
    CHECK(full->generation == 3);
    CHECK(full->repeats == 1);
}

TEST_CASE("the time of a record is put on the wall clock, cut to microseconds") {
    const auto event = decode(some_record());
    REQUIRE(event);
    CHECK(event->at.time_since_epoch() == std::chrono::microseconds{6'000'001});
}

TEST_CASE("a record of any other length is refused") {
    const sp_event record = some_record();
    std::vector<std::byte> bytes(2 * sizeof record);
    std::memcpy(bytes.data(), &record, sizeof record);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const bool is_event =
            decode_event(std::span(bytes).first(size), nanoseconds{0}).has_value();
        CHECK(is_event == (size == sizeof record));
    }
}

TEST_CASE("a record of another layout is refused") {
    sp_event record = some_record();
    record.version = SP_LAYOUT + 1;
    CHECK_FALSE(decode(record));
    record.version = 0;
    CHECK_FALSE(decode(record));
}

TEST_CASE("a record from an odd address is read all the same") {
    const sp_event record = some_record();
    std::vector<std::byte> bytes(sizeof record + 1);
    std::memcpy(bytes.data() + 1, &record, sizeof record);
    const auto odd = decode_event(std::span(bytes).subspan(1), nanoseconds{1'000'000'000});
    const auto even = decode(record);
    REQUIRE(odd);
    REQUIRE(even);
    CHECK(*odd == *even);
}

TEST_CASE("numbers of a newer program are kept and shown as numbers") {
    sp_event record = some_record();
    record.kind = 200;
    record.reason = 201;
    record.hook = 202;
    record.direction = 203;
    const auto event = decode(record);
    REQUIRE(event);
    CHECK(is_about_packet(*event));
    const std::string line = to_json_line(*event);
    CHECK(line.find("\"event\":\"200\"") != std::string::npos);
    CHECK(line.find("\"reason\":\"201\"") != std::string::npos);
    CHECK(line.find("\"hook\":\"202\"") != std::string::npos);
    CHECK(line.find("\"direction\":\"203\"") != std::string::npos);
}

TEST_CASE("a comm without its zero ends with its field") {
    sp_event record = some_record();
    record.flags = SP_EVENT_HAS_OWNER;
    std::memset(record.comm, 'a', sizeof record.comm);
    const auto event = decode(record);
    REQUIRE(event);
    CHECK(event->comm == std::string(SP_COMM_LEN, 'a'));
}

TEST_CASE("a refused socket has a family, and a packet has none") {
    sp_event record = some_record();
    CHECK(decode(record)->socket_family == 0);
    record.socket_family = 44;
    CHECK(decode(record)->socket_family == 44);
}
