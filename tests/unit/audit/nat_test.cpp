// SPDX-License-Identifier: Apache-2.0
// NAT rules as nft 1.0.6 and iptables 1.8.9 print them.
#include "audit/nat.h"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

std::string ruleset(const std::string& expressions) {
    return fmt::format(R"({{"nftables":[{{"metainfo":{{"version":"1.0.6"}}}},{{"rule":{{"family":)"
                       R"("ip","table":"nat","chain":"pre","handle":2,"expr":[{}]}}}}]}})",
                       expressions);
}
const std::string kTcp80 = R"({"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":)"
                           R"("dport"}},"right":8080}})";

} // namespace

TEST_CASE("a dnat of nft's is read with its port, interface and target") {
    const auto rules = nat_of_nft(
        ruleset(R"({"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth0"}},)" +
                kTcp80 + R"(,{"dnat":{"addr":"172.17.0.2","port":80}})"));
    REQUIRE(rules);
    REQUIRE(rules->published.size() == 1);
    const Publication& one = rules->published[0];
    CHECK(one.proto == kTcp);
    CHECK((one.low == 8080 && one.high == 8080));
    CHECK(one.interface == "eth0");
    CHECK(one.to == parse_address("172.17.0.2"));
    CHECK(one.to_port == 80);
    CHECK(rules->not_understood == 0);
}

TEST_CASE("a redirect has no address, a range both its ends") {
    const auto rules = nat_of_nft(
        ruleset(R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},)"
                R"("right":{"range":[5000,5010]}}},{"redirect":{"port":6000}})"));
    REQUIRE(rules);
    REQUIRE(rules->published.size() == 1);
    CHECK(rules->published[0].proto == kUdp);
    CHECK(rules->published[0].high == 5010);
    CHECK_FALSE(rules->published[0].to);
}

TEST_CASE("what is not understood is counted and publishes nothing") {
    for (const std::string& expressions :
         {R"({"dnat":{"addr":"172.17.0.2","port":80}})" + std::string(), // every port
          kTcp80 + R"(,{"dnat":{"addr":{"map":{"key":1,"data":2}}}})",
          std::string(R"({"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":)"
                      R"("dport"}},"right":{"set":[80,81]}}},{"dnat":{"addr":"172.17.0.2"}})"),
          std::string(R"({"match":{"op":"=="}},{"dnat":{"addr":"172.17.0.2"}})")}) {
        const auto rules = nat_of_nft(ruleset(expressions));
        REQUIRE(rules);
        CHECK(rules->published.empty());
        CHECK(rules->not_understood == 1);
    }
    const auto foreign = nat_of_nft(ruleset(kTcp80 + R"(,{"xt":{"type":"target","name":"DNAT"}})"));
    REQUIRE(foreign);
    CHECK(foreign->foreign == 1);
}

TEST_CASE("rules that rewrite no destination are passed over") {
    const auto rules = nat_of_nft(ruleset(kTcp80 + R"(,{"accept":null})"));
    REQUIRE(rules);
    CHECK(rules->published.empty());
    CHECK(rules->not_understood == 0);
    CHECK_FALSE(nat_of_nft("no JSON"));
    CHECK_FALSE(nat_of_nft("[]"));
}

TEST_CASE("Docker's rules are read from iptables-save") {
    const NatRules rules = nat_of_iptables(
        "*nat\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
        "-A DOCKER -d 10.1.0.1/32 ! -i docker0 -p tcp -m tcp --dport 8088 -j DNAT "
        "--to-destination 172.17.0.2:80\n"
        "-A DOCKER ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination [fd00::2]:5353\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\n"
        "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE\nCOMMIT\n");
    REQUIRE(rules.published.size() == 3);
    CHECK(rules.published[0].at == parse_address("10.1.0.1"));
    CHECK(rules.published[0].interface.empty());
    CHECK(rules.published[0].to_port == 80);
    CHECK(rules.published[1].to == parse_address("fd00::2"));
    CHECK(rules.published[1].proto == kUdp);
    CHECK_FALSE(rules.published[2].to);
    CHECK(rules.published[2].to_port == 3128);
    CHECK(rules.not_understood == 0);
}

TEST_CASE("an iptables rule of another kind is counted") {
    const NatRules rules = nat_of_iptables(
        "-A PREROUTING -p tcp -m multiport --dports 80,81 -j DNAT --to-destination 10.0.0.2\n"
        "-A PREROUTING -d 10.0.0.0/8 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2\n"
        "-A PREROUTING -j DNAT --to-destination 10.0.0.2\n-A\n-A X -j\n");
    CHECK(rules.published.empty());
    CHECK(rules.not_understood == 3);
}

TEST_CASE("a docker-proxy says what it stands for") {
    const auto one = nat_of_docker_proxy({"/usr/bin/docker-proxy", "-proto", "tcp", "-host-ip",
                                          "0.0.0.0", "-host-port", "8080", "-container-ip",
                                          "172.17.0.2", "-container-port", "80"});
    REQUIRE(one);
    CHECK_FALSE(one->at);
    CHECK(one->low == 8080);
    CHECK(one->to_port == 80);
    CHECK_FALSE(nat_of_docker_proxy({"docker-proxy", "-host-port"}));
    CHECK_FALSE(nat_of_docker_proxy({}));
}
