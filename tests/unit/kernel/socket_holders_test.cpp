// SPDX-License-Identifier: Apache-2.0
// A /proc of files: who holds which socket, and what comes of processes that cannot be read.
#include "kernel/socket_holders.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

void process(const fs::path& root, int pid, const std::vector<std::string>& held,
             const std::string& comm, const std::string& cmdline) {
    const fs::path home = root / std::to_string(pid);
    fs::create_directories(home / "fd");
    for (std::size_t i = 0; i < held.size(); ++i)
        fs::create_symlink(held[i], home / "fd" / std::to_string(i));
    std::ofstream(home / "comm") << comm << "\n";
    std::ofstream(home / "cmdline") << cmdline;
    std::ofstream(home / "cgroup") << "1:cpu:/old\n0::/system.slice/a.service\n";
    fs::create_symlink("/usr/bin/" + comm, home / "exe");
}

} // namespace

TEST_CASE("holders of sockets are found by inode, each once, in order") {
    const test::TempDir directory;
    const std::string root = directory / "proc";
    process(root, 20, {"socket:[77]", "socket:[77]", "/dev/null"}, "two",
            std::string("two\0-x\0", 7));
    process(root, 3, {"socket:[77]", "socket:[78]", "socket:[x]", "socket:[7", "pipe:[77]"}, "one",
            "");
    process(root, 4, {"socket:[770]"}, "none", "none");
    fs::create_directories(fs::path(root) / "5"); // ended as it was read
    fs::create_directories(fs::path(root) / "sys");
    const auto found = find_socket_holders({77, 79}, root);
    REQUIRE(found);
    CHECK(found->pids.size() == 1);
    CHECK(found->pids.at(77) == std::vector<std::uint32_t>{3, 20});
    REQUIRE(found->processes.size() == 2);
    const ProcessFacts& two = found->processes.at(20);
    CHECK(two.comm == "two");
    CHECK(two.exe == "/usr/bin/two");
    CHECK(two.argv == std::vector<std::string>{"two", "-x"});
    CHECK(two.cgroup == "/system.slice/a.service");
    CHECK(found->processes.at(3).argv.empty());
    CHECK(found->unread == 0);
}

TEST_CASE("arguments beyond the bounds are left out, and a process that has gone is pid 0") {
    const test::TempDir directory;
    const std::string root = directory / "proc";
    process(root, 3, {}, "many", std::string(5000, 'a') + std::string(2000, '\0'));
    const ProcessFacts facts = process_facts(3, root);
    CHECK(facts.argv.size() == kArgumentsMax);
    CHECK(facts.argv[0].size() == kArgumentMax);
    CHECK(process_facts(4, root).pid == 0);
    CHECK_FALSE(find_socket_holders({1}, root + "/nowhere"));
}
