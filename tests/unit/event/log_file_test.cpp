// SPDX-License-Identifier: Apache-2.0
#include "event/json.h"
#include "event/log_file.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
namespace fs = std::filesystem;

namespace {

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const std::string& path) {
    struct stat about{};
    return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777 : 0;
}

void put(LogFile& log, const std::string& line) {
    log.take(refused_syn(), line);
}

// As a full disk: no file of this process may grow past `bytes`.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) {
        before_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &limit_);
        const rlimit tight{.rlim_cur = bytes, .rlim_max = limit_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &tight);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &limit_);
        std::signal(SIGXFSZ, before_);
    }

  private:
    rlimit limit_{};
    void (*before_)(int) = nullptr;
};

} // namespace

TEST_CASE("lines are appended to what a file holds already") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    for (const char* line : {"one", "two"}) {
        const auto log = LogFile::open({.path = path});
        REQUIRE(log);
        put(**log, line);
    }
    CHECK(content(path) == "one\ntwo\n");
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0137) == 0);
}

TEST_CASE("a file that is made may be read by its group, whatever the umask") {
    const TempDir dir;
    const mode_t before = ::umask(0077);
    const auto log = LogFile::open({.path = dir / "events.jsonl", .readers = ::getegid()});
    ::umask(before);
    REQUIRE(log);
    CHECK(mode_of(dir / "events.jsonl") == 0640);
    CHECK(::chmod((dir / "events.jsonl").c_str(), 0600) == 0);
    REQUIRE(LogFile::open({.path = dir / "events.jsonl"}));
    CHECK(mode_of(dir / "events.jsonl") == 0600); // somebody wanted it so
}

TEST_CASE("a file with a command line in it is root's alone, the next one is not") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path, .max_bytes = 2000, .keep = 1});
    REQUIRE(log);
    Event event = refused_syn();
    const std::string line = to_json_line(event);
    (*log)->take(event, line);
    CHECK(mode_of(path) == 0640);
    event.cmdline = "curl -u root:secret";
    (*log)->take(event, line);
    CHECK(mode_of(path) == 0600);
    CHECK(content(path) == line + "\n" + to_json_line(event) + "\n");
    for (int i = 0; i < 20 && !fs::exists(path + ".1"); ++i) (*log)->take(refused_syn(), line);
    CHECK(mode_of(path + ".1") == 0600);
    CHECK(mode_of(path) == 0640);
    for (int i = 0; i < 20; ++i) (*log)->take(event, line);
    CHECK(mode_of(path) == 0600);
}

TEST_CASE("a file in a directory that is missing is an error that says what to do") {
    const TempDir dir;
    const auto log = LogFile::open({.path = dir / "no/events.jsonl"});
    REQUIRE_FALSE(log);
    CHECK_FALSE(log.error().hint.empty());
}

TEST_CASE("a log is not written through a link or into what is no file") {
    const TempDir dir;
    fs::create_symlink(dir / "elsewhere", dir / "link");
    CHECK_FALSE(LogFile::open({.path = dir / "link"}));
    fs::create_directory(dir / "directory");
    CHECK_FALSE(LogFile::open({.path = dir / "directory"}));
    CHECK_FALSE(LogFile::open({.path = "/dev/null"}));
}

TEST_CASE("a file that would pass its size is rotated, the newest first, the oldest dropped") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path, .max_bytes = 20, .keep = 2});
    REQUIRE(log);
    for (int i = 0; i < 8; ++i) put(**log, fmt::format("line-{:04}", i)); // ten bytes each
    CHECK(content(path) == "line-0006\nline-0007\n");
    CHECK(content(path + ".1") == "line-0004\nline-0005\n");
    CHECK(content(path + ".2") == "line-0002\nline-0003\n");
    CHECK_FALSE(fs::exists(path + ".3"));
    CHECK((*log)->lost() == 0);
}

TEST_CASE("with nothing to keep a full file starts over") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path, .max_bytes = 20, .keep = 0});
    REQUIRE(log);
    for (int i = 0; i < 3; ++i) put(**log, fmt::format("line-{:04}", i));
    CHECK(content(path) == "line-0002\n");
    CHECK_FALSE(fs::exists(path + ".1"));
}

TEST_CASE("a line larger than a file may be is written alone") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path, .max_bytes = 8, .keep = 3});
    REQUIRE(log);
    put(**log, "a line of more than eight bytes");
    put(**log, "b");
    CHECK(content(path + ".1") == "a line of more than eight bytes\n");
    CHECK(content(path) == "b\n");
}

TEST_CASE("a file that was removed or moved away is made anew") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path});
    REQUIRE(log);
    put(**log, "one");
    fs::remove(path);
    put(**log, "two");
    CHECK(content(path) == "two\n");
    fs::rename(path, dir / "moved");
    put(**log, "three");
    CHECK(content(path) == "three\n");
    CHECK(content(dir / "moved") == "two\n");
}

TEST_CASE("a directory that went and came back costs the lines between, and they are counted") {
    const TempDir dir;
    fs::create_directory(dir / "log");
    const std::string path = dir / "log/events.jsonl";
    const auto log = LogFile::open({.path = path});
    REQUIRE(log);
    fs::remove_all(dir / "log");
    put(**log, "one");
    put(**log, "two");
    CHECK((*log)->lost() == 2);
    const auto began = (*log)->take_change();
    REQUIRE(began);
    CHECK(began->error);
    CHECK_FALSE((*log)->take_change()); // said once
    fs::create_directory(dir / "log");
    put(**log, "three");
    CHECK((*log)->lost() == 0);
    const auto ended = (*log)->take_change();
    REQUIRE(ended);
    CHECK_FALSE(ended->error);
    CHECK(ended->lost == 2);
    std::istringstream lines(content(path));
    std::string gap, line;
    std::getline(lines, gap);
    std::getline(lines, line);
    const auto event = event_from_json(gap);
    REQUIRE(event);
    CHECK(event->kind == EventKind::lost);
    CHECK(event->lost_by == LostBy::log_file);
    CHECK(event->count == 2);
    CHECK(line == "three");
}

TEST_CASE("on a full disk no half line stays, and it goes on when there is room") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    const auto log = LogFile::open({.path = path});
    REQUIRE(log);
    put(**log, "0123456789");
    {
        const FullDisk full(15);
        put(**log, "abcdefghij"); // four of its bytes would fit
        put(**log, "klmnopqrst");
    }
    CHECK(content(path) == "0123456789\n");
    CHECK((*log)->lost() == 2);
    CHECK((*log)->take_change()->error);
    put(**log, "after");
    CHECK(content(path).ends_with("\"count\":2}\nafter\n"));
    CHECK_FALSE((*log)->take_change()->error);
}

TEST_CASE("a line that a crash cut short does not swallow the next") {
    const TempDir dir;
    const std::string path = dir / "events.jsonl";
    std::ofstream(path) << "whole\nhal";
    const auto log = LogFile::open({.path = path});
    REQUIRE(log);
    put(**log, "next");
    CHECK(content(path) == "whole\nhal\nnext\n");
}
