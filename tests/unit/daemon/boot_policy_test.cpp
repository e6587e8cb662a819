// SPDX-License-Identifier: Apache-2.0
// Which policy a boot takes, and what stands in for one that cannot be read.
#include "base/sha256.h"
#include "config/parse.h"
#include "daemon/boot_policy.h"
#include "daemon/contents_hash.h"
#include "daemon/enforced.h"
#include "daemon/history.h"
#include "daemon/shut_policy.h"
#include "daemon/status_build.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

PolicySource source_of(const std::string& name, const std::string& zones = "") {
    const std::string text =
        "schema = 1\n[host]\ninterfaces = [\"" + name + "\"]\nmode = \"enforce\"\n" + zones;
    ParsedPolicy parsed = parse_policy(text, "/etc/sallyport/policy.toml", system_world());
    REQUIRE(parsed.policy);
    return {.policy = *std::move(parsed.policy),
            .file = "/etc/sallyport/policy.toml",
            .sha256 = sha256_hex(text),
            .by = "root",
            .contents = contents_hash(sha256_hex(text), {}),
            .text = std::make_shared<PolicyText>(PolicyText{.text = text, .files = {}})};
}

std::uint32_t add(const PolicyHistory& history, const PolicySource& source,
                  Outcome outcome = Outcome::applied) {
    HistoryEntry entry;
    entry.outcome = outcome;
    entry.file = source.file;
    entry.sha256 = source.sha256;
    const Result<std::uint32_t> number = history.add(source, entry);
    REQUIRE(number);
    return *number;
}

void overwrite(const std::string& path, const std::string& text) {
    REQUIRE(std::filesystem::exists(path));
    std::ofstream(path, std::ios::trunc) << text;
}

std::vector<std::string> nics(const BootPolicy& boot) {
    return boot.source ? boot.source->policy.host.interfaces : std::vector<std::string>{};
}

constexpr const char* kAdmin = "[zones]\nadmin = [\"10.9.0.0/16\", \"fd00:9::/32\"]\n";

} // namespace

TEST_CASE("a boot takes the file when nothing was ever good, and the last good policy after") {
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    const PolicySource file = source_of("file0");
    CHECK(boot_policy(state, file).from == BootPolicy::From::file);
    CHECK_FALSE(boot_policy(state, std::nullopt).source);
    add(history, source_of("tried0"), Outcome::trial);
    CHECK(nics(boot_policy(state, file)) == std::vector<std::string>{"file0"});
    add(history, source_of("good0"), Outcome::confirmed);
    for (const Outcome bad : {Outcome::trial, Outcome::expired, Outcome::rolled_back})
        add(history, source_of("bad0"), bad);
    for (const std::optional<PolicySource>& given :
         {std::optional(file), std::optional<PolicySource>()}) {
        const BootPolicy boot = boot_policy(state, given);
        CHECK(boot.from == BootPolicy::From::kept);
        CHECK(nics(boot) == std::vector<std::string>{"good0"});
    }
}

TEST_CASE("a boot takes a trial that was confirmed by who died before he could say so") {
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    add(history, source_of("good0"));
    const HistoryEntry tried = *history.find(add(history, source_of("tried0"), Outcome::trial));
    Enforced record;
    record.generation = tried.generation;
    record.sha256 = tried.sha256;
    record.contents = tried.contents();
    REQUIRE(stage_enforced(state, record));
    SECTION("staged: it was on trial") {
        CHECK(nics(boot_policy(state, std::nullopt)) == std::vector<std::string>{"good0"});
    }
    SECTION("settled: it was on trial no more") {
        REQUIRE(settle_enforced(state));
        CHECK(nics(boot_policy(state, std::nullopt)) == std::vector<std::string>{"tried0"});
        CHECK(history.find(2)->outcome == Outcome::confirmed);
    }
}

TEST_CASE("down ends what was good, until another policy is") {
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    REQUIRE(history.note_down());
    CHECK_FALSE(history.was_taken_down()); // of what never stood
    add(history, source_of("good0"));
    REQUIRE(history.note_down());
    CHECK(history.was_taken_down());
    CHECK(boot_policy(state, source_of("file0")).from == BootPolicy::From::file);
    CHECK_FALSE(boot_policy(state, std::nullopt).source);
    add(history, source_of("next0"));
    CHECK_FALSE(history.was_taken_down());
    CHECK(nics(boot_policy(state, source_of("file0"))) == std::vector<std::string>{"next0"});
}

TEST_CASE("whatever is broken of the last good policy, the host is shut and not its file loaded") {
    const std::string broken = GENERATE("", "{", "garbage \xff\x01\n");
    const std::string part = GENERATE("policy.toml", "about.json");
    CAPTURE(broken, part);
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    add(history, source_of("old0", kAdmin));
    add(history, source_of("good0"));
    overwrite(state + "/policies/000002/" + part, broken);
    const BootPolicy boot = boot_policy(state, source_of("file0"));
    REQUIRE(boot.from == BootPolicy::From::shut);
    CHECK(boot.why.find("policy 2") != std::string::npos);
    CHECK(nics(boot) == std::vector<std::string>{"old0"});
    const Policy& policy = boot.source->policy;
    REQUIRE(policy.rules.size() == 1);
    CHECK(policy.rules[0].name == "fail-closed: admin");
    CHECK(policy.rules[0].from.parts.at(0).networks->size() == 2);
    CHECK(policy.host.mode == Mode::enforce);
    CHECK(boot.source->file == kShutFile);
}

TEST_CASE("the zone admin of what shuts is the newest that there is, and the file's is the last") {
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    add(history, source_of("old0", kAdmin));
    add(history, source_of("none0"));
    add(history, source_of("good0"));
    overwrite(state + "/policies/000003/policy.toml", "");
    const PolicySource file = source_of("file0", "[zones]\nadmin = [\"10.8.0.0/16\"]\n");
    const BootPolicy boot = boot_policy(state, file);
    CHECK(nics(boot) == std::vector<std::string>{"none0"});
    const Rule& rule = boot.source->policy.rules.at(0);
    CHECK(rule.name == "fail-closed: admin");
    CHECK(rule.from.parts.at(0).networks->size() == 2); // of the oldest, not of the file
}

TEST_CASE("what shuts guards the NICs of the record, or of the file, or all") {
    const TempDir directory;
    const std::string state = directory / "state";
    const PolicyHistory history(state);
    add(history, source_of("good0"));
    overwrite(state + "/policies/000001/policy.toml", "");
    CHECK(nics(boot_policy(state, source_of("file0"))) == std::vector<std::string>{"file0"});
    CHECK(nics(boot_policy(state, std::nullopt)) == std::vector<std::string>{"*"});
    CHECK(boot_policy(state, std::nullopt).source->policy.host.cgroup == "/");
    Enforced record;
    record.interfaces = {"record0"};
    record.cgroup = "/no/such/group";
    record.flow_max = 4096;
    REQUIRE(stage_enforced(state, record));
    REQUIRE(settle_enforced(state));
    const BootPolicy boot = boot_policy(state, source_of("file0", kAdmin));
    CHECK(nics(boot) == std::vector<std::string>{"record0"});
    CHECK(boot.source->policy.host.cgroup == "/"); // the nearest that is there
    CHECK(boot.source->policy.rules.at(0).name == "fail-closed: admin");
    overwrite(state + "/enforced.json", "{\"generation\":");
    CHECK(nics(boot_policy(state, source_of("file0"))) == std::vector<std::string>{"file0"});
}

TEST_CASE("without a zone admin ssh is let in from anywhere, limited, and nothing else") {
    const PolicySource shut = shut_policy(source_of("eth0").policy, {2222, 22});
    REQUIRE(shut.policy.rules.size() == 1);
    const Rule& ssh = shut.policy.rules[0];
    CHECK(ssh.name == "fail-closed: ssh");
    CHECK(ssh.direction == Direction::ingress);
    CHECK(ssh.services.ranges.size() == 2);
    REQUIRE(ssh.limit);
    CHECK(ssh.limit->rate.count == 20);
    CHECK(who_may_enter(shut.policy, {}).find("port 22, from anywhere") != std::string::npos);
}

TEST_CASE("ports of sshd_config are those of Port and ListenAddress, before any Match") {
    CHECK(sshd_ports("# Port 1\nPort 2222\nport=23\nListenAddress 10.0.0.1:24\n"
                     "ListenAddress [::1]:25\nListenAddress ::1\nListenAddress 10.0.0.1\n"
                     "Port 0\nPort 70000\nPort x\nMatch User x\nPort 99\n") ==
          std::set<std::uint16_t>{23, 24, 25, 2222});
    CHECK(sshd_ports("").empty());
    CHECK(sshd_ports("Port").empty());
}

TEST_CASE("a cgroup that is not there is replaced by the nearest above it") {
    const auto only_a = [](const std::string& path) { return path == "/a"; };
    CHECK(nearest_cgroup("/a/b/c", only_a) == "/a");
    CHECK(nearest_cgroup("/a", only_a) == "/a");
    CHECK(nearest_cgroup("/x/y", only_a) == "/");
    CHECK(nearest_cgroup("/", only_a) == "/");
}

TEST_CASE("a NIC is awaited by its name; a glob only where nothing matches at all") {
    Interface eth0;
    eth0.name = "eth0";
    Interface lo;
    lo.name = "lo";
    lo.is_loopback = true;
    using Names = std::vector<std::string>;
    CHECK(awaited({"eth0", "eth1", "en*"}, {lo, eth0}) == Names{"eth1"});
    CHECK(awaited({"en*", "lo"}, {lo}) == Names{"en*", "lo"});
    CHECK(awaited({"e*"}, {lo, eth0}).empty());
}

TEST_CASE("a boot shuts when what was good cannot be listed, and takes what came after it") {
    const TempDir directory;
    const std::string state = directory / "state";
    const std::string policies = state + "/policies";
    const PolicyHistory history(state);
    const PolicySource file = source_of("file0");
    SECTION("the directory is a file") {
        std::filesystem::create_directories(state);
        std::ofstream(policies) << "no directory";
        const BootPolicy boot = boot_policy(state, file);
        CHECK(boot.from == BootPolicy::From::shut);
        CHECK(boot.why.find(policies) != std::string::npos);
    }
    SECTION("the directory is a link in a circle") {
        std::filesystem::create_directories(state);
        std::filesystem::create_symlink("policies", policies);
        CHECK(boot_policy(state, file).from == BootPolicy::From::shut);
    }
    SECTION("two records are lost, until another policy is good") {
        add(history, source_of("good0"));
        for (int i = 0; i < 2; i++)
            overwrite(policies + "/00000" + std::to_string(add(history, source_of("lost0"))) +
                          "/about.json",
                      "{");
        CHECK(boot_policy(state, file).from == BootPolicy::From::shut);
        add(history, source_of("after0"));
        const BootPolicy boot = boot_policy(state, file);
        CHECK(boot.from == BootPolicy::From::kept);
        CHECK(nics(boot) == std::vector<std::string>{"after0"});
    }
}
