// SPDX-License-Identifier: Apache-2.0
// What check says of automatic bans.
#include "daemon/auto_bans_advice.h"
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;

namespace {

const std::string kLimited = "[[ingress]]\nname = \"api\"\nfrom = \"any\"\nproto = \"tcp\"\n"
                             "ports = [80]\nlimit = \"20/minute\"\n";
const std::string kNever = "never = [\"10.0.0.0/24\"]\n";
const std::string kLimits = "[bans]\nafter-limits = \"50 in 10m for 1h\"\n";
const std::string kProbes = "[bans]\nafter-probes = \"50 in 10m for 1h\"\n";

std::vector<std::string> advice(const Policy& policy) {
    std::vector<std::string> messages;
    for (const Diagnostic& found : advise_auto_bans(policy, "policy.toml")) {
        CHECK(found.severity == Severity::warning);
        CHECK(found.file == "policy.toml");
        CHECK_FALSE(found.hint.empty());
        messages.push_back(found.message);
    }
    return messages;
}

bool has(const std::vector<std::string>& messages, const std::string& part) {
    for (const std::string& message : messages)
        if (message.find(part) != std::string::npos) return true;
    return false;
}

} // namespace

TEST_CASE("there is nothing to say of automatic bans that are off, or well made") {
    CHECK(advice(good(kLimited)).empty());
    CHECK(advice(good(kLimited + "[bans]\nafter-limits = \"off\"\n")).empty());
    CHECK(advice(good(kLimited + kLimits + kNever)).empty());
    CHECK(advice(good(kProbes + kNever)).empty());
}

TEST_CASE("bans after limits want a limit of TCP") {
    CHECK(has(advice(good(kLimits + kNever)), "no rule for TCP has a limit"));
    CHECK(has(advice(good("[[ingress]]\nname = \"dns\"\nfrom = \"any\"\nproto = \"udp\"\n"
                          "ports = [53]\nlimit = \"20/minute\"\n" +
                          kLimits + kNever)),
              "no rule for TCP has a limit"));
}

TEST_CASE("few strikes, nobody who stays welcome, and observing are said") {
    CHECK(has(advice(good("[bans]\nafter-probes = \"4 in 10m for 1h\"\n" + kNever)),
              "after-probes bans after 4"));
    CHECK_FALSE(
        has(advice(good("[bans]\nafter-probes = \"5 in 10m for 1h\"\n" + kNever)), "bans after"));
    CHECK(has(advice(good(kProbes)), "never names nobody"));
    Policy observing = good(kProbes + kNever);
    observing.host.mode = Mode::observe;
    CHECK(has(advice(observing), "while the policy observes"));
}

TEST_CASE("an egress rule that spares half the world is said, any is none") {
    const auto to = [](const std::string& whom) {
        return advice(good("[[egress]]\nname = \"out\"\nto = " + whom + "\nproto = \"tcp\"\n" +
                           kProbes + kNever));
    };
    CHECK(to("[\"10.0.0.0/8\"]").size() == 1);
    CHECK(has(to("[\"10.0.0.0/8\"]"), "nobody of 10.0.0.0/8"));
    CHECK(has(to("[\"fd00::/16\"]"), "nobody of fd00::/16"));
    CHECK(to("[\"10.0.0.0/16\", \"fd00:1:2::/48\"]").empty());
    CHECK(to("\"any\"").empty());
}
