// SPDX-License-Identifier: Apache-2.0
// Who asks, as the history names him.
#include "daemon/policy_keeper.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

std::string named(const std::string& environment, uid_t uid = 0) {
    const TempDir directory;
    const std::string proc = directory / "proc";
    std::filesystem::create_directories(proc + "/7");
    std::ofstream(proc + "/7/environ", std::ios::binary) << environment;
    return name_of_asker(7, uid, proc);
}

} // namespace

TEST_CASE("who became root by sudo is named with who he was before") {
    using namespace std::string_literals;
    CHECK(named("HOME=/root\0SUDO_USER=mia\0SUDO_UID=1000\0"s) == "root (mia)");
    CHECK(named("SUDO_USER=mia"s) == "root (mia)");
    CHECK(named("HOME=/root\0NOT_SUDO_USER=mia\0"s) == "root");
    CHECK(named("SUDO_USER=\0HOME=/root\0"s) == "root");
    CHECK(named("") == "root");
    CHECK(named("SUDO_USER=mia\0"s, 4'000'000'000U) == "uid 4000000000 (mia)");
}

TEST_CASE("of a process that has ended the user alone is known") {
    const TempDir directory;
    CHECK(name_of_asker(7, 0, directory / "proc") == "root");
}
