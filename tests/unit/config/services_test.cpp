// SPDX-License-Identifier: Apache-2.0
// proto, ports and types, by the services of the rule that has them.
#include "config/icmp_types.h"
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using Lines = std::vector<std::string>;

namespace {

std::string rule(const std::string& keys) {
    return "[[ingress]]\nname = \"r\"\nfrom = \"any\"\n" + keys + "\n";
}
std::string deny(const std::string& keys) {
    return "[[deny]]\nname = \"r\"\ndirection = \"ingress\"\n" + keys + "\n";
}
// "6/22-22 17/1-65535", or "any".
std::string services(const std::string& text) {
    const Services services = good(text).rules.at(0).services;
    std::string result = services.any_protocol ? "any" : "";
    for (const ServiceRange& range : services.ranges)
        result += (result.empty() ? "" : " ") + std::to_string(range.proto) + "/" +
                  std::to_string(range.low) + "-" + std::to_string(range.high);
    return result;
}
Lines wrong(const std::string& text) {
    const ParsedPolicy result = parsed(text);
    CHECK_FALSE(result.policy);
    return findings(result);
}
std::string hint(const std::string& text) {
    return parsed(text).diagnostics.at(0).hint;
}

} // namespace

TEST_CASE("protocols are named or numbered, and mean all their ports") {
    CHECK(services(rule("proto = \"tcp\"")) == "6/0-65535");
    CHECK(services(rule("proto = \"udp\"")) == "17/0-65535");
    CHECK(services(rule("proto = \"sctp\"")) == "132/0-65535");
    CHECK(services(rule("proto = \"udp-lite\"")) == "136/0-65535");
    CHECK(services(rule("proto = \"any\"")) == "any");
    CHECK(services(rule("proto = 6")) == "6/0-65535");
    CHECK(services(rule("proto = 0")) == "0/0-65535");
    CHECK(services(rule("proto = 255")) == "255/0-65535");
    CHECK(services(rule("proto = 47")) == "47/0-65535");
}

TEST_CASE("other protocols are errors") {
    CHECK(wrong(rule("proto = 256")) == Lines{"7:9: \"proto\" must be from 0 to 255"});
    CHECK(wrong(rule("proto = -1")) == Lines{"7:9: \"proto\" must be from 0 to 255"});
    CHECK(wrong(rule("proto = \"tpc\"")) == Lines{"7:9: unknown protocol \"tpc\""});
    CHECK(hint(rule("proto = \"tpc\"")) == "did you mean \"tcp\"?");
    CHECK(wrong(rule("proto = \"icmp6\"")).size() == 1);
    CHECK(wrong(rule("proto = \"TCP\"")).size() == 1);
    CHECK(wrong(rule("proto = [\"tcp\", \"udp\"]")) ==
          Lines{"7:9: \"proto\" must be a name or a number, not a list"});
    CHECK(wrong(rule("")) == Lines{"4:1: rule \"r\" needs \"proto\""});
}

TEST_CASE("ports are numbers, ranges and services, at both edges") {
    CHECK(
        services(rule(
            "proto = \"tcp\"\nports = [1, 65535, \"8000-8010\", \"22\", \"1-65535\", \"7-7\"]")) ==
        "6/1-1 6/65535-65535 6/8000-8010 6/22-22 6/1-65535 6/7-7");
    CHECK(services(rule("proto = \"tcp\"\nports = [\"ssh\", \"domain\"]")) == "6/22-22 6/53-53");
    CHECK(services(rule("proto = 17\nports = [\"domain\"]")) == "17/53-53");
    CHECK(services(rule("proto = 136\nports = [9]")) == "136/9-9");
}

TEST_CASE("ports out of range, reversed or of no kind are errors, all of them") {
    CHECK(wrong(rule("proto = \"tcp\"\nports = [0, 65536, -1, \"0\", \"0-5\", \"5-65536\", "
                     "\"9-8\", \"a-b-c\", 1.5, \"1-\", \"\"]")) ==
          Lines{"8:10: a port must be from 1 to 65535", "8:13: a port must be from 1 to 65535",
                "8:20: a port must be from 1 to 65535", "8:24: a port must be from 1 to 65535",
                "8:29: a port must be from 1 to 65535", "8:36: a port must be from 1 to 65535",
                "8:47: the range \"9-8\" is reversed", "8:54: unknown service \"a-b-c\"",
                "8:63: \"ports\" lists numbers, ranges and service names, and this is a fraction",
                "8:68: \"1-\" is not a range of ports", "8:74: unknown service \"\""});
    CHECK(hint(rule("proto = \"tcp\"\nports = [\"9-8\"]")) == "write \"8-9\"");
    CHECK(wrong(rule("proto = \"tcp\"\nports = []")) == Lines{"8:9: \"ports\" must not be empty"});
    CHECK(wrong(rule("proto = \"tcp\"\nports = 22")) ==
          Lines{"8:9: \"ports\" must be a list, not a number"});
    CHECK(hint(rule("proto = \"tcp\"\nports = \"ssh\"")) == "write [\"ssh\"]");
    CHECK(wrong(rule("proto = \"udp\"\nports = [\"ssh\"]")) ==
          Lines{"8:10: unknown service \"ssh\""});
}

TEST_CASE("ports of a protocol that has none are an error at the key") {
    CHECK(wrong(rule("proto = \"icmp\"\nports = [1]")) ==
          Lines{"8:1: protocol \"icmp\" has no ports"});
    CHECK(wrong(rule("proto = \"any\"\nports = [1]")) ==
          Lines{"8:1: protocol \"any\" has no ports"});
    CHECK(wrong(rule("proto = 47\nports = [1]")) == Lines{"8:1: protocol \"47\" has no ports"});
    CHECK(wrong(deny("proto = \"any\"\nports = [1]")) ==
          Lines{"8:1: protocol \"any\" has no ports"});
}

TEST_CASE("icmp is echo request of both families, its numbers are all of it") {
    CHECK(services(rule("proto = \"icmp\"")) == "1/8-8 58/128-128");
    CHECK(services(rule("proto = 1")) == "1/0-255");
    CHECK(services(rule("proto = 58")) == "58/0-255");
}

TEST_CASE("types are named for the families that have them, or numbered for both") {
    CHECK(
        services(rule("proto = \"icmp\"\ntypes = [\"echo-reply\", \"destination-unreachable\"]")) ==
        "1/0-0 58/129-129 1/3-3 58/1-1");
    CHECK(services(rule("proto = \"icmp\"\ntypes = [\"timestamp-request\", \"packet-too-big\"]")) ==
          "1/13-13 58/2-2");
    CHECK(services(rule("proto = \"icmp\"\ntypes = [0, 255]")) ==
          "1/0-0 58/0-0 1/255-255 58/255-255");
    CHECK(services(rule("proto = 58\ntypes = [\"echo-request\", 3]")) == "58/128-128 58/3-3");
    CHECK(services(rule("proto = 1\ntypes = [\"echo-request\"]")) == "1/8-8");
    CHECK(services(deny("proto = \"icmp\"\ntypes = [\"echo-request\"]")) == "1/8-8 58/128-128");
}

TEST_CASE("a type by which no rule opens anything is warned of, with its place and why") {
    const std::string never = "9:10: rule \"r\" opens nothing by ICMP type ";
    const std::string keys = "proto = \"icmp\"\ntypes = [";
    const auto said = [&](const std::string& table, const std::string& types) {
        const std::string peer = table == "egress" ? "to" : "from";
        return findings("[[" + table + "]]\nname = \"r\"\n" + peer + " = \"any\"\n" +
                        (table == "forward" ? "to = \"any\"\n" : "\n") + keys + types + "]\n");
    };
    const std::string reply =
        ": a reply to a ping that was let through needs no rule, and opens no flow";
    const std::string error = ": an error passes with the flow that it quotes, by [essentials] "
                              "icmp-errors, or not at all";
    const std::string dead = ": it is obsolete or reserved, and always dropped";
    CHECK(said("ingress", "\"echo-reply\"") == Lines{"w" + never + "\"echo-reply\"" + reply});
    CHECK(said("egress", "\"echo-reply\"") == Lines{"w" + never + "\"echo-reply\"" + reply});
    for (const std::string name :
         {"destination-unreachable", "time-exceeded", "parameter-problem", "packet-too-big"}) {
        CHECK(said("ingress", "\"" + name + "\"") ==
              Lines{"w" + never + "\"" + name + "\"" + error});
        CHECK(said("forward", "\"" + name + "\"") ==
              Lines{"w" + never + "\"" + name + "\"" + error});
        CHECK(said("egress", "\"" + name + "\"").empty()); // of a raw socket
    }
    CHECK(said("ingress", "\"redirect\"").size() == 1);
    CHECK(said("egress", "\"redirect\"").size() == 1);
    CHECK(said("ingress", "4") == Lines{"w" + never + "4" + dead}); // obsolete, and an error
    // One family is enough: 5 is a redirect of ICMP, and nothing of ICMPv6.
    for (const std::string type :
         {"5", "8", "13", "30", "128", "135", "\"echo-request\"", "\"timestamp-request\"",
          "\"timestamp-reply\"", "\"router-advertisement\""})
        CHECK(said("ingress", type).empty());
    CHECK(said("ingress", "\"echo-request\", \"echo-reply\"") ==
          Lines{"w9:26: rule \"r\" opens nothing by ICMP type \"echo-reply\"" + reply});
}

TEST_CASE("which types open nothing depends on the family that the rule is for") {
    CHECK(findings(rule("proto = 1\ntypes = [3, 5, 15, 30, 39]")).size() == 5);
    CHECK(findings(rule("proto = 1\ntypes = [1, 2, 7, 29, 40]")).empty());
    CHECK(findings(rule("proto = 58\ntypes = [0, 1, 4, 127, 129, 130, 137, 143, 255]")).size() ==
          9);
    CHECK(findings(rule("proto = 58\ntypes = [5, 126, 128, 138, 142, 144, 254]")).empty());
    // A deny rule is of no more use there, but asks for nothing that it does not get.
    CHECK(findings(deny("proto = 1\ntypes = [3]")).empty());
}

TEST_CASE("types that are none are errors") {
    CHECK(wrong(rule("proto = \"icmp\"\ntypes = [256, -1, \"echo-requst\", true]")) ==
          Lines{"8:10: an ICMP type must be from 0 to 255",
                "8:15: an ICMP type must be from 0 to 255",
                "8:19: unknown ICMP type \"echo-requst\"",
                "8:34: \"types\" lists names and numbers, and this is true or false"});
    CHECK(wrong(rule("proto = \"icmp\"\ntypes = []")) == Lines{"8:9: \"types\" must not be empty"});
    CHECK(wrong(rule("proto = \"icmp\"\ntypes = 8")) ==
          Lines{"8:9: \"types\" must be a list, not a number"});
    CHECK(wrong(rule("proto = \"tcp\"\ntypes = [8]")) ==
          Lines{"8:1: \"types\" needs proto = \"icmp\""});
    CHECK(wrong(deny("types = [8]")) == Lines{"7:1: \"types\" needs proto = \"icmp\""});
    CHECK(wrong(rule("proto = 1\ntypes = [\"packet-too-big\"]")) ==
          Lines{"8:10: protocol 1 has no \"packet-too-big\""});
    CHECK(wrong(rule("proto = \"icmp\"\ntypes = [8]\nports = [8]")) ==
          Lines{"9:1: protocol \"icmp\" has no ports"});
}

TEST_CASE("a deny rule without proto is everything, or with ports all that has ports") {
    CHECK(services(deny("")) == "any");
    CHECK(services(deny("ports = [23]")) == "6/23-23 17/23-23 136/23-23 132/23-23");
    CHECK(services(deny("ports = [\"ssh\"]")) == "6/22-22 17/22-22 136/22-22 132/22-22");
    CHECK(services(deny("proto = \"udp\"\nports = [53]")) == "17/53-53");
}

TEST_CASE("a service with a port of its own in each protocol means each of them") {
    CHECK(services(deny("ports = [\"odd\"]")) ==
          "6/1000-1000 17/1000-1000 136/1000-1000 132/1000-1000 6/2000-2000 17/2000-2000 "
          "136/2000-2000 132/2000-2000");
}

TEST_CASE("every ICMP type with a name is of at least one family") {
    for (const std::string& name : config::icmp_type_names()) {
        const std::optional<config::IcmpType> type = config::icmp_type(name);
        REQUIRE(type);
        CHECK((type->v4 || type->v6));
    }
    CHECK_FALSE(config::icmp_type("echo"));
}
