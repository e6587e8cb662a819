// SPDX-License-Identifier: Apache-2.0
#include "daemon/advice.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

using namespace sallyport;
using namespace sallyport::test;

namespace {

AdviceWorld world(const std::map<std::string, std::string>& files) {
    return {.read_file = [files](const std::string& path) -> std::optional<std::string> {
                const auto at = files.find(path);
                return at == files.end() ? std::nullopt : std::optional(at->second);
            },
            .list =
                [files](const std::string& directory, const std::string& suffix) {
                    std::vector<std::string> found;
                    for (const auto& [path, text] : files)
                        if (path.starts_with(directory + "/") && path.ends_with(suffix))
                            found.push_back(path);
                    return found;
                }};
}

Rule egress(const std::string& to, std::uint16_t port) {
    Rule rule;
    rule.name = "rule for " + to;
    rule.direction = Direction::egress;
    const auto prefix = parse_prefix(to);
    SP_CHECK(prefix.has_value());
    rule.to.parts.push_back(
        {.networks = std::make_shared<const std::vector<Prefix>>(std::vector{*prefix}),
         .except = {},
         .interfaces = {}});
    rule.services.ranges = {{.proto = 17, .low = port, .high = port}};
    return rule;
}

std::vector<Diagnostic> advice(std::vector<Rule> rules,
                               const std::map<std::string, std::string>& files) {
    Policy policy;
    policy.rules = std::move(rules);
    return advise(policy, "policy.toml", world(files));
}

const std::map<std::string, std::string> kResolver{
    {"/etc/resolv.conf", "# a comment\nsearch lan\nnameserver 10.0.0.53\n"}};

} // namespace

TEST_CASE("a resolver that no rule covers is warned about, with the rule that would") {
    const auto found = advice({}, kResolver);
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::warning);
    CHECK(found[0].file == "policy.toml");
    CHECK(found[0].line == 0);
    CHECK(found[0].message.find("10.0.0.53") != std::string::npos);
    CHECK(found[0].hint.find("to = [\"10.0.0.53\"]") != std::string::npos);
}

TEST_CASE("a resolver that a rule covers is not, and one just outside it is") {
    CHECK(advice({egress("10.0.0.53", 53)}, kResolver).empty());
    CHECK(advice({egress("10.0.0.0/24", 53)}, kResolver).empty());
    CHECK(advice({egress("10.0.0.54", 53)}, kResolver).size() == 1);
    CHECK(advice({egress("10.0.0.53", 54)}, kResolver).size() == 1);
    Rule ingress = egress("10.0.0.53", 53);
    ingress.direction = Direction::ingress;
    ingress.from = ingress.to;
    CHECK(advice({ingress}, kResolver).size() == 1);
}

TEST_CASE("IPv6 resolvers count, with a zone index too") {
    const std::map<std::string, std::string> files{
        {"/etc/resolv.conf", "nameserver fd00::53\nnameserver fe80::1%eth0\n"}};
    CHECK(advice({}, files).size() == 2);
    CHECK(advice({egress("fd00::/8", 53), egress("fe80::/10", 53)}, files).empty());
}

TEST_CASE("a rule for one unit or interface is enough, a deny rule takes it away again") {
    Rule rule = egress("10.0.0.53", 53);
    rule.identity.unit = "systemd-resolved.service";
    CHECK(advice({rule}, kResolver).empty());
    rule.interfaces = {"en*"};
    CHECK(advice({rule}, kResolver).empty());
    Rule deny = egress("10.0.0.0/24", 53);
    deny.deny = true;
    CHECK(advice({rule, deny}, kResolver).size() == 1);
    deny.identity.unit = "rag.service";
    CHECK(advice({rule, deny}, kResolver).empty());
}

TEST_CASE("a local resolver needs no rule, those that it asks do") {
    CHECK(advice({}, {{"/etc/resolv.conf", "nameserver 127.0.0.53\nnameserver ::1\n"}}).empty());
    const auto found = advice({}, {{"/etc/resolv.conf", "nameserver 127.0.0.53\n"},
                                   {"/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n"}});
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.find("192.0.2.1") != std::string::npos);
}

TEST_CASE("time servers are found where timesyncd and chrony look, when they are addresses") {
    const auto found = advice(
        {},
        {{"/etc/systemd/timesyncd.conf", "[Time]\n#NTP=192.0.2.9\nNTP=192.0.2.1 ntp.example.org\n"},
         {"/etc/systemd/timesyncd.conf.d/lan.conf", "[Time]\nFallbackNTP=2001:db8::2\n"},
         {"/etc/chrony/chrony.conf", "pool pool.example.org iburst\nserver 192.0.2.3 iburst\n"},
         {"/etc/chrony/sources.d/x.sources", "peer 192.0.2.4\n"}});
    REQUIRE(found.size() == 4);
    for (const Diagnostic& diagnostic : found)
        CHECK(diagnostic.message.find("udp port 123") != std::string::npos);
}

TEST_CASE("what opens and cannot be read is empty, and throws nothing") {
    CHECK(system_advice_world().read_file("/proc") == "");
    CHECK_FALSE(system_advice_world().read_file("/proc/sallyport-nowhere"));
}

TEST_CASE("a machine without any of the files is not warned about") {
    CHECK(advice({}, {}).empty());
    CHECK(advice({}, {{"/etc/resolv.conf", ""}, {"/etc/systemd/timesyncd.conf", "NTP="}}).empty());
    CHECK(advice({}, {{"/etc/resolv.conf", "nameserver\nnameserver nonsense\nnameserver [\n"}})
              .empty());
}
