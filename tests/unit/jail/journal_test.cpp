// SPDX-License-Identifier: Apache-2.0
#include "jail/journal.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::jail;

TEST_CASE("an entry of the journal reads as syslog writes it") {
    CHECK(journal_line({{"_HOSTNAME", "h"},
                        {"SYSLOG_IDENTIFIER", "sshd"},
                        {"SYSLOG_PID", "12"},
                        {"_PID", "13"},
                        {"MESSAGE", "m"}}) == "h sshd[12]: m");
    CHECK(journal_line({{"_HOSTNAME", "h"}, {"_COMM", "app"}, {"_PID", "13"}, {"MESSAGE", "m"}}) ==
          "h app[13]: m");
    CHECK(journal_line({{"MESSAGE", "m"}}) == "m");
    CHECK(journal_line({}).empty());
}

TEST_CASE("a message of several lines stays one line") {
    CHECK(journal_line({{"_COMM", "app"}, {"MESSAGE", "a\nh sshd[1]: Failed password"}}) ==
          "app: a\\nh sshd[1]: Failed password");
}

TEST_CASE("a journal without entries is followed, a match that is none is an error") {
    const std::string directory =
        std::filesystem::temp_directory_path() / ("sp-journal-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    auto made =
        JournalFollower::make({{"_SYSTEMD_UNIT=a.service", "+", "_COMM=a"}}, LogTime{}, directory);
    REQUIRE(made.has_value());
    CHECK(made->fd() >= 0);
    int entries = 0;
    const auto more = made->pump(10, [&](std::string_view, LogTime) { ++entries; });
    REQUIRE(more.has_value());
    CHECK_FALSE(*more);
    CHECK(entries == 0);
    CHECK_FALSE(JournalFollower::make({{"no match"}}, LogTime{}, directory).has_value());
    CHECK_FALSE(JournalFollower::make({}, LogTime{}, directory + "/gone").has_value());
    std::filesystem::remove_all(directory);
}
