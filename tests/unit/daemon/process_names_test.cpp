// SPDX-License-Identifier: Apache-2.0
#include "daemon/process_names.h"
#include "support/fake_proc.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t ticks(std::uint64_t seconds) {
    return seconds * static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

std::string exe_of(ProcessNames& names, std::uint32_t pid, const std::string& comm) {
    const ProcessSeen* seen = names.find(by_process(pid, comm));
    return seen == nullptr ? "" : seen->exe;
}

} // namespace

TEST_CASE("a process is named while it is the same") {
    const FakeProc proc(4242, "python3", ticks(100));
    proc.write_root("1/comm", "systemd\n");
    ProcessNames names(proc.sources(some_time() - 200s));
    const ProcessSeen* seen = names.find(by_process(4242, "python3"));
    REQUIRE(seen != nullptr);
    CHECK(seen->exe == "/usr/bin/python3.11");
    CHECK(seen->parent == 1);
    CHECK(seen->parent_comm == "systemd");
    CHECK(seen->command_line.empty());
    CHECK(seen->gpus.empty());
    CHECK(names.find(by_process(4243, "python3")) == nullptr);
    Event nobody = exfil_attempt();
    nobody.pid = std::nullopt;
    CHECK(names.find(nobody) == nullptr);
}

TEST_CASE("a process that began after the event is another one with the same number") {
    const FakeProc proc(4242, "python3", ticks(100));
    ProcessNames names(proc.sources(some_time() - 90s));
    CHECK(exe_of(names, 4242, "python3").empty());
}

TEST_CASE("a process of another name is not the one, but a thread's name will do") {
    const FakeProc proc(4242, "python3", ticks(100));
    ProcessNames names(proc.sources(some_time() - 200s));
    CHECK(exe_of(names, 4242, "worker-7").empty());
    proc.write("task/4250/comm", "worker-7\n");
    CHECK(exe_of(names, 4242, "worker-7") == "/usr/bin/python3.11");
}

TEST_CASE("what is remembered is not believed of a later process of that number") {
    const FakeProc proc(4242, "python3", ticks(100));
    ProcessNames names(proc.sources(some_time() - 200s));
    REQUIRE(exe_of(names, 4242, "python3") == "/usr/bin/python3.11");
    proc.link("exe", "/usr/bin/other");
    CHECK(exe_of(names, 4242, "python3") == "/usr/bin/python3.11");
    proc.write("stat",
               fmt::format("4242 (a ) b) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {} 1\n",
                           ticks(101)));
    CHECK(exe_of(names, 4242, "python3") == "/usr/bin/other");
}

TEST_CASE("a process that has gone is remembered for a minute, by its own name only") {
    FakeProc proc(4242, "curl", ticks(100));
    ProcessNames names(proc.sources(some_time() - 200s));
    REQUIRE(exe_of(names, 4242, "curl") == "/usr/bin/python3.11");
    proc.end();
    proc.now += 59s;
    CHECK(exe_of(names, 4242, "curl") == "/usr/bin/python3.11");
    CHECK(exe_of(names, 4242, "wget").empty());
    proc.now += 1s;
    CHECK(exe_of(names, 4242, "curl").empty());
}

TEST_CASE("a command line is read only where it is asked for, and forgotten where it is no more") {
    const FakeProc proc(4242, "curl", ticks(100));
    const std::string arguments("curl\0-d\0a b\0it's\0\0", 18);
    proc.write("cmdline", arguments);
    ProcessNames names(proc.sources(some_time() - 200s));
    REQUIRE(names.find(by_process(4242, "curl")) != nullptr);
    CHECK(names.find(by_process(4242, "curl"))->command_line.empty());
    names.tell_command_lines(true);
    CHECK(names.find(by_process(4242, "curl"))->command_line == "curl -d 'a b' 'it'\\''s' ''");
    names.tell_command_lines(false);
    CHECK(names.find(by_process(4242, "curl"))->command_line.empty());
}

TEST_CASE("of a long command line the beginning is told") {
    const FakeProc proc(4242, "curl", ticks(100));
    proc.write("cmdline", std::string(100'000, 'a'));
    ProcessNames names(proc.sources(some_time() - 200s));
    names.tell_command_lines(true);
    CHECK(names.find(by_process(4242, "curl"))->command_line == std::string(4096, 'a'));
}

TEST_CASE("a line of arguments reads as a shell would take it") {
    CHECK(command_line_of("").empty());
    CHECK(command_line_of("a") == "a");
    CHECK(command_line_of(std::string_view("a\0b", 3)) == "a b");
    CHECK(command_line_of(std::string_view("a\0\0b\0", 5)) == "a '' b");
    CHECK(command_line_of("$(x)") == "'$(x)'");
    CHECK(command_line_of("http://h:1/p?q=1&r") == "'http://h:1/p?q=1&r'");
    CHECK(command_line_of("--a=b,c") == "--a=b,c");
}

TEST_CASE("a GPU that a process opens is seen when it is looked at again") {
    FakeProc proc(4242, "python3", ticks(100));
    proc.write_root("devices", "Character devices:\n  1 drm\n\nBlock devices:\n  8 sd\n");
    ProcessNames names(proc.sources(some_time() - 200s));
    REQUIRE(names.find(by_process(4242, "python3"))->gpus.empty());
    proc.link("fd/3", "/dev/null"); // 1:3
    CHECK(names.find(by_process(4242, "python3"))->gpus.empty());
    proc.now += 10s;
    CHECK(names.find(by_process(4242, "python3"))->gpus == std::vector<std::string>{"dri/card3"});
}

TEST_CASE("garbage in the place of a process is no process") {
    const FakeProc proc(4242, "python3", ticks(100));
    ProcessNames names(proc.sources(some_time() - 200s));
    for (const char* stat : {"", "4242", "4242 (a", "4242 (a) S", "4242 (a) S x 1 1",
                             "4242 (a) S 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 x 1"}) {
        proc.write("stat", stat);
        CHECK(names.find(by_process(4242, "python3")) == nullptr);
    }
}

TEST_CASE("what is remembered stays within its bound") {
    const FakeProc proc(1, "a", ticks(100));
    ProcessNames names(proc.sources(some_time() - 200s));
    for (std::uint32_t pid = 1; pid <= 20; ++pid) {
        for (const char* file : {"stat", "comm"})
            proc.write_root(fmt::format("{}/{}", pid, file),
                            std::string(file) == "comm"
                                ? std::string("a\n")
                                : fmt::format("{} (a) S 1 1 1 0 -1 0 1 0 0 0 0 "
                                              "0 0 0 20 0 1 0 7 1\n",
                                              pid));
        CHECK(names.find(by_process(pid, "a")) != nullptr);
    }
}
