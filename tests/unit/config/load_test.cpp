// SPDX-License-Identifier: Apache-2.0
// Files from the disk: who may own and write them, and what they must be.
#include "config/parse.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;

namespace {

// A directory of this test alone, gone with it.
class Directory {
  public:
    Directory() {
        std::string name =
            (std::filesystem::temp_directory_path() / "sallyport-load-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string write(const std::string& name, const std::string& text,
                                    mode_t mode = 0600) const {
        const std::string path = at(name);
        std::ofstream(path) << text;
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    }
    [[nodiscard]] std::string at(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

const std::string kPolicy = "schema = 1\n[host]\ninterfaces = [\"eth0\"]\n";
const std::string kWithZone =
    kPolicy + "[zones]\nz = {file = \"z.netset\"}\n[exfil]\ninside = \"z\"\n";

} // namespace

TEST_CASE("a policy file of ours is loaded, readable by others or not") {
    const Directory directory;
    for (const mode_t mode : {0600u, 0644u, 0400u}) {
        const Result<ParsedPolicy> result = load_policy(directory.write("p.toml", kPolicy, mode));
        REQUIRE(result);
        CHECK(result->policy);
        CHECK(result->diagnostics.empty());
        std::filesystem::remove(directory.at("p.toml"));
    }
}

TEST_CASE("a policy file that others can write is refused") {
    const Directory directory;
    for (const mode_t mode : {0620u, 0602u, 0666u, 0664u}) {
        const Result<ParsedPolicy> result = load_policy(directory.write("p.toml", kPolicy, mode));
        INFO(mode);
        REQUIRE_FALSE(result);
        CHECK(result.error().kind == ErrorKind::permission);
        CHECK(result.error().message.find("can be written by others") != std::string::npos);
        CHECK_FALSE(result.error().hint.empty());
    }
}

TEST_CASE("a policy file of somebody else is refused") {
    if (::geteuid() != 0) SKIP("only root can give a file away");
    const Directory directory;
    const std::string path = directory.write("p.toml", kPolicy);
    REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
    const Result<ParsedPolicy> result = load_policy(path);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::permission);
    CHECK(result.error().message.find("belongs to user 12345") != std::string::npos);
}

TEST_CASE("what is no regular file is refused without waiting") {
    const Directory directory;
    REQUIRE(::mkfifo(directory.at("fifo").c_str(), 0600) == 0);
    for (const std::string& path :
         {directory.at("fifo"), directory.at(""), std::string("/dev/zero")}) {
        INFO(path);
        const Result<ParsedPolicy> result = load_policy(path);
        REQUIRE_FALSE(result);
        CHECK(result.error().message.find("not a regular file") != std::string::npos);
    }
}

TEST_CASE("a file that is not there is an error of that kind") {
    const Directory directory;
    const Result<ParsedPolicy> result = load_policy(directory.at("no.toml"));
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::not_found);
}

TEST_CASE("a symbolic link is followed to a file that is judged as it is") {
    const Directory directory;
    const std::string path = directory.write("p.toml", kPolicy);
    REQUIRE(::symlink(path.c_str(), directory.at("link").c_str()) == 0);
    CHECK(load_policy(directory.at("link")));
    REQUIRE(::chmod(path.c_str(), 0666) == 0);
    CHECK_FALSE(load_policy(directory.at("link")));
}

TEST_CASE("a file over its size is refused before it is read") {
    const Directory directory;
    const std::string path = directory.write("p.toml", kPolicy);
    REQUIRE(::truncate(path.c_str(), 64ll * 1024 * 1024 + 1) == 0);
    const Result<ParsedPolicy> result = load_policy(path);
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find("larger than 64 MiB") != std::string::npos);
}

TEST_CASE("zone files are read beside the policy, and judged like it") {
    const Directory directory;
    const std::string policy = directory.write("p.toml", kWithZone);
    const std::string zone = directory.write("z.netset", "10.0.0.0/8\n");
    const Result<ParsedPolicy> good = load_policy(policy);
    REQUIRE(good);
    REQUIRE(good->policy);
    CHECK(good->policy->exfil_inside.parts.at(0).networks->size() == 1);

    REQUIRE(::chmod(zone.c_str(), 0666) == 0);
    const Result<ParsedPolicy> writable = load_policy(policy);
    REQUIRE(writable);
    CHECK_FALSE(writable->policy);
    REQUIRE(writable->diagnostics.size() == 1);
    CHECK(writable->diagnostics[0].line == 5);
    CHECK(writable->diagnostics[0].message.find("can be written by others") != std::string::npos);

    std::filesystem::remove(zone);
    const Result<ParsedPolicy> missing = load_policy(policy);
    REQUIRE(missing);
    CHECK_FALSE(missing->policy);
    CHECK(missing->diagnostics.at(0).message.find("No such file") != std::string::npos);
}

TEST_CASE("an empty file is read as such") {
    const Directory directory;
    const Result<ParsedPolicy> result = load_policy(directory.write("p.toml", ""));
    REQUIRE(result);
    CHECK_FALSE(result->policy);
    CHECK(result->diagnostics.size() == 2);
}

TEST_CASE("the system knows root, and not everybody") {
    const ParseWorld world = system_world();
    CHECK(world.user_id("root") == 0u);
    CHECK_FALSE(world.user_id("no-such-user-of-sallyport"));
    CHECK_FALSE(world.service_port("no-such-service-of-sallyport", 6));
    CHECK_FALSE(world.service_port("ssh", 1));
}
