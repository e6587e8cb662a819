// SPDX-License-Identifier: Apache-2.0
#include "daemon/seen_names.h"
#include "sallyport/abi/answer.h"
#include "support/dns_message.h"
#include "support/events.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

constexpr SeenNames::Time kNow{std::chrono::hours(1)};

DnsAnswer answer(std::string_view name, std::string_view address, std::chrono::seconds lives = 1h) {
    return {.name = std::string(name), .found = {{.address = addr(address), .lives = lives}}};
}

sp_answer record_of(const DnsMessage& message) {
    sp_answer record{};
    record.at_ns = static_cast<std::uint64_t>(kNow.time_since_epoch() / 1ns);
    record.len = record.whole = static_cast<__u32>(message.bytes().size());
    std::ranges::copy(message.bytes(), record.bytes);
    return record;
}

} // namespace

TEST_CASE("an address has the name that it was last looked up by") {
    SeenNames names;
    CHECK(names.name_of(addr("203.0.113.9"), kNow).empty());
    names.learn(answer("api.example.com", "203.0.113.9"), kNow);
    names.learn(answer("api.example.com", "2001:db8::9"), kNow);
    CHECK(names.name_of(addr("203.0.113.9"), kNow) == "api.example.com");
    CHECK(names.name_of(addr("2001:db8::9"), kNow) == "api.example.com");
    CHECK(names.name_of(addr("203.0.113.10"), kNow).empty());
    names.learn(answer("cdn.example", "203.0.113.9"), kNow);
    CHECK(names.name_of(addr("203.0.113.9"), kNow) == "cdn.example");
    CHECK(names.size() == 2);
    names.forget_all();
    CHECK(names.name_of(addr("2001:db8::9"), kNow).empty());
    names.learn(answer("api.example.com", "203.0.113.9"), kNow);
    CHECK(names.size() == 1);
}

TEST_CASE("a name is kept for its time to live, but for ten minutes at least and a day at most") {
    SeenNames names;
    names.learn(answer("short.example", "10.0.0.1", 5s), kNow);
    names.learn(answer("hour.example", "10.0.0.2", 1h), kNow);
    names.learn(answer("ever.example", "10.0.0.3", std::chrono::seconds(INT32_MAX)), kNow);
    CHECK_FALSE(names.name_of(addr("10.0.0.1"), kNow + 599s).empty());
    CHECK(names.name_of(addr("10.0.0.1"), kNow + 600s).empty());
    CHECK_FALSE(names.name_of(addr("10.0.0.2"), kNow + 3599s).empty());
    CHECK(names.name_of(addr("10.0.0.2"), kNow + 1h).empty());
    CHECK_FALSE(names.name_of(addr("10.0.0.3"), kNow + 24h - 1s).empty());
    CHECK(names.name_of(addr("10.0.0.3"), kNow + 24h).empty());
    names.learn(answer("short.example", "10.0.0.1", 5s), kNow + 590s);
    CHECK_FALSE(names.name_of(addr("10.0.0.1"), kNow + 1100s).empty());
}

TEST_CASE("when there is no room, what was learned first is forgotten, and what is renewed stays") {
    SeenNames names({.addresses = 3, .of_a_name = 2});
    for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
        names.learn(answer(fmt::format("n{}.example", address), address), kNow);
    names.learn(answer("n10.0.0.1.example", "10.0.0.1"), kNow);
    names.learn(answer("new.example", "10.0.0.4"), kNow);
    CHECK(names.size() == 3);
    CHECK_FALSE(names.name_of(addr("10.0.0.1"), kNow).empty());
    CHECK(names.name_of(addr("10.0.0.2"), kNow).empty());
    CHECK_FALSE(names.name_of(addr("10.0.0.3"), kNow).empty());
    CHECK_FALSE(names.name_of(addr("10.0.0.4"), kNow).empty());
}

TEST_CASE("a name of ever more addresses takes the place of its own, not of others") {
    SeenNames names({.addresses = 100, .of_a_name = 4});
    names.learn(answer("good.example", "10.1.0.1"), kNow);
    for (int i = 0; i < 1000; ++i)
        names.learn(answer("flood.example", fmt::format("10.2.{}.{}", i / 250, i % 250)), kNow);
    CHECK(names.size() == 5);
    CHECK(names.name_of(addr("10.1.0.1"), kNow) == "good.example");
    CHECK(names.name_of(addr("10.2.3.249"), kNow) == "flood.example");
    CHECK(names.name_of(addr("10.2.3.245"), kNow).empty());
}

TEST_CASE("a record of the ring teaches as of when it was written; a bad one nothing") {
    SeenNames names;
    sp_answer record =
        record_of(DnsMessage("api.example.com").a("api.example.com", 5, {203, 0, 113, 9}));
    names.take_record(std::as_bytes(std::span(&record, 1)));
    CHECK(names.name_of(addr("203.0.113.9"), kNow + 599s) == "api.example.com");
    CHECK(names.name_of(addr("203.0.113.9"), kNow + 601s).empty());
    names.forget_all();
    names.take_record(std::as_bytes(std::span(&record, 1)).first(100));
    record.len -= 1;
    names.take_record(std::as_bytes(std::span(&record, 1)));
    CHECK(names.size() == 0);
    record.len = 0xffffffff;
    names.take_record(std::as_bytes(std::span(&record, 1)));
    CHECK(names.size() == 1);
}
