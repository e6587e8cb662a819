// SPDX-License-Identifier: Apache-2.0
// On files of a directory that the test makes.
#include "jail/log_follower.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::jail;
namespace fs = std::filesystem;

namespace {

class Directory {
  public:
    Directory() : path_(fs::temp_directory_path() / ("sp-follow-" + std::to_string(::getpid()))) {
        fs::remove_all(path_);
        fs::create_directories(path_);
    }
    ~Directory() { fs::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    [[nodiscard]] std::string at(const std::string& name) const { return path_ / name; }
    void append(const std::string& name, const std::string& text) const {
        std::ofstream(at(name), std::ios::app | std::ios::binary) << text;
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(at(name), std::ios::trunc | std::ios::binary) << text;
    }
    void rename(const std::string& from, const std::string& to) const {
        fs::rename(at(from), at(to));
    }

  private:
    fs::path path_;
};

class Reader {
  public:
    Reader(const Directory& directory, const std::string& glob, bool tail = false)
        : follower_(make({.glob = directory.at(glob), .tail = tail})) {}

    // "name:line name:line" of what is new.
    std::string news() {
        std::string text;
        while (follower_.pump(1 << 20, [&](const std::string& path, std::string_view line) {
            text += (text.empty() ? "" : " ") + fs::path(path).filename().string() + ":";
            text += line.size() > 40 ? std::to_string(line.size()) : std::string(line);
        })) {
        }
        return text;
    }
    [[nodiscard]] bool has_event() const {
        struct pollfd waited{.fd = follower_.fd(), .events = POLLIN, .revents = 0};
        return ::poll(&waited, 1, 2000) == 1;
    }
    LogFollower& follower() { return follower_; }

  private:
    static LogFollower make(LogPath path) {
        auto made = LogFollower::make({std::move(path)});
        REQUIRE(made.has_value());
        return std::move(*made);
    }
    LogFollower follower_;
};

} // namespace

TEST_CASE("what is there is read first, then what is added, whole lines only") {
    const Directory logs;
    logs.write("a.log", "one\ntwo\n");
    Reader reader(logs, "a.log");
    CHECK(reader.news() == "a.log:one a.log:two");
    CHECK(reader.news().empty());
    logs.append("a.log", "thr");
    CHECK(reader.has_event());
    CHECK(reader.news().empty());
    logs.append("a.log", "ee\nfour\n");
    CHECK(reader.news() == "a.log:three a.log:four");
}

TEST_CASE("a log that is to be read from its end begins with what is added") {
    const Directory logs;
    logs.write("a.log", "old\nhal");
    Reader reader(logs, "a.log", true);
    CHECK(reader.news().empty());
    logs.append("a.log", "f\nnew\n");
    CHECK(reader.news() == "a.log:new"); // what it began within is no line
}

TEST_CASE("after a rename the old file is read to its end, and the new one from its beginning") {
    const Directory logs;
    logs.write("a.log", "one\n");
    Reader reader(logs, "a.log");
    CHECK(reader.news() == "a.log:one");
    logs.append("a.log", "two\n");
    logs.rename("a.log", "a.log.1");
    logs.append("a.log.1", "three\n"); // its writer has not noticed yet
    CHECK(reader.has_event());
    CHECK(reader.news() == "a.log:two a.log:three");
    logs.append("a.log.1", "four\n");
    CHECK(reader.news() == "a.log:four");
    logs.write("a.log", "five\n");
    CHECK(reader.has_event());
    logs.append("a.log.1", "late\n");
    CHECK(reader.news() == "a.log:late a.log:five");
    CHECK(reader.follower().counters().rotations == 1);
}

TEST_CASE("a file that is truncated in place is read from its beginning") {
    const Directory logs;
    logs.write("a.log", "one one one\ntwo two two\n");
    Reader reader(logs, "a.log");
    CHECK(reader.news() == "a.log:one one one a.log:two two two");
    logs.write("a.log", "three\n");
    CHECK(reader.news() == "a.log:three");
    // Even when it has grown past where we were before anyone looked.
    logs.write("a.log", "four\nfive\nsix\nseven\neight\n");
    CHECK(reader.news() == "a.log:four a.log:five a.log:six a.log:seven a.log:eight");
    CHECK(reader.follower().counters().truncations == 2);
}

TEST_CASE("a log that is not there yet, vanishes and comes back is followed all the same") {
    const Directory logs;
    Reader reader(logs, "sub/deep/a.log");
    CHECK(reader.news().empty());
    fs::create_directories(logs.at("sub/deep"));
    CHECK(reader.has_event());
    CHECK(reader.news().empty());
    logs.write("sub/deep/a.log", "one\n");
    CHECK(reader.has_event());
    CHECK(reader.news() == "a.log:one");
    fs::remove_all(logs.at("sub"));
    CHECK(reader.has_event());
    CHECK(reader.news().empty());
    CHECK(reader.follower().files().empty());
    fs::create_directories(logs.at("sub/deep"));
    CHECK(reader.news().empty());
    logs.write("sub/deep/a.log", "two\n");
    CHECK(reader.has_event());
    CHECK(reader.news() == "a.log:two");
}

TEST_CASE("a glob takes up new files, and lets go of removed ones after three looks") {
    const Directory logs;
    logs.write("a.log", "a\n");
    logs.write("a.txt", "no\n");
    Reader reader(logs, "*.log");
    CHECK(reader.news() == "a.log:a");
    logs.write("b.log", "b1\n");
    CHECK(reader.has_event());
    CHECK(reader.news() == "b.log:b1");
    CHECK(reader.follower().files().size() == 2);
    logs.append("b.log", "b2\nlast");
    fs::remove(logs.at("b.log"));
    CHECK(reader.news() == "b.log:b2");
    CHECK(reader.follower().files().size() == 1);
    std::string told;
    for (int i = 0; i < 4; ++i) {
        reader.follower().look();
        told += reader.news();
    }
    CHECK(told == "b.log:last");
}

TEST_CASE("what is no regular file is not read, and named") {
    const Directory logs;
    fs::create_directories(logs.at("dir.log"));
    REQUIRE(::mkfifo(logs.at("fifo.log").c_str(), 0600) == 0);
    logs.write("good.log", "x\n");
    Reader reader(logs, "*.log");
    CHECK(reader.news() == "good.log:x");
    CHECK(reader.follower().failures().size() == 2);
}

TEST_CASE("a line without end is dropped, and the lines after it are read") {
    const Directory logs;
    logs.write("a.log", "");
    Reader reader(logs, "a.log");
    CHECK(reader.news().empty());
    for (int i = 0; i < 40; ++i) logs.append("a.log", std::string(10'000, 'x'));
    CHECK(reader.news().empty());
    logs.append("a.log", "\nnext\n");
    CHECK(reader.news() == "a.log:next");
    CHECK(reader.follower().counters().too_long == 1);
}

TEST_CASE("a call reads no more than it may, and says that more is there") {
    const Directory logs;
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "0123456789\n";
    logs.write("a.log", text);
    logs.write("b.log", text);
    Reader reader(logs, "*.log");
    std::map<std::string, int> lines;
    const LogFollower::Sink sink = [&](const std::string& path, std::string_view) {
        ++lines[path];
    };
    CHECK(reader.follower().pump(1100, sink));
    CHECK(lines.size() == 1);
    CHECK(lines.begin()->second == 100);
    CHECK(reader.follower().pump(1100, sink));
    CHECK(lines.size() == 2); // the other one had its turn
    int calls = 2;
    while (reader.follower().pump(1100, sink)) ++calls;
    CHECK(calls >= 19);
    CHECK(lines[logs.at("a.log")] == 1000);
    CHECK(lines[logs.at("b.log")] == 1000);
}

TEST_CASE("of a log that is far behind the middle is skipped, and counted") {
    const Directory logs;
    logs.write("a.log", "first\n");
    Reader reader(logs, "a.log");
    CHECK(reader.news() == "a.log:first");
    {
        std::ofstream out(logs.at("a.log"), std::ios::app | std::ios::binary);
        const std::string block(1 << 20, '\n');
        for (int i = 0; i < 70; ++i) out << block;
        out << "last\n";
    }
    std::string last;
    while (reader.follower().pump(
        1 << 20, [&](const std::string&, std::string_view line) { last = std::string(line); })) {
    }
    CHECK(last == "last");
    CHECK(reader.follower().counters().skipped_bytes > (60u << 20));
}
