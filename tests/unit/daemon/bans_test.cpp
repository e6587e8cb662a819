// SPDX-License-Identifier: Apache-2.0
// Bans by hand and by jails: how long they last, and over what.
#include "unit/daemon/ban_machine.h"

#include <filesystem>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

TEST_CASE("a jail's ban never shortens one that stands, by hand the last word counts") {
    BanMachine machine;
    const auto bans = machine.start();
    CHECK(banned(*bans, "203.0.113.9", 1h) == BanAnswer::banned);
    BanRequest jail{.network = net("203.0.113.9"),
                    .duration = 10min,
                    .origin = "jail:web",
                    .over = BanRequest::Over::extends};
    BanOutcome outcome = bans->ban(jail).value();
    CHECK(outcome.answer == BanAnswer::stands);
    CHECK(outcome.left == Milliseconds(1h));
    jail.duration = 2h;
    CHECK(bans->ban(jail).value().answer == BanAnswer::banned);
    CHECK(banned(*bans, "203.0.113.9", 1min) == BanAnswer::banned);
    machine.pass(61s);
    bans->tick();
    CHECK(bans->active() == 0);
    CHECK(machine.entries() == 0);
}

TEST_CASE("what the kernel does not take is refused whole") {
    BanMachine machine(4);
    const auto bans = machine.start();
    for (const char* network : {"203.0.113.1", "203.0.113.2", "203.0.113.3"})
        CHECK(banned(*bans, network) == BanAnswer::banned);
    CHECK(banned(*bans, "203.0.113.4", 1h) == BanAnswer::banned);
    const Result<BanOutcome> fifth = bans->ban({.network = net("203.0.113.5")});
    REQUIRE_FALSE(fifth);
    CHECK(bans->active() == 4);
    CHECK(machine.entries() == 4);
    CHECK_FALSE(bans->is_banned(parse_address("203.0.113.5").value()));
    // One goes, and there is room again.
    CHECK(bans->unban(net("203.0.113.1")).value().answer == BanAnswer::lifted);
    CHECK(banned(*bans, "203.0.113.5") == BanAnswer::banned);
    CHECK(machine.bars("203.0.113.5"));
}

TEST_CASE("the wall clock may be stepped as it likes: a ban of this boot lasts as long as said") {
    BanMachine machine;
    auto bans = machine.start();
    CHECK(banned(*bans, "203.0.113.9", 1h) == BanAnswer::banned);
    machine.wall_ms += 86'400'000; // a day on
    bans->tick();
    CHECK(machine.bars("203.0.113.9"));
    bans = machine.start();
    CHECK(machine.bars("203.0.113.9"));
    machine.wall_ms -= 10 * 86'400'000ll;
    bans = machine.start(); // stepped while nobody was there
    machine.pass(59min);
    bans->tick();
    CHECK(machine.bars("203.0.113.9"));
    // What the disk says has followed: a reboot now goes on where this boot stops.
    machine.boot_id = "next";
    machine.boot_ns = 5 * kSecond;
    bans = machine.start();
    CHECK(machine.bars("203.0.113.9"));
    machine.pass(61s);
    bans->tick();
    CHECK(bans->active() == 0);
}

TEST_CASE(
    "a ban of an earlier boot follows the wall clock once that is set, and never lasts longer") {
    BanMachine machine;
    auto bans = machine.start();
    CHECK(banned(*bans, "203.0.113.9", 1h) == BanAnswer::banned);
    machine.boot_id = "next";
    machine.boot_ns = 5 * kSecond;
    const std::int64_t true_time = machine.wall_ms + 30 * 60'000;
    machine.wall_ms = 0; // no battery: 1970
    bans = machine.start();
    CHECK(machine.bars("203.0.113.9"));
    CHECK(bans->page({}, 10).value().lines.at(0).left == Milliseconds(1h));
    machine.wall_ms = true_time; // the time server has answered
    bans->tick();
    CHECK(bans->page({}, 10).value().lines.at(0).left == Milliseconds(30min));
    machine.pass(31min);
    bans->tick();
    CHECK(bans->active() == 0);
}

TEST_CASE("bans grow with each one before, up to the bound, and are forgotten in time") {
    BanMachine machine;
    const auto bans = machine.start();
    bans->set_growth({.increment = true,
                      .multipliers = {1, 4, 10},
                      .max_time = std::chrono::hours(8),
                      .remember = std::chrono::days(30)});
    const auto again = [&](bool grows) {
        static_cast<void>(bans->unban(net("203.0.113.9")));
        BanRequest request{.network = net("203.0.113.9"), .duration = 1h, .grows = grows};
        return bans->ban(request).value().left.value();
    };
    CHECK(again(true) == Milliseconds(1h));
    CHECK(again(true) == Milliseconds(4h));
    CHECK(again(true) == Milliseconds(8h)); // 10 h is over the bound
    CHECK(again(true) == Milliseconds(8h));
    CHECK(again(false) == Milliseconds(1h));
    machine.pass(std::chrono::days(31));
    CHECK(again(true) == Milliseconds(1h));
    CHECK(again(true) == Milliseconds(4h));
}

TEST_CASE("what a log is read again for bans nobody whom it has banned since, over or lifted") {
    BanMachine machine;
    auto bans = machine.start();
    const auto ask = [&](std::optional<std::int64_t> written_ms) {
        return bans
            ->ban({.network = net("203.0.113.9"),
                   .duration = 1h,
                   .origin = "jail:a",
                   .is_counted = true,
                   .written_ms = written_ms,
                   .over = BanRequest::Over::extends})
            .value()
            .answer;
    };
    const std::int64_t line = machine.wall_ms;
    CHECK(ask(line) == BanAnswer::banned); // nobody has read it before
    machine.pass(1s);
    bans = machine.start();
    CHECK(ask(line) == BanAnswer::was);
    CHECK(bans->unban(net("203.0.113.9")).value().answer == BanAnswer::lifted);
    bans = machine.start();
    CHECK(ask(line) == BanAnswer::was);
    CHECK_FALSE(machine.bars("203.0.113.9"));
    CHECK(ask(line + 1) == BanAnswer::banned);
    CHECK(bans->unban(net("203.0.113.9")).value().answer == BanAnswer::lifted);
    CHECK(ask(std::nullopt) == BanAnswer::banned); // live: it has just been written
    machine.pass(10s);
    CHECK(ask(std::nullopt) == BanAnswer::stands); // on its way when it was banned
    CHECK(bans->unban(net("203.0.113.9")).value().answer == BanAnswer::lifted);
    CHECK(ask(machine.wall_ms) == BanAnswer::was);
    std::string counts;
    bans->each_count("jail:a", [&](const Prefix& network, unsigned times) {
        counts += to_string(network) + "*" + std::to_string(times);
    });
    CHECK(counts == "203.0.113.9*3");
    bans->each_count("jail:b", [&](const Prefix&, unsigned) { counts.clear(); });
    machine.pass(std::chrono::days(91));
    bans->each_count("jail:a", [&](const Prefix&, unsigned) { counts.clear(); });
    CHECK_FALSE(counts.empty());
}

TEST_CASE(
    "what stands in the kernel beyond the disk goes at a start, and the rest stays meanwhile") {
    BanMachine machine;
    auto bans = machine.start();
    CHECK(banned(*bans, "203.0.113.1") == BanAnswer::banned);
    CHECK(banned(*bans, "203.0.113.2") == BanAnswer::banned);
    {
        BanStore store = BanStore::open(machine.state_dir() + "/sallyport.db").value();
        CHECK(store.remove(std::vector{net("203.0.113.2")}));
    }
    bans = machine.start();
    CHECK(machine.bars("203.0.113.1"));
    CHECK_FALSE(machine.bars("203.0.113.2"));
    CHECK(bans->active() == 1);
    // Without a database at all what stands is what is known.
    bans.reset();
    for (const char* part : {"", "-wal", "-shm"})
        std::filesystem::remove(machine.state_dir() + "/sallyport.db" + part);
    bans = machine.start();
    CHECK(machine.bars("203.0.113.1"));
    CHECK(bans->page({}, 10).value().lines.at(0).record.origin == "kernel");
}

TEST_CASE("news tell each ban and each end of one") {
    BanMachine machine;
    const auto bans = machine.start();
    CHECK(banned(*bans, "203.0.113.9", 1s) == BanAnswer::banned);
    CHECK(banned(*bans, "127.0.0.1", 1s) == BanAnswer::refused);
    std::vector<BanNews> news = bans->take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].banned);
    CHECK(bans->take_fresh());
    CHECK_FALSE(bans->take_fresh());
    machine.pass(2s);
    bans->tick();
    news = bans->take_news();
    REQUIRE(news.size() == 1);
    CHECK_FALSE(news[0].banned);
    CHECK(news[0].origin == "hand");
    CHECK(bans->unban(net("203.0.113.9")).value().answer == BanAnswer::not_banned);
    CHECK(bans->take_news().empty());
}
