// SPDX-License-Identifier: Apache-2.0
// A list's change in steps, over a table alone.
#include "daemon/ban_listing.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using Phase = BanListing::Phase;

namespace {

// In order, half of either family.
std::vector<Prefix> networks(int from, int to) {
    std::vector<Prefix> all;
    for (int i = from; i < to; ++i) {
        all.push_back(parse_prefix(fmt::format("203.0.{}.{}", i / 250, i % 250)).value());
        all.push_back(parse_prefix(fmt::format("2001:db8:{:x}::/48", i)).value());
    }
    std::ranges::sort(all);
    return all;
}

bool has_all(const BanTable& table, const std::vector<Prefix>& all) {
    return std::ranges::all_of(all, [&](const Prefix& one) { return table.is_listed(one); });
}

bool always(const Prefix&) {
    return true;
}

} // namespace

TEST_CASE("what a list newly names is there before anything that it names no more is lifted") {
    BanTable table;
    const std::vector<Prefix> before = networks(0, 100);
    const std::vector<Prefix> wanted = networks(50, 150);
    for (const Prefix& one : before) table.enlist(one);
    BanListing change("blocked", wanted);
    bool saw_between = false;
    while (change.phase() != Phase::done) {
        change.step(before, table, always, 7);
        saw_between = saw_between || (change.added() == 100 && change.lifted() == 0);
        CHECK((has_all(table, before) || has_all(table, wanted)));
        CHECK(change.standing(before).size() == table.listed());
        CHECK(has_all(table, change.standing(before)));
    }
    CHECK(saw_between);
    CHECK(change.standing(before) == wanted);
    CHECK(table.listed() == wanted.size());
    CHECK(change.followed().added == 100);
    CHECK(change.followed().lifted == 100);
    CHECK(change.followed().beyond == 0);
}

TEST_CASE("a list that changes again goes on from where the change was left, at any step") {
    const std::vector<Prefix> before = networks(0, 20);
    const std::vector<Prefix> wanted = networks(10, 30);
    const std::vector<Prefix> last = networks(5, 25);
    for (int steps = 0; steps < 30; ++steps) {
        BanTable table;
        for (const Prefix& one : before) table.enlist(one);
        BanListing change("blocked", wanted);
        for (int i = 0; i < steps; ++i) change.step(before, table, always, 3);
        const std::vector<Prefix> stands = change.standing(before);
        BanListing again("blocked", last, change.followed());
        while (again.phase() != Phase::done) again.step(stands, table, always, 3);
        CHECK(again.standing(stands) == last);
        CHECK(table.listed() == last.size());
        CHECK(has_all(table, last));
    }
}

TEST_CASE("what has no place waits for what is lifted, and only the rest is left out") {
    BanTable table;
    const std::vector<Prefix> before = networks(0, 10);
    const std::vector<Prefix> wanted = networks(5, 20);
    for (const Prefix& one : before) table.enlist(one);
    const auto has_place = [&](const Prefix&) { return table.listed() < 24; };
    BanListing change("blocked", wanted);
    while (change.phase() != Phase::done) change.step(before, table, has_place, 1);
    CHECK(table.listed() == 24);
    CHECK(change.followed().added == 14);
    CHECK(change.followed().lifted == 10);
    CHECK(change.followed().beyond == 6);
    CHECK(change.standing(before).size() == 24);
}
