// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"
#include "event/json.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <vector>
#include <zlib.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

std::string line_at(WallTime when, std::uint16_t port) {
    Event event = refused_syn("192.0.2.7", port);
    event.at = when;
    return to_json_line(event) + "\n";
}

class Log {
  public:
    Log() : path(root / "events.jsonl") {}
    void write(const std::string& ending, const std::string& text) const {
        std::ofstream(path + ending, std::ios::binary) << text;
    }
    void pack(const std::string& ending, const std::string& text) const {
        const gzFile file = gzopen((path + ending).c_str(), "wb");
        gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
        gzclose(file);
    }
    // The ports of what was read, in order.
    std::vector<int> ports(WallTime from = {}, WallTime to = some_time() + 24h) {
        std::vector<int> found;
        read = read_event_log(path, from, to, [&](const Event& event) {
            found.push_back(event.dst_port.value_or(0));
        });
        std::ranges::sort(found);
        return found;
    }
    TempDir root;
    std::string path;
    LogRead read;
};

using Ports = std::vector<int>;

} // namespace

TEST_CASE("the log is read with all that was rotated of it, packed or not") {
    Log log;
    log.write("", line_at(some_time(), 1));
    log.write(".1", line_at(some_time() - 1h, 2));
    log.write(".2", line_at(some_time() - 2h, 3));
    log.pack(".3.gz", line_at(some_time() - 3h, 4));
    log.write("-20260101", line_at(some_time() - 4h, 5));
    log.pack("-20260102-1767312000.gz", line_at(some_time() - 5h, 6) + line_at(some_time(), 7));
    log.write(".10", line_at(some_time(), 8));  // somebody removed some
    log.write(".99", line_at(some_time(), 99)); // too far away to be one of the row
    log.write("x", line_at(some_time(), 98));
    CHECK(log.ports() == Ports{1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(log.read.has_log);
    CHECK((log.read.unread_files == 0 && log.read.unread_lines == 0));
}

TEST_CASE("only what is of the time is given, by its edges") {
    Log log;
    for (int i = 0; i < 5; ++i)
        log.write(i == 0 ? "" : "." + std::to_string(i),
                  line_at(some_time() + 1us * i, static_cast<std::uint16_t>(i)));
    CHECK(log.ports(some_time() + 1us, some_time() + 3us) == Ports{1, 2});
}

TEST_CASE("what cannot be read is counted, and the rest is read") {
    Log log;
    log.write("", line_at(some_time(), 1) +
                      "garbage\n{\"ts\":\"2026-01-02T03:04:05.678901Z\"}\n\n" +
                      line_at(some_time(), 2) + std::string(2'000'000, 'x') + "\n" +
                      line_at(some_time(), 3).substr(0, 40));
    log.write("-20260101.xz", "xz");
    log.write(".7.zst", "zst");
    REQUIRE(mkfifo((log.path + "-20260103").c_str(), 0600) == 0); // which nobody writes into
    log.pack("-20260102.gz", line_at(some_time(), 4));
    std::filesystem::resize_file(log.path + "-20260102.gz", 30); // cut off
    CHECK(log.ports() == Ports{1, 2});
    CHECK(log.read.unread_files == 3);
    CHECK(log.read.unread_lines == 5); // the empty one and half a line are among them
}

TEST_CASE("without a log there is none, and an empty one is one") {
    Log log;
    CHECK(log.ports().empty());
    CHECK_FALSE(log.read.has_log);
    log.write("", "");
    CHECK(log.ports().empty());
    CHECK(log.read.has_log);
}

TEST_CASE("what is being packed is read once") {
    Log log;
    log.write("", line_at(some_time(), 1));
    log.write(".1", line_at(some_time(), 2));
    log.pack(".1.gz", line_at(some_time(), 2));
    log.write("-20260102", line_at(some_time(), 3));
    log.write("-20260102.gz", "\x1f\x8b"); // half written
    CHECK(log.ports() == Ports{1, 2, 3});
    CHECK(log.read.unread_files == 0);
}

TEST_CASE("how far the log reaches back is said of lines and files that are not given too") {
    Log log;
    log.write("", line_at(some_time(), 1));
    log.write(".1", "{\"ts\":\"\"}\n" + line_at(some_time() - 48h, 2));
    CHECK(log.ports(some_time() - 1h) == Ports{1});
    CHECK(log.read.reaches_back == some_time() - 48h);
    const auto old = std::chrono::file_clock::now() - 24h * 365;
    std::filesystem::last_write_time(log.path + ".1", old);
    CHECK(log.ports(some_time() - 1h) == Ports{1});
    REQUIRE(log.read.reaches_back);
    CHECK(*log.read.reaches_back < std::chrono::system_clock::now() - 24h * 364);
}

TEST_CASE("a log without a directory in its name is the one here") {
    Log log;
    log.write(".1.gz", line_at(some_time(), 1));
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(std::filesystem::path(log.path).parent_path());
    std::vector<int> found;
    static_cast<void>(
        read_event_log("events.jsonl", {}, some_time() + 24h,
                       [&](const Event& event) { found.push_back(event.dst_port.value_or(0)); }));
    std::filesystem::current_path(before);
    CHECK(found == Ports{1});
}

TEST_CASE("a name that logrotate gives the file while it is read gives nothing twice") {
    Log log;
    log.write("", line_at(some_time(), 1));
    std::filesystem::create_hard_link(log.path, log.path + "-20260102");
    CHECK(log.ports() == Ports{1});
}
