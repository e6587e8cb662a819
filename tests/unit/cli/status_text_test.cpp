// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"
#include "cli/status_text.h"
#include "support/golden.h"
#include "support/statuses.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

std::string first_line(const StatusView& status) {
    const std::string text = render_status(status, Colour::never);
    return text.substr(0, text.find('\n'));
}

} // namespace

TEST_CASE("the status of a busy host reads as the golden file has it") {
    const std::string text = render_status(some_status(), Colour::never);
    CHECK(text == golden("cli/status.txt", text));
}

TEST_CASE("a status with packet sockets reads as the golden file has it") {
    const std::string text = render_status(with_sockets(), Colour::never);
    CHECK(text == golden("cli/status_sockets.txt", text));
    StatusView looked = some_status();
    looked.packet_sockets.emplace();
    CHECK(render_status(looked, Colour::never) == render_status(some_status(), Colour::never));
}

TEST_CASE("the status of a host without a wall reads as the golden file has it") {
    StatusView status;
    status.why = "no pins at /sys/fs/bpf/sallyport";
    const std::string text = render_status(status, Colour::never);
    CHECK(text == golden("cli/status_down.txt", text));
}

TEST_CASE("the first line says whether the host is protected") {
    StatusView status;
    CHECK(first_line(status) == "NOT protected");
    status.why = "eth0 has lost its hook";
    CHECK(first_line(status) == "NOT protected: eth0 has lost its hook");
    status.state = "observing";
    status.why = "";
    CHECK(first_line(status) == "observing: nothing is dropped");
    status.state = "protected";
    CHECK(first_line(status) == "protected");
    status.state = "something new";
    CHECK(first_line(status) == "NOT protected");
}

TEST_CASE("colours change no word of the status") {
    const std::string coloured = render_status(some_status(), Colour::always);
    CHECK(coloured.find('\033') != std::string::npos);
    CHECK(render_status(some_status(), Colour::never).find('\033') == std::string::npos);
}

TEST_CASE("names in the status cannot steer the terminal") {
    StatusView status = some_status();
    const std::string evil = "a\033[2J\n";
    status.why = status.policy_by = status.policy_file = evil;
    status.rules[0].name = status.hooks[0].iface = evil;
    status.blind = {evil};
    status.packet_sockets = {{.pid = 1,
                              .comm = evil,
                              .exe = evil,
                              .uid = 0,
                              .cgroup = evil,
                              .unit = evil,
                              .family = evil,
                              .ethertype = evil,
                              .iface = evil,
                              .netns = "host",
                              .qdisc_bypass = false}};
    status.reasons[evil] = 1;
    const std::string text = render_status(status, Colour::never);
    CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("a daemon of another version is named, and none of the same or of no daemon") {
    StatusView status = some_status();
    status.version = "0.0.9";
    CHECK(render_status(status, Colour::never).find("daemon  version 0.0.9, this command ") !=
          std::string::npos);
    for (const std::string& version : {std::string(own_version()), std::string()}) {
        status.version = version;
        CHECK(render_status(status, Colour::never).find("daemon ") == std::string::npos);
    }
    status.version = "0\x1b[2J";
    CHECK(render_status(status, Colour::never).find('\x1b') == std::string::npos);
}
