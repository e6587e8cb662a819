// SPDX-License-Identifier: Apache-2.0
// Settings are read-only data, and the verifier prunes what they switch off: so
// every combination is another program to it, and each must load.
#include "kernel/programs.h"
#include "support/instance.h"
#include "support/machine.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

std::string describe(const sp_settings& s) {
    return "ask_slot " + std::to_string(s.ask_slot) + ", forget_flows " +
           std::to_string(s.forget_flows) + ", flow_sets " + std::to_string(s.flow_sets) +
           ", forward_hook " + std::to_string(s.forward_hook) + ", host_level " +
           std::to_string(s.host_level) + ", host_netns " + std::to_string(s.host_netns);
}

} // namespace

TEST_CASE("every combination of settings loads") {
    enter_machine();
    for (std::uint32_t ask_slot : {0u, 1u}) {
        for (std::uint32_t forget : {0u, 1u}) {
            for (std::uint32_t sets : {0u, 64u}) {
                // Where the host is makes no branch of its own: both ends of it are enough.
                sp_settings settings = bench_settings();
                settings.ask_slot = ask_slot;
                settings.forget_flows = forget;
                settings.flow_sets = sets;
                settings.flow_max = sets * SP_FLOW_WAYS;
                settings.host_level = sets == 0 ? 3 : 0;
                settings.host_netns = sets == 0 ? 0 : 1;
                settings.forward_hook = forget == 0 ? SP_FORWARD_NETFILTER
                                        : sets == 0 ? SP_FORWARD_TC_INGRESS
                                                    : SP_FORWARD_AT_NIC;
                Result<Programs> programs =
                    Programs::load(LoadOptions{.settings = settings, .pin_dir = {}});
                INFO(describe(settings));
                INFO((programs ? std::string()
                               : programs.error().text() + "\n" + programs.error().verifier_log));
                CHECK(programs.has_value());
            }
        }
    }
}

TEST_CASE("settings of nothing but zeroes load too") {
    enter_machine();
    Result<Programs> programs = Programs::load(LoadOptions{});
    INFO((programs ? std::string()
                   : programs.error().text() + "\n" + programs.error().verifier_log));
    CHECK(programs.has_value());
}
