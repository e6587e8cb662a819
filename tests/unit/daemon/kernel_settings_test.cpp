// SPDX-License-Identifier: Apache-2.0
// Sysctls that a policy has set, and what becomes of those that were there.
#include "daemon/kernel_settings.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <stdlib.h>

namespace sallyport {
namespace {

class Machine {
  public:
    Machine() {
        char name[] = "/tmp/sallyport-settings-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        directory_ = name;
        std::filesystem::create_directories(directory_ + "/sys/net/ipv4");
        set("1");
    }
    ~Machine() { std::filesystem::remove_all(directory_); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    // Both: SYN cookies and the time stamps that they are kept in.
    void set(const std::string& value) const {
        for (const char* name : {"tcp_syncookies", "tcp_timestamps"}) set(name, value);
    }
    void set(const std::string& name, const std::string& value) const {
        std::ofstream(directory_ + "/sys/net/ipv4/" + name) << value << "\n";
    }
    [[nodiscard]] std::string value() const {
        const std::string cookies = value("tcp_syncookies"), stamps = value("tcp_timestamps");
        return cookies == stamps ? cookies : cookies + " and " + stamps;
    }
    [[nodiscard]] std::string value(const std::string& name) const {
        std::ifstream in(directory_ + "/sys/net/ipv4/" + name);
        std::string value;
        in >> value;
        return value;
    }
    [[nodiscard]] std::string record() const { return directory_ + "/state/sysctls.json"; }
    [[nodiscard]] KernelSettings process() const {
        return KernelSettings(directory_ + "/state", directory_ + "/sys/");
    }

  private:
    std::string directory_;
};

Policy wanting(Sysctls sysctls) {
    Rule rule;
    rule.services.ranges = {{.proto = 6, .low = 80, .high = 80}};
    rule.limit = Limit{};
    rule.limit->rate.count = 1;
    Policy policy;
    policy.host.sysctls = sysctls;
    policy.rules = {rule};
    return policy;
}

} // namespace

TEST_CASE("what a policy asks of the kernel is set, told, and put back by another process") {
    const Machine machine;
    std::vector<std::string> notes;
    machine.process().follow(wanting(Sysctls::set), notes);
    CHECK(machine.value() == "2");
    CHECK(notes == std::vector<std::string>{"net.ipv4.tcp_syncookies is 2 now, and was 1",
                                            "net.ipv4.tcp_timestamps is 2 now, and was 1"});
    machine.process().follow(wanting(Sysctls::set), notes); // a restart
    CHECK(notes.size() == 2);
    machine.process().restore();
    CHECK(machine.value() == "1");
    CHECK_FALSE(std::filesystem::exists(machine.record()));
}

TEST_CASE("a policy that only checks, or asks for nothing, sets nothing and puts back") {
    const Machine machine;
    std::vector<std::string> notes;
    machine.process().follow(wanting(Sysctls::check), notes);
    CHECK(machine.value() == "1");
    Policy none = wanting(Sysctls::set);
    none.rules[0].limit->cookies = false;
    machine.process().follow(none, notes);
    CHECK(machine.value() == "1");
    machine.process().follow(wanting(Sysctls::set), notes);
    machine.process().follow(none, notes);
    CHECK(machine.value() == "1");
}

TEST_CASE(
    "a setting that is as wanted, or that somebody has changed since, is nobody's to restore") {
    const Machine machine;
    std::vector<std::string> notes;
    machine.set("2");
    machine.process().follow(wanting(Sysctls::set), notes);
    machine.process().restore();
    CHECK(machine.value() == "2");
    machine.set("1");
    machine.process().follow(wanting(Sysctls::set), notes);
    machine.set("0");
    machine.process().restore();
    CHECK(machine.value() == "0");
    CHECK_FALSE(std::filesystem::exists(machine.record()));
}

TEST_CASE("of two settings each is put back to what it was itself") {
    const Machine machine;
    std::vector<std::string> notes;
    machine.set("tcp_timestamps", "0");
    machine.process().follow(wanting(Sysctls::set), notes);
    CHECK(machine.value() == "2");
    machine.set("tcp_syncookies", "0"); // somebody else, since
    machine.process().restore();
    CHECK(machine.value("tcp_syncookies") == "0");
    CHECK(machine.value("tcp_timestamps") == "0");
    machine.set("1");
    // Set by a version that knew of one.
    machine.process().follow(wanting(Sysctls::set), notes);
    std::ofstream(machine.record())
        << R"({"net/ipv4/tcp_syncookies": {"before": "1", "ours": "2"}})";
    machine.set("tcp_timestamps", "1");
    machine.process().follow(wanting(Sysctls::set), notes);
    CHECK(machine.value() == "2");
    machine.process().restore();
    CHECK(machine.value() == "1");
}

TEST_CASE("a record that makes no sense restores nothing") {
    const Machine machine;
    std::filesystem::create_directories(std::filesystem::path(machine.record()).parent_path());
    for (const char* text : {"", "[]", "{\"net/ipv4/tcp_syncookies\": 1}",
                             "{\"../../etc/x\": {\"before\": \"1\", \"ours\": \"2\"}}"}) {
        std::ofstream(machine.record()) << text;
        machine.process().restore();
        CHECK(machine.value() == "1");
    }
}

TEST_CASE("a record that cannot be read restores nothing") {
    const Machine machine;
    std::filesystem::create_directories(machine.record()); // a directory opens, and reading fails
    machine.process().restore();
    CHECK(machine.value() == "1");
}

TEST_CASE("what cannot be set is told, and leaves no record") {
    const Machine machine;
    std::vector<std::string> notes;
    KernelSettings elsewhere("/proc/sallyport-nowhere", "/proc/sys/nowhere/");
    elsewhere.follow(wanting(Sysctls::set), notes);
    REQUIRE(notes.size() == 2);
    CHECK(notes[0] == "net.ipv4.tcp_syncookies cannot be set to 2");
    CHECK(notes[1] == "net.ipv4.tcp_timestamps cannot be set to 2");
}

} // namespace sallyport
