// SPDX-License-Identifier: Apache-2.0
// Whose socket: a test-run's skb bears one of the test's own cgroup, so the
// test moves through cgroups that it makes, and the rules follow.
#include "base/result.h"
#include "kernel/cgroups.h"
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace sallyport::test;

namespace {

namespace fs = std::filesystem;

// Where cgroup v2 is mounted: it may be at /sys/fs/cgroup/unified.
fs::path hierarchy() {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" - cgroup2 ") == std::string::npos) continue;
        std::istringstream words(line);
        std::string word;
        for (int i = 0; i < 5; ++i) words >> word;
        return word;
    }
    SP_CHECK(false);
    return {};
}

std::string own_cgroup() {
    std::ifstream lines("/proc/self/cgroup");
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("0::")) return line.substr(3);
    }
    return "/";
}

void move_to(const fs::path& cgroup) {
    std::ofstream out(cgroup / "cgroup.procs");
    out << getpid() << std::flush;
    SP_CHECK(out.good());
}

// Cgroups of the test's own; the process is back where it was, and they are gone, when it ends.
class Tree {
  public:
    explicit Tree(std::vector<std::string> paths)
        : root_(hierarchy()), home_(root_ / own_cgroup().substr(1)), paths_(std::move(paths)) {
        for (const std::string& path : paths_) fs::create_directory(root_ / path.substr(1));
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() {
        go_home();
        std::error_code ignored;
        for (std::size_t i = paths_.size(); i-- > 0;)
            fs::remove(root_ / paths_[i].substr(1), ignored);
    }
    void enter(const std::string& path) const { move_to(root_ / path.substr(1)); }
    void go_home() const { move_to(home_); }

  private:
    fs::path root_;
    fs::path home_;
    std::vector<std::string> paths_;
};

std::string base_name() {
    return "/sp-identity-" + std::to_string(getpid());
}

void learn_cgroups(const Bench& bench) {
    sallyport::Status filled =
        sallyport::fill_cgroup_states(bench.maps(), bench.slot(), bench.image(), hierarchy());
    if (!filled) FAIL(filled.error().text());
}

std::string only_for(const std::string& key, const std::string& value) {
    return allow_out("ours", "any", "tcp", "443") + key + " = \"" + value + "\"\n";
}

} // namespace

TEST_CASE("a rule for a cgroup is for it and what is below it, and for nobody else") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const std::string base = base_name();
    Tree tree({base, base + "/inner", base + "x"});
    Bench bench{only_for("cgroup", base)};
    learn_cgroups(bench);
    Packet syn = from_host(family) / tcp{.dport = 443};
    CHECK(bench.cgroup(syn) == dropped(SP_REASON_NO_RULE));
    for (const std::string& inside : {base, base + "/inner"}) {
        INFO(inside);
        tree.enter(inside);
        CHECK(bench.cgroup(syn) == passes());
        CHECK(bench.cgroup(from_host(family) / tcp{.dport = 444}) == dropped(SP_REASON_NO_RULE));
        CHECK(bench.tc(syn) == dropped(SP_REASON_NO_RULE)); // the NIC judges without identity
    }
    tree.enter(base + "x");
    CHECK(bench.cgroup(syn) == dropped(SP_REASON_NO_RULE));
    tree.go_home();
    CHECK(bench.cgroup(syn) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a unit is believed below slices, not below a cgroup that anybody could make") {
    const std::string base = base_name();
    const std::string slice = base + ".slice";
    Tree tree(
        {base, base + "/rag.service", slice, slice + "/rag.service", slice + "/rag.service/inner"});
    Bench bench{only_for("unit", "rag.service")};
    learn_cgroups(bench);
    Packet syn = from_host(Family::v4) / tcp{.dport = 443};
    for (const std::string& unit : {slice + "/rag.service", slice + "/rag.service/inner"}) {
        INFO(unit);
        tree.enter(unit);
        CHECK(bench.cgroup(syn) == passes());
    }
    for (const std::string& other : {slice, base, base + "/rag.service"}) {
        INFO(other);
        tree.enter(other);
        CHECK(bench.cgroup(syn) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("a cgroup that nobody has noted, and a socket without an owner, match no selector") {
    const std::string base = base_name();
    Tree tree({base});
    Bench unknown{only_for("cgroup", base)};
    REQUIRE(sallyport::clear_cgroup_states(unknown.maps(), unknown.slot()).has_value());
    tree.enter(base);
    Packet syn = from_host(Family::v4) / tcp{.dport = 443};
    CHECK(unknown.cgroup(syn) == dropped(SP_REASON_NO_RULE));
    Bench user{only_for("user", "nobody")};
    learn_cgroups(user);
    CHECK(user.cgroup(syn) == dropped(SP_REASON_NO_RULE));
}
