// SPDX-License-Identifier: Apache-2.0
// The review of a week: who came most, in bounded room, and text that any mail can carry.
#include "drift/review.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <sstream>

using namespace sallyport;
using namespace sallyport::drift;

namespace {

bool fits_a_mail(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.size() > 78 ||
            std::ranges::any_of(line, [](char c) { return c < ' ' || c > '~'; }))
            return false;
    return text.empty() || text.ends_with('\n');
}

} // namespace

TEST_CASE("a ranking that has room for all counts exactly") {
    Ranking before(10), now(10);
    before.add("old", 3);
    now.add("old", 2);
    now.add("fresh", 2);
    now.add("most", 5);
    now.add("old", 1);
    CHECK(now.top(2, before) == std::vector<Ranked>{{"most", 5, true}, {"old", 3, false}});
    CHECK((now.total() == 10 && now.short_by() == 0));
    CHECK(now.top(9, before).size() == 3);
    CHECK(Ranking(4).top(5, before).empty());
}

TEST_CASE(
    "a ranking with too little room keeps whoever is frequent, short by no more than it says") {
    Ranking ranking(9);
    for (int i = 0; i < 10000; i++) {
        ranking.add("often", 3);
        ranking.add("once " + std::to_string(i), 1);
    }
    CHECK(ranking.names() <= 9);
    CHECK(ranking.total() == 40000);
    const std::vector<Ranked> top = ranking.top(1, Ranking(1));
    REQUIRE(top.size() == 1);
    CHECK(top[0].name == "often");
    CHECK(top[0].count + ranking.short_by() >= 30000);
    CHECK(ranking.short_by() <= 2 * 40000 / 9);
}

TEST_CASE("a ranking is not sure who is new where the time before had no room for all") {
    Ranking before(2), now(2);
    for (const char* name : {"a", "b", "c"}) before.add(name, 1);
    now.add("a", 1);
    CHECK(before.short_by() != 0);
    CHECK_FALSE(now.top(1, before)[0].is_new);
}

TEST_CASE("a ranking of counts that no number holds stays at the highest") {
    Ranking ranking(2);
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    ranking.add("a", most - 1);
    ranking.add("a", 7);
    CHECK((ranking.total() == most && ranking.top(1, Ranking(1))[0].count == most));
}

TEST_CASE("a ranking without room has nobody and ends") {
    Ranking none(0);
    none.add("one", 7);
    CHECK((none.names() == 0 && none.total() == 7 && none.short_by() == 7));
}

TEST_CASE("long lines are broken at spaces, and words that are longer where they must") {
    CHECK(wrapped("short", 4) == "short\n");
    CHECK(wrapped("", 4).empty());
    const std::string words = wrapped(std::string(70, 'a') + " " + std::string(20, 'b'), 4);
    CHECK(words == std::string(70, 'a') + "\n    " + std::string(20, 'b') + "\n");
    CHECK(fits_a_mail(wrapped(std::string(1000, 'x'), 15)));
    CHECK(fits_a_mail(wrapped("    " + std::string(1000, 'x'), 100)));
    CHECK(fits_a_mail(wrapped(std::string(1000, ' ') + "x", 8)));
}

TEST_CASE("what is no ASCII, or would move a terminal, is made plain") {
    CHECK(wrapped("\xc3\xa9t\xc3\xa9 \x1b[31m\xff", 0) == "?t? \\x1b[31m\\xff\n");
}

TEST_CASE("an empty review and a full one fit a mail, and name what they have") {
    Review review;
    CHECK(fits_a_mail(render(review)));
    CHECK(render(review).find("There is no log of events") != std::string::npos);
    review.host = "gpu-07";
    review.from = "2026-01-01T00:00:00Z";
    review.to = "2026-01-08T00:00:00Z";
    review.state = "protected";
    Report report;
    Finding finding;
    finding.id = "map";
    finding.about = std::string(200, 'm');
    finding.text = std::string(300, 't');
    finding.details.assign(10, std::string(200, 'd'));
    finding.more = 7;
    finding.next = "sallyport apply " + std::string(90, 'f');
    report.findings.push_back(finding);
    review.drift = report;
    review.unused_rules = {"ingress \"ssh\""};
    review.rules = 4;
    review.arriving = {.top = {{"192.0.2.7", 40, true}, {"192.0.2.8", 4, false}},
                       .total = 44,
                       .before = 5,
                       .short_by = 2};
    review.bans_by = {{"by hand", 1}};
    review.bans_ended = {{"by jail:ssh", 1}};
    review.lost = {{"ring-full", 12}};
    review.changes = {"2026-01-02T03:04 policy 2 applied by root: why not"};
    review.reaches_back = "2026-01-03T00:00:00Z";
    review.unread = 1;
    const std::string text = render(review);
    CHECK(fits_a_mail(text));
    for (const char* part :
         {"review of the week", "and 7 more", "ingress \"ssh\"", "Of 4 rules",
          "        40 new 192.0.2.7\n", "         4     192.0.2.8\n", "short by up to 2",
          "ring-full", "reaches back to", "policy 2 applied"})
        CHECK(text.find(part) != std::string::npos);
    CHECK(to_json(review)["arriving"]["top"][0]["new"] == true);
    CHECK(to_json(review)["drift"]["drift"] == true);
}
