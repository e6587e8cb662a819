// SPDX-License-Identifier: Apache-2.0
// Jails and other settings that differ, however alike they are when told.
#include "diff/compare.h"
#include "support/policy_text.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::diff;

namespace {

const std::string kJail = "[[jail]]\nname = \"ssh\"\nlog = \"/var/log/auth.log\"\n";

std::vector<SettingChange> changes(const Policy& before, const Policy& after) {
    const Space space(before, after);
    const Difference difference = compare(space);
    CHECK(difference.is_any() == !difference.settings.empty());
    return difference.settings;
}

std::vector<SettingChange> changes(const std::string& before, const std::string& after) {
    return changes(test::parsed(before), test::parsed(after));
}

// Thirty addresses, more than are told, and a last one.
std::string sparing(const std::string& last) {
    std::string zone = "[zones]\nz = [";
    for (int i = 1; i <= 30; ++i) zone += "\"10.0." + std::to_string(2 * i) + ".1\", ";
    return zone + "\"" + last + "\"]\n" + kJail + "match = [\"x <HOST>\"]\nexcept = [\"z\"]\n";
}

} // namespace

TEST_CASE("whom a jail spares differs also beyond the networks that are told") {
    for (const auto& [was, is] :
         {std::pair{"192.168.0.1", "203.0.113.66"}, std::pair{"fd00::1", "fd00::2"}}) {
        const auto told = changes(sparing(was), sparing(is));
        REQUIRE(told.size() == 1);
        CHECK(told[0].key == "jail ssh, except");
        CHECK(told[0].before.find(was) != std::string::npos);
        CHECK(told[0].after.find(is) != std::string::npos);
        CHECK(told[0].after.find("10.0.2.1") == std::string::npos);
    }
    CHECK(changes(sparing("fd00::1"), sparing("fd00::1")).empty());
}

TEST_CASE("whom a jail spares is the same however it is written") {
    const auto except = [](const std::string& networks) {
        return kJail + "match = [\"x <HOST>\"]\nexcept = [" + networks + "]\n";
    };
    CHECK(changes(except(R"("10.0.0.0/8", "fd00::/8")"),
                  except(R"("fd00::/8", "10.128.0.0/9", "10.0.0.0/9")"))
              .empty());
}

TEST_CASE("what is cut out of whom a jail spares counts by how it is cut, and by no order") {
    const auto zone = [](const std::string& networks, const std::string& except) {
        return "[zones]\nz = { networks = [" + networks + "], except = [" + except + "] }\n" +
               kJail + "match = [\"x <HOST>\"]\nexcept = [\"z\"]\n";
    };
    const std::string one = R"("10.1.0.0/16")";
    CHECK(changes(zone(R"("10.0.0.0/8", "fd00::/8")", one + R"(, "fd01::/16")"),
                  zone(R"("fd00::/8", "10.0.0.0/8")", R"("fd01::/16", )" + one))
              .empty());
    // 10.1.0.0/16 as a whole is accused by the one jail and spared by the other.
    const auto told = changes(zone(R"("10.0.0.0/8")", one),
                              zone(R"("10.0.0.0/8")", R"("10.1.0.0/17", "10.1.128.0/17")"));
    REQUIRE(told.size() == 1);
    CHECK(told[0].key == "jail ssh, except");
    CHECK(told[0].after.find("cut out otherwise") != std::string::npos);
}

TEST_CASE("one expression with a comma is not two expressions") {
    const auto told = changes(kJail + "match = [\"bad <HOST>, x <HOST>\"]\n",
                              kJail + "match = [\"bad <HOST>\", \"x <HOST>\"]\n");
    REQUIRE(told.size() == 1);
    CHECK(told[0].before != told[0].after);
    CHECK(told[0].after.find(R"("bad <HOST>", "x <HOST>")") != std::string::npos);
    Policy one = test::parsed("");
    Policy two = one;
    one.fail2ban.jails = {"/a, /b"};
    two.fail2ban.jails = {"/a", "/b"};
    const auto files = changes(one, two);
    REQUIRE(files.size() == 1);
    CHECK(files[0].before == "\"/a, /b\"");
    CHECK(files[0].after == "\"/a\", \"/b\"");
    std::swap(two.fail2ban.jails[0], two.fail2ban.jails[1]);
    CHECK(changes(two, two).empty());
}

TEST_CASE("a jail that came or went is told whole") {
    const std::string jail = kJail + "match = [\"x <HOST>\"]\nexcept = [\"192.0.2.0/24\"]\n";
    const auto came = changes("", jail);
    REQUIRE(came.size() == 1);
    CHECK(came[0].key == "jail ssh");
    CHECK(came[0].before.empty());
    CHECK(came[0].after.find("spares 192.0.2.0/24") != std::string::npos);
    const auto went = changes(jail, "");
    REQUIRE(went.size() == 1);
    CHECK(went[0].before == came[0].after);
    CHECK(went[0].after.empty());
}
