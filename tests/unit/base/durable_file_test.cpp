// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all. That they are on disk is not seen here: strace
// shows the calls.
#include "base/durable_file.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("a file that is replaced has the new text, for its owner alone, and leaves no other") {
    const TempDir directory;
    const std::string path = directory / "file";
    for (const std::string& text : {std::string(100'000, 'x'), std::string("short\0er", 8)}) {
        REQUIRE(replace_durably(path, text));
        CHECK(content(path) == text);
    }
    CHECK((fs::status(path).permissions() & fs::perms::mask) ==
          (fs::perms::owner_read | fs::perms::owner_write));
    CHECK_FALSE(fs::exists(path + ".new"));
}

TEST_CASE("a file that cannot be replaced stays as it was") {
    const TempDir directory;
    const std::string path = directory / "file";
    REQUIRE(replace_durably(path, "before"));
    fs::create_directory(path + ".new");
    CHECK_FALSE(replace_durably(path, "after"));
    CHECK(content(path) == "before");
}

TEST_CASE("what lies in wait beside a file is neither followed nor written into") {
    const TempDir directory;
    const std::string path = directory / "file";
    const std::string elsewhere = directory / "elsewhere";
    std::ofstream(elsewhere) << "other";
    SECTION("a link") {
        fs::create_symlink(elsewhere, path + ".new");
    }
    SECTION("a file that another has open") {
        fs::create_hard_link(elsewhere, path + ".new");
    }
    REQUIRE(replace_durably(path, "after"));
    CHECK(content(path) == "after");
    CHECK(content(elsewhere) == "other");
    CHECK(fs::is_regular_file(fs::symlink_status(path)));
}

TEST_CASE("a directory gets its name with what is in it, and none that is taken") {
    const TempDir directory;
    REQUIRE(make_directory_durably(directory / "a/b/new"));
    REQUIRE(make_directory_durably(directory / "a/b/new"));
    REQUIRE(write_durably(directory / "a/b/new/file", "text"));
    REQUIRE(rename_durably(directory / "a/b/new", directory / "a/b/1"));
    CHECK(content(directory / "a/b/1/file") == "text");
    REQUIRE(make_directory_durably(directory / "a/b/new"));
    CHECK_FALSE(rename_durably(directory / "a/b/new", directory / "a/b/1"));
    CHECK(content(directory / "a/b/1/file") == "text");
    CHECK_FALSE(make_directory_durably(directory / "a/b/1/file"));
    CHECK_FALSE(make_directory_durably(directory / "a/b/1/file/below"));
}

TEST_CASE("what is removed is gone, twice is no error, and a directory stays") {
    const TempDir directory;
    REQUIRE(write_durably(directory / "file", ""));
    CHECK(remove_durably(directory / "file"));
    CHECK_FALSE(fs::exists(directory / "file"));
    CHECK(remove_durably(directory / "file"));
    fs::create_directory(directory / "held");
    CHECK_FALSE(remove_durably(directory / "held"));
    CHECK(fs::exists(directory / "held"));
}
