// SPDX-License-Identifier: Apache-2.0
#include "daemon/owner.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
namespace fs = std::filesystem;

namespace {

const std::string kId(64, 'a');

// A /proc of one process.
class FakeProc {
  public:
    FakeProc(std::uint32_t pid, const std::string& comm, std::uint64_t start_ticks)
        : process_(root / std::to_string(pid)) {
        fs::create_directories(process_ + "/task/" + std::to_string(pid));
        write("stat",
              fmt::format("{} ({}) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {} 1 2 3\n", pid,
                          comm, start_ticks));
        write("comm", comm + "\n");
        write(fmt::format("task/{}/comm", pid), comm + "\n");
        fs::create_symlink("/usr/bin/python3.11", process_ + "/exe");
    }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories(fs::path(process_ + "/" + name).parent_path());
        std::ofstream(process_ + "/" + name) << text;
    }
    void run(const std::string& executable) const {
        fs::remove(process_ + "/exe");
        fs::create_symlink(executable, process_ + "/exe");
    }
    [[nodiscard]] OwnerNames names(WallTime boot) const {
        return OwnerNames({.cgroup_root = "",
                           .host_cgroup = "/",
                           .proc_root = root / ".",
                           .boot_time = [boot] { return boot; },
                           .max_entries = 4});
    }
    TempDir root;

  private:
    std::string process_;
};

Event by_process(std::uint32_t pid, const std::string& comm) {
    Event event = exfil_attempt();
    event.exe.clear();
    event.pid = pid;
    event.comm = comm;
    return event;
}

std::uint64_t ticks(std::uint64_t seconds) {
    return seconds * static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

} // namespace

TEST_CASE("the unit is the first name that is no slice") {
    CHECK(unit_of_cgroup("/system.slice/ollama.service") == "ollama.service");
    CHECK(unit_of_cgroup("/system.slice/system-getty.slice/getty@tty1.service") ==
          "getty@tty1.service");
    CHECK(unit_of_cgroup("/init.scope") == "init.scope");
    CHECK(unit_of_cgroup("/user.slice/user-1000.slice/session-3.scope") == "session-3.scope");
    CHECK(unit_of_cgroup("/system.slice/ollama.service/worker") == "ollama.service");
}

TEST_CASE("a name below a unit is its own to choose and names no unit") {
    CHECK(unit_of_cgroup("/system.slice/evil.service/rag.service") == "evil.service");
    CHECK(unit_of_cgroup("/mine/rag.service") == "");
}

TEST_CASE("without a unit there is none") {
    for (const char* path :
         {"", "/", "//", "/system.slice", "/docker/x", "service", "/a.slice/b.slice"})
        CHECK(unit_of_cgroup(path).empty());
}

TEST_CASE("units count from the cgroup that the policy binds") {
    CHECK(unit_of_cgroup("/lab/system.slice/rag.service", "/lab") == "rag.service");
    CHECK(unit_of_cgroup("/lab/system.slice/rag.service", "/lab/") == "rag.service");
    CHECK(unit_of_cgroup("/lab/system.slice/rag.service") == "");
    CHECK(unit_of_cgroup("/labrador/system.slice/rag.service", "/lab") == "");
}

TEST_CASE("a container is known by the names that its engine gives") {
    for (const char* path :
         {"/system.slice/docker-{}.scope", "/docker/{}", "/docker/{}/init",
          "/machine.slice/libpod-{}.scope/container", "/kubepods/besteffort/pod1/{}",
          "/kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope",
          "/kubepods.slice/kubepods-pod1.slice/crio-{}.scope"})
        CHECK(container_of_cgroup(fmt::format(fmt::runtime(path), kId)) == kId);
}

TEST_CASE("what only looks like a container is none") {
    CHECK(container_of_cgroup("/system.slice/ollama.service").empty());
    CHECK(container_of_cgroup("/docker/" + kId.substr(1)).empty());
    CHECK(container_of_cgroup("/docker/" + kId + "a").empty());
    CHECK(container_of_cgroup("/docker/" + std::string(64, 'g')).empty());
    CHECK(container_of_cgroup("/system.slice/" + kId).empty());
    CHECK(container_of_cgroup("/machine.slice/libpod-conmon-" + kId + ".scope").empty());
    CHECK(container_of_cgroup("").empty());
}

TEST_CASE("of a container in a container the outer one is told") {
    CHECK(container_of_cgroup("/docker/" + kId + "/docker/" + std::string(64, 'b')) == kId);
}

TEST_CASE("the cgroup2 mount is found, wherever it is and however it is spelled") {
    CHECK(cgroup2_mount("30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n") ==
          "/sys/fs/cgroup");
    CHECK(cgroup2_mount(
              "31 24 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
              "41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw,relatime - cgroup2 cgroup2 rw\n") ==
          "/sys/fs/cgroup/uni fied");
    CHECK_FALSE(cgroup2_mount("31 24 0:27 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n"));
    CHECK_FALSE(cgroup2_mount(""));
    CHECK_FALSE(cgroup2_mount("garbage\n1 2 3\n- cgroup2\n41 31 0:38 / /x rw -\n"));
}

TEST_CASE("an executable is named while the process is the same") {
    const FakeProc proc(4242, "python3", ticks(100));
    OwnerNames names = proc.names(some_time() - std::chrono::seconds{200});
    CHECK(names.executable(by_process(4242, "python3")) == "/usr/bin/python3.11");
    CHECK(names.complete(by_process(4242, "python3")).exe == "/usr/bin/python3.11");
    CHECK(names.executable(by_process(4243, "python3")).empty());
}

TEST_CASE("a process that began after the event is another one with the same number") {
    const FakeProc proc(4242, "python3", ticks(100));
    OwnerNames names = proc.names(some_time() - std::chrono::seconds{90});
    CHECK(names.executable(by_process(4242, "python3")).empty());
}

TEST_CASE("a process of another name is not the one, but a thread's name will do") {
    const FakeProc proc(4242, "python3", ticks(100));
    OwnerNames names = proc.names(some_time() - std::chrono::seconds{200});
    CHECK(names.executable(by_process(4242, "worker-7")).empty());
    proc.write("task/4250/comm", "worker-7\n");
    CHECK(names.executable(by_process(4242, "worker-7")) == "/usr/bin/python3.11");
}

TEST_CASE("a remembered executable is not believed of a later process of that number") {
    const FakeProc proc(4242, "python3", ticks(100));
    OwnerNames names = proc.names(some_time() - std::chrono::seconds{200});
    REQUIRE(names.executable(by_process(4242, "python3")) == "/usr/bin/python3.11");
    proc.run("/usr/bin/other");
    CHECK(names.executable(by_process(4242, "python3")) == "/usr/bin/python3.11");
    proc.write("stat",
               fmt::format("4242 (a ) b) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {} 1\n",
                           ticks(101)));
    CHECK(names.executable(by_process(4242, "python3")) == "/usr/bin/other");
}

TEST_CASE("what is known already is not looked up again") {
    const FakeProc proc(4242, "python3", ticks(100));
    OwnerNames names = proc.names(some_time() - std::chrono::seconds{200});
    Event event = by_process(4242, "python3");
    event.exe = "/known";
    event.cgroup = "/system.slice/docker-" + kId + ".scope";
    event.unit.clear();
    const Event complete = names.complete(event);
    CHECK(complete.exe == "/known");
    CHECK(complete.unit == "docker-" + kId + ".scope");
    CHECK(complete.container == kId);
}

TEST_CASE("without a cgroup hierarchy no cgroup is found and nothing fails") {
    const FakeProc proc(1, "init", 0);
    OwnerNames names = proc.names(some_time());
    CHECK_FALSE(names.cgroup_path(1));
    Event event = exfil_attempt();
    event.cgroup.clear();
    event.unit.clear();
    event.cgroup_id = 77;
    CHECK(names.complete(event).cgroup.empty());
}

TEST_CASE("a directory is found by its number when handles cannot be used, and remembered") {
    // No cgroupfs: handles of that kind are refused there, so the tree is searched.
    const TempDir root;
    fs::create_directories(root / "system.slice/rag.service");
    struct stat about{};
    REQUIRE(::stat((root / "system.slice/rag.service").c_str(), &about) == 0);
    OwnerNames names({.cgroup_root = root / "system.slice/..",
                      .host_cgroup = "/",
                      .proc_root = "/proc",
                      .boot_time = {},
                      .max_entries = 2});
    const auto path = names.cgroup_path(about.st_ino);
    if (path) { // a file system that takes the handle says "gone" instead
        CHECK(*path == "/system.slice/rag.service");
        fs::remove(root / "system.slice/rag.service");
        CHECK(names.cgroup_path(about.st_ino) == path);
    }
    CHECK_FALSE(names.cgroup_path(about.st_ino + 1'000'000));
}

TEST_CASE("on this machine a cgroup's number leads to its path") {
    const OwnerSources sources = system_owner_sources("/");
    if (sources.cgroup_root.empty()) SKIP("no cgroup2 is mounted here");
    OwnerNames names(sources);
    struct stat about{};
    REQUIRE(::stat(sources.cgroup_root.c_str(), &about) == 0);
    CHECK(names.cgroup_path(about.st_ino) == "/");
    CHECK_FALSE(names.cgroup_path(~std::uint64_t{0}));
}
