// SPDX-License-Identifier: Apache-2.0
#include "jail/jail.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;
using namespace std::chrono;

namespace {

const LogTime kNow = sys_days(year(2026) / 3 / 10) + hours(12);

JailSettings settings() {
    JailSettings made;
    made.name = "t";
    made.filter.name = "t";
    made.filter.failregex.push_back({"^fail from <SUBNET>$", {}, "failregex", 1});
    made.max_retry = 3;
    made.find_time = seconds(60);
    return made;
}
PeerSet peers(const char* network) {
    PeerPart part;
    part.networks =
        std::make_shared<const std::vector<Prefix>>(std::vector<Prefix>{*parse_prefix(network)});
    return PeerSet{.parts = {part}};
}
Jail jail_of(const JailSettings& made, std::vector<Address> own = {}) {
    auto jail = Jail::make(made, std::move(own));
    REQUIRE(jail.has_value());
    return std::move(*jail);
}
std::string fate(Jail& jail, const std::string& who, LogTime at = kNow, LogTime now = kNow) {
    const LineResult result = jail.take("fail from " + who, now, at);
    std::string text = result.told.empty() ? "missed" : to_string(result.told[0].fate);
    for (const BanRequest& ban : result.bans) text += " " + to_string(ban.source);
    return text;
}

} // namespace

TEST_CASE("the failure that reaches max-retry within find-time bans, and counting begins anew") {
    Jail jail = jail_of(settings());
    CHECK(fate(jail, "192.0.2.1") == "counted");
    CHECK(fate(jail, "192.0.2.1") == "counted");
    CHECK(fate(jail, "192.0.2.2") == "counted");
    CHECK(fate(jail, "192.0.2.1") == "banned 192.0.2.1");
    CHECK(fate(jail, "192.0.2.1") == "counted");
}

TEST_CASE("failures further apart than find-time do not add up") {
    Jail jail = jail_of(settings());
    CHECK(fate(jail, "192.0.2.1", kNow - seconds(59)) == "counted");
    CHECK(fate(jail, "192.0.2.1", kNow) == "counted");
    CHECK(fate(jail, "192.0.2.1", kNow + seconds(2), kNow + seconds(2)) == "counted");
    CHECK(fate(jail, "192.0.2.1", kNow + seconds(60), kNow + seconds(60)) == "banned 192.0.2.1");
}

TEST_CASE("what is longer ago than find-time does not count, and a time to come is now") {
    Jail jail = jail_of(settings());
    CHECK(fate(jail, "192.0.2.1", kNow - seconds(61)) == "too-old");
    for (int i = 0; i < 2; ++i) CHECK(fate(jail, "192.0.2.1", kNow + hours(5)) == "counted");
    CHECK(fate(jail, "192.0.2.1", kNow) == "banned 192.0.2.1");
}

TEST_CASE("a line of a live log that is dated otherwise is taken as of now, unless the journal "
          "dates it") {
    Jail jail = jail_of(settings());
    const std::string old = "2026-03-10 10:00:00 +0000 fail from 192.0.2.1";
    JailSettings dated = settings();
    dated.filter.failregex[0].text = "fail from <SUBNET>$";
    Jail reading = jail_of(dated);
    CHECK(reading.take(old, kNow).told.at(0).fate == Fate::too_old);
    reading.go_live();
    CHECK(reading.take(old, kNow).told.at(0).fate == Fate::counted);
    CHECK(reading.take("2026-03-10 14:00:00 +0000 fail from 192.0.2.1", kNow).told.at(0).failures ==
          2);
    CHECK(reading.counters().odd_times == 2);
    CHECK(reading.take("2026-03-10 11:59:30 +0000 fail from 192.0.2.2", kNow + seconds(20))
              .told.at(0)
              .failures == 1);
    CHECK(reading.counters().odd_times == 2);
    jail.go_live();
    CHECK(fate(jail, "192.0.2.1", kNow - hours(2)) == "too-old");
}

TEST_CASE("of what was there before, a line counts only when it says when it was written") {
    JailSettings dated = settings();
    dated.filter.failregex[0].text = "fail from <SUBNET>$";
    Jail jail = jail_of(dated);
    const std::string undated = "fail from 192.0.2.1";
    const std::string ahead = "2026-03-10 14:00:00 +0000 fail from 192.0.2.2";
    for (const std::string& line : {ahead, undated})
        CHECK(jail.take(line, kNow).told.at(0).fate == Fate::too_old);
    const std::string now = "2026-03-10 12:00:30 +0000 fail from 192.0.2.3"; // within the minute
    CHECK(jail.take(now, kNow).told.at(0).fate == Fate::counted);
    jail.go_live();
    for (const std::string& line : {ahead, undated})
        CHECK(jail.take(line, kNow).told.at(0).fate == Fate::counted);
}

TEST_CASE("two jails are the same wherever they were written, and not when one value differs") {
    const JailSettings one = settings();
    JailSettings other = settings();
    other.origin = {"/elsewhere", 7};
    other.filter.failregex[0].origin = {"/elsewhere", 8};
    other.ignored = peers("192.0.2.0/24");
    JailSettings same = other;
    same.ignored = peers("192.0.2.0/24"); // another list that holds the same
    CHECK(is_same(other, same));
    CHECK_FALSE(is_same(one, other));
    other.ignored = {};
    CHECK(is_same(one, other));
    other.filter.failregex[0].text += "x";
    CHECK_FALSE(is_same(one, other));
    other = settings();
    other.filter.prefregex = Pattern{"x", {}, "prefregex", 1};
    CHECK_FALSE(is_same(one, other));
    other = settings();
    other.ban_time.reset();
    CHECK_FALSE(is_same(one, other));
    other = settings();
    other.logs.push_back({.glob = "/var/log/x"});
    CHECK_FALSE(is_same(one, other));
}

TEST_CASE("an IPv6 source is its /64, unless somebody in there is spared") {
    Jail jail = jail_of(settings());
    CHECK(fate(jail, "2001:db8::1") == "counted");
    CHECK(fate(jail, "2001:db8::2") == "counted");
    CHECK(fate(jail, "2001:db8::ffff:3") == "banned 2001:db8::/64");
    JailSettings sparing = settings();
    sparing.ignored = peers("2001:db8::9");
    Jail careful = jail_of(sparing);
    CHECK(fate(careful, "2001:db8::9") == "spared");
    CHECK(fate(careful, "2001:db8::1") == "counted");
    CHECK(fate(careful, "2001:db8::2") == "counted");
    CHECK(fate(careful, "2001:db8::1") == "counted");
    CHECK(fate(careful, "2001:db8::1") == "banned 2001:db8::1");
    JailSettings single = settings();
    single.ipv6_length = 128;
    single.max_retry = 1;
    Jail alone = jail_of(single);
    CHECK(fate(alone, "2001:db8::1") == "banned 2001:db8::1");
}

TEST_CASE("the ignored, this host, and what is nobody's address are spared") {
    JailSettings made = settings();
    made.max_retry = 1;
    made.ignored = peers("198.51.100.0/24");
    Jail jail = jail_of(made, {*parse_address("203.0.113.5"), *parse_address("2001:db8:5::1")});
    for (const char* who :
         {"198.51.100.9", "203.0.113.5", "2001:db8:5::1", "127.0.0.1", "::1", "0.0.0.0",
          "224.0.0.1", "255.255.255.255", "ff02::1", "203.0.113.0/24", "198.51.0.0/16"})
        CHECK(fate(jail, who) == "spared");
    CHECK(fate(jail, "203.0.113.6") == "banned 203.0.113.6");
    CHECK(fate(jail, "2001:db8:5::2") == "banned 2001:db8:5::2"); // this host is in its /64
    made.ignore_self = false;
    Jail harsh = jail_of(made, {*parse_address("203.0.113.5")});
    CHECK(fate(harsh, "203.0.113.5") == "banned 203.0.113.5");
}

TEST_CASE("an exception within an exception is banned") {
    JailSettings made = settings();
    made.max_retry = 1;
    made.ignored = peers("198.51.100.0/24");
    made.ignored.parts[0].except.push_back(std::make_shared<const std::vector<Prefix>>(
        std::vector<Prefix>{*parse_prefix("198.51.100.7")}));
    Jail jail = jail_of(made);
    CHECK(fate(jail, "198.51.100.8") == "spared");
    CHECK(fate(jail, "198.51.100.7") == "banned 198.51.100.7");
}

TEST_CASE("no line bans half of the world") {
    JailSettings made = settings();
    made.max_retry = 1;
    Jail jail = jail_of(made);
    CHECK(fate(jail, "198.0.0.0/8") == "too-wide");
    CHECK(fate(jail, "2001::/16") == "too-wide");
    CHECK(fate(jail, "198.51.0.0/16") == "banned 198.51.0.0/16");
    CHECK(fate(jail, "2001:db8::/32") == "banned 2001:db8::/32");
}

TEST_CASE("a ban says by whom, for how long, after what and because of which line") {
    JailSettings made = settings();
    made.max_retry = 1;
    made.ban_time = std::nullopt;
    Jail jail = jail_of(made);
    const LineResult result = jail.take("fail from 192.0.2.1", kNow, kNow - seconds(5));
    REQUIRE(result.bans.size() == 1);
    const BanRequest& ban = result.bans[0];
    CHECK(ban.jail == "t");
    CHECK(ban.span == std::nullopt);
    CHECK(ban.at == kNow - seconds(5));
    CHECK(ban.failures == 1);
    CHECK(ban.line == "fail from 192.0.2.1");
    CHECK(jail.counters().bans == 1);
    CHECK(jail.counters().matched == 1);
}

TEST_CASE("who comes back is banned for longer, up to the most") {
    const BanGrowth doubled{.on = true, .factor = 1, .multipliers = {}, .most = hours(2)};
    CHECK(ban_time(minutes(10), doubled, 0, 0) == minutes(10));
    CHECK(ban_time(minutes(10), doubled, 1, 0) == minutes(20));
    CHECK(ban_time(minutes(10), doubled, 3, 0) == minutes(80));
    CHECK(ban_time(minutes(10), doubled, 4, 0) == hours(2));
    CHECK(ban_time(minutes(10), doubled, 4000, 0) == hours(2));
    CHECK(ban_time(std::nullopt, doubled, 4, 0) == std::nullopt);
    CHECK(ban_time(minutes(10), BanGrowth{}, 4, 0.5) == minutes(10));
    const BanGrowth listed{
        .on = true, .factor = 2, .multipliers = {1, 5, 30}, .most = {}, .random = seconds(100)};
    CHECK(ban_time(minutes(1), listed, 1, 0) == minutes(10));
    CHECK(ban_time(minutes(1), listed, 9, 0) == minutes(60));
    CHECK(ban_time(minutes(1), listed, 0, 0.5) == seconds(110));

    JailSettings made = settings();
    made.max_retry = 1;
    made.growth = doubled;
    Jail jail = jail_of(made);
    CHECK(jail.take("fail from 192.0.2.1", kNow, kNow).bans.at(0).span == minutes(10));
    CHECK(jail.take("fail from 192.0.2.1", kNow, kNow).bans.at(0).span == minutes(20));
    CHECK(jail.take("fail from 192.0.2.2", kNow, kNow).bans.at(0).span == minutes(10));
    jail.set_earlier_bans(*parse_prefix("192.0.2.3"), 2);
    CHECK(jail.take("fail from 192.0.2.3", kNow, kNow).bans.at(0).span == minutes(40));
}

TEST_CASE("a flood from many sources makes the counter forget the silent, and not grow") {
    FailureCounter counter(3, seconds(600));
    const auto source = [](std::uint32_t i) { return prefix_of(Address::v4(0x0a000000 + i), 128); };
    counter.add(source(0), kNow);
    counter.add(source(1), kNow);
    for (std::uint32_t i = 2; i < FailureCounter::kSourcesMax; ++i) counter.add(source(i), kNow);
    CHECK(counter.sources() == FailureCounter::kSourcesMax);
    CHECK(counter.displaced() == 0);
    CHECK(counter.add(source(0), kNow) == 2); // heard of again: the silent one goes
    counter.add(source(1u << 20), kNow);
    CHECK(counter.sources() == FailureCounter::kSourcesMax);
    CHECK(counter.displaced() == 1);
    CHECK(counter.add(source(0), kNow) == 3);
    CHECK(counter.add(source(1), kNow) == 1);
}

TEST_CASE("many failures of many sources are bounded in number too") {
    FailureCounter counter(1000, seconds(600));
    for (std::uint32_t round = 0; round < 40; ++round)
        for (std::uint32_t i = 0; i < 30'000; ++i)
            counter.add(prefix_of(Address::v4(0x0a000000 + i), 128), kNow);
    CHECK(counter.displaced() > 0);
    CHECK(counter.sources() <= 30'000);
}
