// SPDX-License-Identifier: Apache-2.0
#include "daemon/owner.h"
#include "support/events.h"
#include "support/fake_proc.h"
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

OwnerNames names_in(const TempDir& root, std::size_t max_entries = 4) {
    OwnerSources sources;
    sources.processes.proc_root = root / "proc";
    sources.passwd = root / "passwd";
    sources.engines_root = root / "engines";
    sources.max_entries = max_entries;
    return OwnerNames(std::move(sources));
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

TEST_CASE("the slice is the one that the unit is in") {
    CHECK(slice_of_cgroup("/system.slice/ollama.service") == "system.slice");
    CHECK(slice_of_cgroup("/user.slice/user-1000.slice/session-3.scope") == "user-1000.slice");
    CHECK(slice_of_cgroup("/user.slice/user-1000.slice") == "user-1000.slice");
    CHECK(slice_of_cgroup("/lab/a.slice/rag.service", "/lab") == "a.slice");
    CHECK(slice_of_cgroup("/docker/x/evil.slice").empty());
    CHECK(slice_of_cgroup("/system.slice/a.service/evil.slice") == "system.slice");
    CHECK(slice_of_cgroup("").empty());
}

TEST_CASE("a job of Slurm's is known by the cgroups that slurmd makes") {
    const auto of = [](const char* path) {
        const SlurmJob job = slurm_job_of_cgroup(path);
        return job.job + "." + job.step;
    };
    CHECK(of("/system.slice/slurmstepd.scope/job_123/step_0/user/task_0") == "123.0");
    CHECK(of("/system.slice/gpu07_slurmstepd.scope/job_7/step_batch/user/task_special") ==
          "7.batch");
    CHECK(of("/system.slice/slurmstepd.scope/job_123") == "123.");
    CHECK(of("/system.slice/slurmstepd.scope/system") == ".");
    CHECK(of("/system.slice/slurmstepd.scope") == ".");
    CHECK(of("/system.slice/slurmstepd.scope/job_1x/step_0") == ".");
    CHECK(of("/user.slice/job_123/step_0") == ".");
    CHECK(of("") == ".");
}

TEST_CASE("an event is completed with what its cgroup, process and user are called") {
    const FakeProc proc(4242, "python3", 0);
    const TempDir root;
    std::ofstream(root / "passwd") << "root:x:0:0::/root:/bin/sh\nml:x:1001:1001::/:/bin/sh\n";
    fs::create_directories(root / ("engines/var/lib/docker/containers/" + kId));
    std::ofstream(root / ("engines/var/lib/docker/containers/" + kId + "/config.v2.json"))
        << R"({"ID":"x","Name":"/rag"})";
    OwnerSources sources = {.cgroup_root = "",
                            .host_cgroup = "/",
                            .processes = proc.sources(WallTime{}),
                            .passwd = root / "passwd",
                            .engines_root = root / "engines",
                            .max_entries = 4};
    OwnerNames names(sources);
    Event event = by_process(4242, "python3");
    event.cgroup = "/system.slice/docker-" + kId + ".scope";
    event.unit.clear();
    const Event complete = names.complete(event);
    CHECK(complete.exe == "/usr/bin/python3.11");
    CHECK(complete.user == "ml");
    CHECK(complete.ppid == 1U);
    CHECK(complete.unit == "docker-" + kId + ".scope");
    CHECK(complete.slice == "system.slice");
    CHECK(complete.container == kId);
    CHECK(complete.container_name == "rag");
    CHECK(complete.cmdline.empty());
}

TEST_CASE("what is known already is not looked up again") {
    const FakeProc proc(4242, "python3", 0);
    OwnerSources sources;
    sources.processes = proc.sources(WallTime{});
    OwnerNames names(std::move(sources));
    Event event = by_process(4242, "python3");
    event.exe = "/known";
    event.user = "known";
    event.cgroup = "/system.slice/ollama.service";
    event.unit = "known.service";
    const Event complete = names.complete(event);
    CHECK(complete.exe == "/known");
    CHECK(complete.user == "known");
    CHECK(complete.unit == "known.service");
}

TEST_CASE("without a cgroup hierarchy no cgroup is found and nothing fails") {
    const TempDir root;
    OwnerNames names = names_in(root);
    CHECK_FALSE(names.cgroup_path(1));
    Event event = exfil_attempt();
    event.cgroup.clear();
    event.unit.clear();
    event.cgroup_id = 77;
    const Event complete = names.complete(event);
    CHECK(complete.cgroup.empty());
    CHECK(complete.user.empty());
}

TEST_CASE("a directory is found by its number when handles cannot be used, and remembered") {
    // No cgroupfs: handles of that kind are refused there, so the tree is searched.
    const TempDir root;
    fs::create_directories(root / "system.slice/rag.service");
    struct stat about{};
    REQUIRE(::stat((root / "system.slice/rag.service").c_str(), &about) == 0);
    OwnerSources sources;
    sources.cgroup_root = root / "system.slice/..";
    sources.max_entries = 2;
    OwnerNames names(std::move(sources));
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
