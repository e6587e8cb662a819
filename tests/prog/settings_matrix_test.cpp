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
    // Where the host is makes no branch of its own: both ends of it are enough. For a kernel
    // without netfilter programs its hook is TC's, which the loader sees to.
    for (unsigned number = 0; number < 2 * 2 * 2 * 3; ++number) {
        sp_settings settings = bench_settings();
        settings.ask_slot = number & 1;
        settings.forget_flows = number >> 1 & 1;
        settings.flow_sets = (number >> 2 & 1) * 64;
        settings.flow_max = settings.flow_sets * SP_FLOW_WAYS;
        settings.host_level = settings.flow_sets == 0 ? 3 : 0;
        settings.host_netns = settings.flow_sets == 0 ? 0 : 1;
        settings.forward_hook = number >> 3;
        Result<Programs> programs =
            Programs::load(LoadOptions{.settings = settings, .pin_dir = {}});
        INFO(describe(settings));
        INFO((programs ? std::string()
                       : programs.error().text() + "\n" + programs.error().verifier_log));
        CHECK(programs.has_value());
        CHECK((programs && programs->refusal().empty()));
    }
}

TEST_CASE("settings of nothing but zeroes load too") {
    enter_machine();
    Result<Programs> programs = Programs::load(LoadOptions{});
    INFO((programs ? std::string()
                   : programs.error().text() + "\n" + programs.error().verifier_log));
    CHECK(programs.has_value());
}
