// SPDX-License-Identifier: Apache-2.0
#include "event/filter.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

namespace {

EventFilter filter(const FilterText& text) {
    const auto parsed = parse_filter(text);
    REQUIRE(parsed);
    return *parsed;
}

FilterText with_src(std::vector<std::string> src) {
    FilterText text;
    text.src = std::move(src);
    return text;
}

} // namespace

TEST_CASE("an empty filter takes everything") {
    CHECK(EventFilter{}.is_empty());
    CHECK(matches({}, exfil_attempt()));
    CHECK(matches({}, Event{}));
}

TEST_CASE("each field lets through what it names and nothing else") {
    const auto check = [](const FilterText& yes, const FilterText& no) {
        CHECK(matches(filter(yes), exfil_attempt()));
        CHECK_FALSE(matches(filter(no), exfil_attempt()));
    };
    FilterText yes, no;
    yes.reasons = {"bogon", "no-rule"}, no.reasons = {"bogon"};
    check(yes, no);
    yes = no = {};
    yes.dst = {"203.0.113.9"}, no.dst = {"203.0.113.8"};
    check(yes, no);
    yes = no = {};
    yes.src = {"10.0.0.0/8"}, no.src = {"10.0.0.0/24"};
    check(yes, no);
    yes = no = {};
    yes.ports = {"443"}, no.ports = {"442"};
    check(yes, no);
    yes = no = {};
    yes.ports = {"44512"}, no.ports = {"0"};
    check(yes, no);
    yes = no = {};
    yes.directions = {"egress"}, no.directions = {"ingress", "forward"};
    check(yes, no);
}

TEST_CASE("a rule's name must be the whole name") {
    Event event = exfil_attempt();
    event.rule = "ssh";
    FilterText text;
    text.rules = {"ssh"};
    CHECK(matches(filter(text), event));
    event.rule = "ssh2";
    CHECK_FALSE(matches(filter(text), event));
    event.rule = "";
    CHECK_FALSE(matches(filter(text), event));
}

TEST_CASE("only exfiltration attempts pass when they alone are asked for") {
    FilterText text;
    text.exfil = true;
    CHECK(matches(filter(text), exfil_attempt()));
    CHECK_FALSE(matches(filter(text), refused_syn()));
}

TEST_CASE("fields must all match") {
    FilterText text;
    text.reasons = {"no-rule"};
    text.ports = {"22"};
    CHECK_FALSE(matches(filter(text), exfil_attempt()));
    CHECK(matches(filter(text), refused_syn()));
}

TEST_CASE("a network takes its first and last address, in both families") {
    const EventFilter v4 = filter(with_src({"192.0.2.64/26"}));
    CHECK(matches(v4, refused_syn("192.0.2.64")));
    CHECK(matches(v4, refused_syn("192.0.2.127")));
    CHECK_FALSE(matches(v4, refused_syn("192.0.2.63")));
    CHECK_FALSE(matches(v4, refused_syn("192.0.2.128")));
    const EventFilter v6 = filter(with_src({"fd00:2:0:1::/64"}));
    CHECK(matches(v6, refused_syn("fd00:2:0:1::")));
    CHECK(matches(v6, refused_syn("fd00:2:0:1:ffff:ffff:ffff:ffff")));
    CHECK_FALSE(matches(v6, refused_syn("fd00:2:0:2::")));
    CHECK_FALSE(matches(filter(with_src({"::/0"})), refused_syn("192.0.2.64")));
}

TEST_CASE("an event without the fact that is asked for does not match") {
    Event event;
    CHECK_FALSE(matches(filter(with_src({"0.0.0.0/0", "::/0"})), event));
    FilterText text;
    text.directions = {"ingress"};
    CHECK_FALSE(matches(filter(text), event));
    text = {};
    text.ports = {"0"};
    CHECK_FALSE(matches(filter(text), event));
}

TEST_CASE("lost events reach every reader, policy switches only those without a filter") {
    FilterText text;
    text.exfil = true;
    CHECK(matches(filter(text), lost_events(LostBy::ring_full, 3)));
    Event event;
    event.kind = EventKind::policy;
    CHECK_FALSE(matches(filter(text), event));
    CHECK(matches({}, event));
}

TEST_CASE("what makes no sense is refused and a near name offered") {
    FilterText text;
    text.reasons = {"no-rules"};
    const auto reason = parse_filter(text);
    REQUIRE_FALSE(reason);
    CHECK(reason.error().hint.find("no-rule") != std::string::npos);
    for (const char* port : {"65536", "-1", "", "22x", "ssh"}) {
        text = {};
        text.ports = {port};
        CHECK_FALSE(parse_filter(text));
    }
    CHECK_FALSE(parse_filter(with_src({"10.0.0"})));
    CHECK_FALSE(parse_filter(with_src({"10.0.0.0/33"})));
    text = {};
    text.directions = {"in"};
    CHECK_FALSE(parse_filter(text));
    text = {};
    text.rules = std::vector<std::string>(1000, "a");
    CHECK_FALSE(parse_filter(text));
}

TEST_CASE("a filter travels as JSON and arrives the same") {
    FilterText text;
    text.reasons = {"no-rule", "bogon"};
    text.rules = {"ssh"};
    text.src = {"10.0.0.0/8", "fd00::/8"};
    text.dst = {"203.0.113.9"};
    text.ports = {"0", "65535"};
    text.directions = {"ingress", "forward"};
    text.exfil = true;
    const EventFilter sent = filter(text);
    const auto arrived = filter_from_json(filter_to_json(sent));
    REQUIRE(arrived);
    CHECK(*arrived == sent);
    const auto empty = filter_from_json(json::object());
    REQUIRE(empty);
    CHECK(empty->is_empty());
}

TEST_CASE("a request may name one value without a list") {
    const auto parsed = filter_from_json({{"port", 22}, {"reason", "bogon"}});
    REQUIRE(parsed);
    CHECK(parsed->ports == std::vector<std::uint16_t>{22});
    CHECK(parsed->reasons == std::vector<std::uint8_t>{SP_REASON_BOGON});
}

TEST_CASE("a request of another shape is refused") {
    for (const char* text :
         {"[]", "null", "7", R"({"reasons":["bogon"]})", R"({"reason":[["bogon"]]})",
          R"({"port":[-1]})", R"({"port":[1.5]})", R"({"exfil":"yes"})", R"({"src":{}})"}) {
        INFO(text);
        CHECK_FALSE(filter_from_json(json::parse(text)));
    }
}
