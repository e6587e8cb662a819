// SPDX-License-Identifier: Apache-2.0
// Policies of tests/golden/config with what is said about each, word for word.
// A changed text is shown here; SP_GOLDEN=write puts the new one in place.
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sallyport;

namespace {

std::string content(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string report(const std::filesystem::path& path) {
    config_test::World world;
    for (const auto& file : std::filesystem::directory_iterator(path.parent_path()))
        if (file.path().extension() == ".netset")
            world.files[file.path().filename()] = content(file.path());
    const ParsedPolicy result = parse_policy(content(path), path.filename(), world.view());
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics) text += to_text(diagnostic);
    return text + (result.policy ? "policy: good\n" : "policy: refused\n");
}

} // namespace

TEST_CASE("what is said about a policy is said word for word") {
    const std::filesystem::path directory =
        std::filesystem::path(SP_SOURCE_DIR) / "tests/golden/config";
    const char* const write = std::getenv("SP_GOLDEN");
    std::size_t policies = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        if (file.path().extension() != ".toml") continue;
        ++policies;
        std::filesystem::path expected = file.path();
        expected.replace_extension(".txt");
        if (write != nullptr && std::string(write) == "write")
            std::ofstream(expected) << report(file.path());
        INFO(file.path());
        CHECK(report(file.path()) == content(expected));
    }
    CHECK(policies >= 5);
}

TEST_CASE("the example policies are good, and nothing is said about them") {
    std::size_t policies = 0;
    for (const auto& file : std::filesystem::directory_iterator(
             std::filesystem::path(SP_SOURCE_DIR) / "docs/examples")) {
        if (file.path().extension() != ".toml") continue;
        ++policies;
        INFO(file.path());
        CHECK(report(file.path()) == "policy: good\n");
    }
    CHECK(policies >= 1);
}
