// SPDX-License-Identifier: Apache-2.0
#include "jail/date_detector.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;
using namespace std::chrono;

namespace {

const LogTime kNow = sys_days(year(2026) / 3 / 10) + hours(12);

DateDetector detector(const std::vector<std::string>& texts) {
    std::vector<Pattern> patterns;
    for (const std::string& text : texts) patterns.push_back({text, {}, "datepattern", 1});
    auto made = DateDetector::make(patterns, 0); // UTC where a line has no zone
    REQUIRE(made.has_value());
    return std::move(*made);
}
// "2026-03-10T12:00:00 | what is left of the line".
std::string found(DateDetector& dates, std::string line) {
    const std::optional<FoundDate> date = dates.find(line, kNow);
    if (!date) return "none";
    line.erase(date->where.begin, date->where.end - date->where.begin);
    if (!date->time) return "no time | " + line;
    const auto day = floor<days>(*date->time);
    const year_month_day ymd(day);
    const hh_mm_ss time(floor<seconds>(*date->time - day));
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", int(ymd.year()),
                  unsigned(ymd.month()), unsigned(ymd.day()), int(time.hours().count()),
                  int(time.minutes().count()), int(time.seconds().count()));
    return std::string(text) + " | " + line;
}
std::string found_by(const std::string& pattern, const std::string& line) {
    DateDetector dates = detector({pattern});
    return found(dates, line);
}
std::string by_default(const std::string& line) {
    return found_by("{DEFAULT}", line);
}

} // namespace

TEST_CASE("the default detectors know the common ways to write a date") {
    CHECK(by_default("2026-01-23T21:59:58.98 x") == "2026-01-23T21:59:58 |  x");
    CHECK(by_default("2026-01-23 21:59:58 +0200 x") == "2026-01-23T19:59:58 |  x");
    CHECK(by_default("[2026/01/23 21:59:58] x") == "2026-01-23T21:59:58 | [] x");
    CHECK(by_default("Jan 23 21:59:58 host x") == "2026-01-23T21:59:58 |  host x");
    CHECK(by_default("Sun Jan 23 21:59:58.011 2005 x") == "2005-01-23T21:59:58 |  x");
    CHECK(by_default("1.2.3.4 - - [31/Oct/2006:09:22:55 -0100] x") ==
          "2006-10-31T10:22:55 | 1.2.3.4 - - [] x");
    CHECK(by_default("23/01/2005 21:59:58 x") == "2005-01-23T21:59:58 |  x");
    CHECK(by_default("05/20/2008:01:57:39 x") == "2008-05-20T01:57:39 |  x");
    CHECK(by_default("1138049999 x") == "2006-01-23T20:59:59 |  x");
    CHECK(by_default("type=A msg=audit(1138049999.123:1): x") ==
          "2006-01-23T20:59:59 | type=A msg=audit(:1): x");
    CHECK(by_default("@4000000043d5444f2b0f2e74 x") == "2006-01-23T21:02:07 |  x");
    CHECK(by_default("130322 11:46:11 x") == "2013-03-22T11:46:11 |  x");
    CHECK(by_default("20050123T215958 x") == "2005-01-23T21:59:58 |  x");
    CHECK(by_default("nothing of the kind") == "none");
}

TEST_CASE("what a line leaves out of its date is the last time that it was so") {
    CHECK(by_default("Mar  9 10:00:00 x") == "2026-03-09T10:00:00 |  x");
    CHECK(by_default("Dec 31 23:00:00 x") == "2025-12-31T23:00:00 |  x");
    CHECK(by_default("11:00:00 x") == "2026-03-10T11:00:00 |  x");
    CHECK(by_default("13:00:00 x") == "2026-03-09T13:00:00 |  x");
}

TEST_CASE("what looks like a date and is none has no time") {
    CHECK(by_default("2026-02-30 10:00:00 x") == "no time |  x");
    CHECK(found_by("%Y-%m-%d", "0000-12-30 x") == "no time |  x");
    CHECK(found_by("%Y-%m-%d", "2024-02-29 x") == "2024-02-29T00:00:00 |  x");
}

TEST_CASE("patterns are tied to the line and to words as they say") {
    CHECK(found_by("{^LN-BEG}%Y-%m-%d", "[2026-01-02] x") == "2026-01-02T00:00:00 | [] x");
    CHECK(found_by("{^LN-BEG}%Y-%m-%d", "at 2026-01-02 x") == "none");
    CHECK(found_by("^%Y-%m-%d", "2026-01-02 x") == "2026-01-02T00:00:00 |  x");
    CHECK(found_by("^%Y-%m-%d", "[2026-01-02 x") == "none");
    CHECK(found_by("%Y-%m-%d", "at 2026-01-02x") == "none");
    CHECK(found_by("{UNB}%Y-%m-%d", "at2026-01-02x") == "2026-01-02T00:00:00 | atx");
    CHECK(found_by("%Y-%m-%d**", "at 2026-01-02x") == "2026-01-02T00:00:00 | at x");
    CHECK(found_by("{NONE}", "2026-01-02 x") == "no time | 2026-01-02 x");
    CHECK(found_by("^<\\d+>\\d+\\s+{DATE}", "<1>1 2026-01-02T03:04:05Z x") ==
          "2026-01-02T03:04:05 |  x");
    CHECK(found_by("^id-{EPOCH}", "id-1138049999 x") == "2006-01-23T20:59:59 |  x");
    CHECK(found_by("{LEPOCH}", "1138049999123 x") == "2006-01-23T20:59:59 |  x");
}

TEST_CASE("a date in a message does not take the place of the line's own") {
    DateDetector dates = detector({"{DEFAULT}"});
    CHECK(found(dates, "Jan 23 21:59:58 host app: user 2005-06-07 01:02:03 from") ==
          "2026-01-23T21:59:58 |  host app: user 2005-06-07 01:02:03 from");
    CHECK(found(dates, "Jan 23 21:59:59 host app: user 1138049999 from") ==
          "2026-01-23T21:59:59 |  host app: user 1138049999 from");
}

TEST_CASE("zones are read by name and by offset") {
    CHECK(parse_zone("UTC") == 0);
    CHECK(parse_zone("Z") == 0);
    CHECK(parse_zone("CEST") == 120);
    CHECK(parse_zone("-0330") == -210);
    CHECK(parse_zone("+05:45") == 345);
    CHECK(parse_zone("CET+0100") == 120);
    CHECK(parse_zone("+02") == 120);
    for (const char* text : {"XYZQ", "+1", "+12345", "+ab", "utc"})
        CHECK(parse_zone(text) == std::nullopt);
}
