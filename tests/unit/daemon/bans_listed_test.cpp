// SPDX-License-Identifier: Apache-2.0
// Bans by lists: read, changed in steps, and what they leave room for.
#include "unit/daemon/ban_machine.h"

#include <filesystem>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

TEST_CASE("a list that cannot be read at the start lifts nothing") {
    BanMachine machine;
    machine.list = {net("203.0.113.0/24"), net("10.0.0.0/8")};
    auto bans = machine.start();
    bans->set_lists({{.zone = "blocked", .file = "/blocked"}}, machine.notes);
    CHECK(machine.notes.size() == 1); // 10.0.0.1 is this host's
    CHECK(machine.bars("203.0.113.0/24"));
    CHECK_FALSE(machine.bars("10.0.0.0/8"));
    machine.list.reset();
    bans = machine.start();
    CHECK(machine.bars("203.0.113.0/24"));
    CHECK_FALSE(bans->follow_list(bans->lists().at(0)));
    CHECK(machine.bars("203.0.113.0/24"));
    machine.list = {net("192.0.2.1")};
    const Bans::Followed followed = bans->follow_list(bans->lists().at(0)).value();
    CHECK(followed.added == 1);
    CHECK(followed.lifted == 1);
    CHECK_FALSE(machine.bars("203.0.113.0/24"));
    bans->set_lists({}, machine.notes);
    CHECK(bans->active() == 0);
    CHECK(machine.entries() == 0);
}

TEST_CASE("a list leaves places for bans by hand, and says what it left out") {
    for (const bool is_v6 : {false, true}) {
        BanMachine machine;
        machine.most = 32;
        const auto network = [&](const char* kind, int number) {
            return net(fmt::format("{}{}{}", is_v6 ? "2001:db8:" : "203.0.113.",
                                   is_v6 ? (*kind == 'l' ? ":" : "1::") : "",
                                   number + (!is_v6 && *kind != 'l' ? 100 : 0))
                           .c_str());
        };
        machine.list->clear();
        for (int i = 1; i <= 40; ++i) machine.list->push_back(network("list", i));
        const auto bans = machine.start();
        bans->set_lists({{.zone = "blocked", .file = "/blocked"}}, machine.notes);
        CHECK(bans->named_by("blocked") == 30);
        CHECK(machine.entries() == 30);
        REQUIRE(machine.notes.size() == 1);
        CHECK(machine.notes[0] == "/blocked: 10 networks are left out: all places for lists are "
                                  "taken; those that are left are for bans by hand and by jails");
        const auto by_hand = [&](int i) { return bans->ban({.network = network("hand", i)}); };
        REQUIRE(by_hand(1));
        REQUIRE(by_hand(2));
        const Result<BanOutcome> third = by_hand(3); // none is left of all
        REQUIRE_FALSE(third);
        CHECK(third.error().kind == ErrorKind::conflict);
        // What goes out of the list makes place for what it names beyond.
        machine.list->erase(machine.list->begin(), machine.list->begin() + 10);
        const Bans::Followed followed = bans->follow_list(bans->lists().at(0)).value();
        CHECK(followed.lifted == 10);
        CHECK(followed.added == 10);
        CHECK(followed.beyond == 0);
        // The next start finds the same.
        const auto again = machine.start();
        CHECK(again->active() == 32);
        CHECK(machine.entries() == 32);
    }
}

TEST_CASE("while a list changes in steps others are served, and a start in between is whole") {
    BanMachine machine(5000);
    const auto lines = [](int from, int to) {
        std::vector<Prefix> all;
        for (int i = from; i < to; ++i) {
            all.push_back(net(fmt::format("203.0.{}.{}", i / 250, i % 250).c_str()));
            all.push_back(net(fmt::format("2001:db8:{:x}::1", i).c_str()));
        }
        return all;
    };
    const BanList list{.zone = "blocked", .file = "/blocked"};
    machine.list = lines(0, 600);
    auto bans = machine.start();
    bans->set_lists({list}, machine.notes);
    CHECK(bans->named_by("blocked") == 1200);
    static_cast<void>(bans->take_news());
    const auto steps = [&](int count) {
        return bans->step_lists([&count] { return count-- > 0; });
    };
    machine.list = lines(600, 1200);
    REQUIRE(bans->begin_list(list));
    CHECK(bans->is_listing());
    CHECK(steps(2).empty());
    CHECK(machine.entries() > 1200);
    CHECK(bans->named_by("blocked") == machine.entries());
    CHECK(machine.bars("203.0.0.7")); // not lifted yet
    CHECK(banned(*bans, "192.0.2.1") == BanAnswer::banned);
    CHECK(machine.bars("192.0.2.1"));
    // A file that cannot be read meanwhile changes nothing of it.
    machine.list.reset();
    CHECK_FALSE(bans->begin_list(list));
    CHECK(bans->is_listing());
    // Killed now: the next start has what the file says, and nothing else of before.
    machine.list = lines(600, 1200);
    bans = machine.start();
    CHECK_FALSE(bans->is_listing());
    CHECK(machine.entries() == 1201);
    CHECK_FALSE(machine.bars("203.0.0.7"));
    CHECK(machine.bars("2001:db8:4af::1"));
    // It changes twice; what was done of the first is told with the second.
    machine.list = lines(1200, 1800);
    REQUIRE(bans->begin_list(list));
    CHECK(steps(2).empty());
    machine.list = lines(600, 700);
    REQUIRE(bans->begin_list(list));
    const auto done = steps(1000);
    REQUIRE(done.size() == 1);
    CHECK(done[0].failure.empty());
    CHECK(done[0].followed.added == 512);
    CHECK(done[0].followed.lifted == 1512);
    CHECK_FALSE(bans->is_listing());
    CHECK(bans->named_by("blocked") == 200);
    CHECK(machine.entries() == 201);
    const std::vector<BanNews> news = bans->take_news();
    REQUIRE(news.size() == 2);
    CHECK(news[0].count == 512);
    CHECK(news[1].count == 1512);
    // A policy that does not name it any more ends it at any step.
    machine.list = lines(0, 600);
    REQUIRE(bans->begin_list(list));
    CHECK(steps(1).empty());
    bans->set_lists({}, machine.notes);
    CHECK_FALSE(bans->is_listing());
    CHECK(machine.entries() == 1);
}
