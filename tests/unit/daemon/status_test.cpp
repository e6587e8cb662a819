// SPDX-License-Identifier: Apache-2.0
#include "daemon/status.h"
#include "support/statuses.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

TEST_CASE("the status is what the manual shows, key by key and in its order") {
    CHECK(
        to_json(some_status()).dump() ==
        R"({"state":"protected","why":null,"mode":"enforce","generation":3,"trial":null,)"
        R"("policy":{"file":"/etc/sallyport/policy.toml","sha256":"0123456789abcdef","applied":"2026-01-02T03:04:05Z","by":"root"},)"
        R"("hooks":[{"hook":"xdp","iface":"eth0","mode":"native","attached":true,"admitted":8123,"dropped":45,"admitted_bytes":9000,"dropped_bytes":2700},)"
        R"({"hook":"connect","iface":null,"mode":null,"attached":false,"admitted":0,"dropped":0,"admitted_bytes":0,"dropped_bytes":0}],)"
        R"("reasons":{"malformed":5,"no-rule":40},)"
        R"("rules":[{"name":"ssh","direction":"ingress","admitted":12,"limited":0,"bytes":8811,"denied":0}],)"
        R"("flows":{"entries":12,"max":262144,"refused":0},"cookies":{"sent":0,"taken":0},"challenges":{"sent":0,"lost":0},"answers":{"heard":0,"lost":0},"bans":{"active":0},"jails":[],)"
        R"("events":{"sent":31,"folded":14,"lost":0,"lost_by":{"over-rate":0,"ring-full":0},"captures_lost":0},"packet_sockets":null,"version":null,"waiting":[],"blind":["af-xdp"]})");
}

TEST_CASE("the status lists who holds packet sockets") {
    const auto sockets = to_json(with_sockets())["packet_sockets"];
    REQUIRE(sockets.size() == 2);
    CHECK(sockets[0].dump() ==
          R"({"pid":4242,"comm":"tcpdump","exe":"/usr/bin/tcpdump","uid":0,"cgroup":"/user.slice",)"
          R"("unit":null,"family":"packet","ethertype":"0x0003","iface":"eth0","netns":"host",)"
          R"("qdisc_bypass":true})");
}

TEST_CASE("of an empty status every key is there all the same") {
    const auto object = to_json(StatusView{});
    for (const char* key :
         {"state", "why", "mode", "generation", "trial", "policy", "hooks", "reasons", "rules",
          "flows", "bans", "events", "packet_sockets", "blind"})
        CHECK(object.contains(key));
    CHECK(object["hooks"].is_array());
    CHECK(object["rules"].is_array());
    CHECK(object["reasons"].is_object());
    CHECK(object["blind"].is_array());
    CHECK(object["state"] == "not-protected");
}

TEST_CASE("a status is read back as it was written") {
    StatusView looked = some_status();
    looked.packet_sockets.emplace();
    looked.version = "0.0.9";
    for (const StatusView& status : {some_status(), StatusView{}, looked, with_sockets()}) {
        const auto again = status_from_json(json::parse(to_json(status).dump()));
        REQUIRE(again);
        CHECK(*again == status);
    }
    CHECK(status_from_json(json::object()).has_value());
}

TEST_CASE("a status of another shape is an error and no crash") {
    for (const char* text : {"[]", "7", R"({"hooks":7})", R"({"hooks":[7]})", R"({"state":7})",
                             R"({"reasons":{"a":"b"}})", R"({"flows":[]})", R"({"generation":"x"})",
                             R"({"events":[]})", R"({"blind":[1]})", R"({"packet_sockets":[7]})"}) {
        INFO(text);
        CHECK_FALSE(status_from_json(json::parse(text)));
    }
}
