// SPDX-License-Identifier: Apache-2.0
#include "daemon/paths.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

using namespace sallyport;

namespace {

Paths with(std::map<std::string, std::string> variables) {
    return paths_from([&](const char* name) -> const char* {
        const auto at = variables.find(name);
        return at == variables.end() ? nullptr : at->second.c_str();
    });
}

} // namespace

TEST_CASE("without variables the usual directories are used") {
    CHECK(with({}) == Paths{});
    CHECK(with({}).control_socket() == "/run/sallyport/control.sock");
    CHECK(with({}).events_log() == "/var/log/sallyport/events.jsonl");
    CHECK(with({}).bpffs == "/sys/fs/bpf/sallyport");
    CHECK(with({}).state_dir == "/var/lib/sallyport");
}

TEST_CASE("each variable moves its own directory") {
    const Paths paths = with({{"SALLYPORT_BPFFS", "/b"},
                              {"SALLYPORT_RUN_DIR", "/r/"},
                              {"SALLYPORT_STATE_DIR", "/s//"},
                              {"SALLYPORT_LOG_DIR", "/"}});
    CHECK(paths == Paths{.bpffs = "/b", .run_dir = "/r", .state_dir = "/s", .log_dir = "/"});
}

TEST_CASE("an empty variable moves nothing") {
    CHECK(with({{"SALLYPORT_RUN_DIR", ""}}) == Paths{});
}
