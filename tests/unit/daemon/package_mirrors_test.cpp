// SPDX-License-Identifier: Apache-2.0
// APT's sources, both kinds of file, against what the policy lets out.
#include "daemon/package_mirrors.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

namespace sallyport {
namespace {

using Files = std::map<std::string, std::string>;

AdviceWorld world(const Files& files) {
    return {.read_file = [files](const std::string& path) -> std::optional<std::string> {
                const auto file = files.find(path);
                if (file == files.end()) return std::nullopt;
                return file->second;
            },
            .list =
                [files](const std::string& directory, const std::string& suffix) {
                    std::vector<std::string> paths;
                    for (const auto& [path, text] : files)
                        if (path.starts_with(directory + "/") && path.ends_with(suffix))
                            paths.push_back(path);
                    return paths;
                }};
}

Policy allowing(ServiceRange range, Direction direction = Direction::egress) {
    Rule rule;
    rule.name = "mirror";
    rule.direction = direction;
    rule.to = any_peer();
    rule.services.ranges = {range};
    Policy policy;
    policy.rules = {rule};
    return policy;
}

std::size_t warnings(const Policy& policy, const Files& files) {
    return advise_package_mirrors(policy, "policy.toml", world(files)).size();
}

const Files kOneLine{
    {"/etc/apt/sources.list", "deb [arch=amd64] http://mirror.example/debian stable main\n"}};

} // namespace

TEST_CASE("a mirror that no rule lets out to is warned about, whichever file names it") {
    CHECK(warnings({}, kOneLine) == 1);
    CHECK(warnings({}, {{"/etc/apt/sources.list.d/a.list",
                         "deb https://mirror.example/ stable main"}}) == 1);
    const auto found =
        advise_package_mirrors({}, "policy.toml",
                               world({{"/etc/apt/sources.list.d/a.sources",
                                       "Types: deb\nURIs: http://mirror.example:8080/debian "
                                       "https://[2001:db8::1]/x\nSuites: stable\n"}}));
    REQUIRE(found.size() == 2);
    CHECK(found[0].message.find("tcp port 443") != std::string::npos);
    CHECK(found[1].message.find("tcp port 8080") != std::string::npos);
}

TEST_CASE(
    "a rule for the port is enough, at both edges of its range, and only an egress one for TCP") {
    CHECK(warnings(allowing({6, 80, 80}), kOneLine) == 0);
    CHECK(warnings(allowing({6, 1, 80}), kOneLine) == 0);
    CHECK(warnings(allowing({6, 80, 90}), kOneLine) == 0);
    CHECK(warnings(allowing({6, 81, 90}), kOneLine) == 1);
    CHECK(warnings(allowing({6, 1, 79}), kOneLine) == 1);
    CHECK(warnings(allowing({17, 80, 80}), kOneLine) == 1);
    CHECK(warnings(allowing({6, 80, 80}, Direction::ingress), kOneLine) == 1);
    Policy nobody = allowing({6, 80, 80});
    nobody.rules[0].to = {};
    CHECK(warnings(nobody, kOneLine) == 1);
}

TEST_CASE("without sources, in a comment, by file or with a port that is none there is no mirror") {
    CHECK(warnings({}, {}) == 0);
    CHECK(warnings({}, {{"/etc/apt/sources.list", "# deb http://mirror.example/ stable main\n"}}) ==
          0);
    CHECK(warnings({}, {{"/etc/apt/sources.list", "deb file:/srv/mirror stable main\n"}}) == 0);
    CHECK(warnings({}, {{"/etc/apt/sources.list", "deb http://mirror.example:x/ stable main\n"}}) ==
          0);
}

} // namespace sallyport
