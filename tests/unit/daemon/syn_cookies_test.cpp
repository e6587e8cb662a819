// SPDX-License-Identifier: Apache-2.0
// What the kernel is asked for by rules that answer with SYN cookies.
#include "daemon/syn_cookies.h"

#include <catch2/catch_test_macros.hpp>

namespace sallyport {
namespace {

Policy limited(std::uint8_t proto, bool cookies) {
    Rule rule;
    rule.name = "api";
    rule.line = 7;
    rule.services.ranges = {{.proto = proto, .low = 80, .high = 80}};
    rule.limit = Limit{};
    rule.limit->rate.count = 1;
    rule.limit->cookies = cookies;
    Policy policy;
    policy.rules = {rule};
    return policy;
}

std::vector<Diagnostic> advice(const Policy& policy, std::optional<std::string> value,
                               std::optional<std::string> stamps = "2\n") {
    const AdviceWorld world{.read_file =
                                [value, stamps](const std::string& path) {
                                    if (path == "/proc/sys/net/ipv4/tcp_timestamps") return stamps;
                                    CHECK(path == "/proc/sys/net/ipv4/tcp_syncookies");
                                    return value;
                                },
                            .list = {}};
    return advise_syn_cookies(policy, "policy.toml", world);
}

} // namespace

TEST_CASE("a rule that may answer by cookies is named where the kernel gives none") {
    CHECK(advice(limited(6, true), "2\n").empty());
    CHECK(advice(limited(6, false), "1\n").empty());
    CHECK(advice(limited(17, true), "1\n").empty());
    const std::vector<Diagnostic> one = advice(limited(6, true), "1\n");
    REQUIRE(one.size() == 1);
    CHECK(one[0].severity == Severity::warning);
    CHECK(one[0].line == 7);
    CHECK(one[0].message.find("\"api\"") != std::string::npos);
    CHECK(one[0].message.find("tcp_syncookies is 2, and it is 1:") != std::string::npos);
    CHECK(advice(limited(6, true), std::nullopt).size() == 1);
}

TEST_CASE("a rule for any protocol answers TCP by cookies too") {
    Policy policy = limited(6, true);
    policy.rules[0].services = {};
    policy.rules[0].services.any_protocol = true;
    CHECK(advice(policy, "0\n").size() == 1);
    policy.rules[0].limit.reset();
    CHECK(advice(policy, "0\n").empty());
}

TEST_CASE("that answers by cookies will offer an MSS alone is said once, and not of other rules") {
    Policy policy = limited(6, true);
    policy.rules.push_back(policy.rules[0]);
    for (const char* value : {"0\n", "1\n"}) {
        const std::vector<Diagnostic> one = advice(policy, "2\n", value);
        REQUIRE(one.size() == 1);
        CHECK(one[0].line == 7);
        CHECK(one[0].message.find("tcp_timestamps is 2, and it is " + std::string(1, *value)) !=
              std::string::npos);
    }
    CHECK(advice(policy, "2\n", std::nullopt).size() == 1);
    CHECK(advice(policy, "1\n", "1\n").size() == 3);
    CHECK(advice(limited(6, false), "2\n", "1\n").empty());
    policy.host.sysctls = Sysctls::set;
    CHECK(advice(policy, "1\n", "1\n").empty());
}

} // namespace sallyport
