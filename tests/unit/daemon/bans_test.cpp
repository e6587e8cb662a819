// SPDX-License-Identifier: Apache-2.0
// The place through which bans are made, over maps of its own and a clock that a test moves.
#include "daemon/bans.h"
#include "kernel/bans.h"
#include "kernel/map.h"
#include "kernel/options.h"
#include "sallyport/abi/types.h"
#include "support/temp_dir.h"

#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

using namespace sallyport;
using sallyport::test::TempDir;
using namespace std::chrono_literals;

namespace {

Prefix net(const char* text) {
    return parse_prefix(text).value();
}

constexpr std::uint64_t kSecond = 1'000'000'000;

// Maps as the programs have them, with room for `entries` in each trie.
class Machine {
  public:
    explicit Machine(std::uint32_t entries = 1000) {
        if (geteuid() != 0) SKIP("only root may make maps");
        maps_.ban_state = make({.name = "sp_ban_state", .value_size = sizeof(sp_ban_state)});
        maps_.ban_bits = make({.name = "sp_ban_bits",
                               .value_size = sizeof(sp_bits),
                               .max_entries = SP_V6_BITS / SP_CHUNK_BITS});
        maps_.bans4 = trie("sp_bans4", sizeof(sp_v4_key), entries);
        maps_.bans6 = trie("sp_bans6", sizeof(sp_v6_key), entries);
    }
    // A daemon that starts now.
    [[nodiscard]] std::unique_ptr<Bans> start() {
        notes.clear();
        return std::make_unique<Bans>(
            BansWorld{.maps = maps_,
                      .state_dir = state_dir(),
                      .clock = {.boot_ns = [this] { return boot_ns; },
                                .wall_ms = [this] { return wall_ms; },
                                .boot_id = boot_id},
                      .own = {parse_address("10.0.0.1").value()},
                      .read_list = [this](const std::string&) -> Result<std::vector<Prefix>> {
                          if (!list) return fail(ErrorKind::kernel, "the list cannot be read");
                          return *list;
                      },
                      .most = most},
            notes);
    }
    void pass(std::chrono::milliseconds time) {
        boot_ns += static_cast<std::uint64_t>(time.count()) * 1'000'000;
        wall_ms += time.count();
    }
    [[nodiscard]] std::size_t entries() const { return read_bans(maps_).value().size(); }
    // As the tries say, by the machine's clock.
    [[nodiscard]] bool bars(const char* network) const {
        const std::vector<BanEntry> standing = read_bans(maps_).value();
        for (const BanEntry& entry : standing)
            if (entry.prefix == net(network)) return is_later(*entry.until_ns, boot_ns);
        return false;
    }
    [[nodiscard]] std::string state_dir() const { return dir_ / "state"; }

    std::uint64_t boot_ns = 1000 * kSecond;
    std::int64_t wall_ms = 1'700'000'000'000;
    std::string boot_id = "this";
    std::optional<std::vector<Prefix>> list = std::vector<Prefix>{};
    std::size_t most = SP_BANS_MAX;
    std::vector<std::string> notes;

  private:
    int make(const InnerMap& shape) {
        Result<Fd> map = create_map(shape);
        if (!map) FAIL(map.error().text());
        held_.push_back(*std::move(map));
        return held_.back().get();
    }
    int trie(const char* name, std::uint32_t key, std::uint32_t entries) {
        return make({.type = BPF_MAP_TYPE_LPM_TRIE,
                     .name = name,
                     .key_size = key,
                     .value_size = sizeof(sp_ban),
                     .max_entries = entries,
                     .flags = BPF_F_NO_PREALLOC});
    }
    TempDir dir_;
    std::vector<Fd> held_;
    Maps maps_;
};

BanAnswer banned(Bans& bans, const char* network, std::optional<Milliseconds> duration = {}) {
    const Result<BanOutcome> outcome = bans.ban({.network = net(network), .duration = duration});
    if (!outcome) FAIL(outcome.error().text());
    return outcome->answer;
}

} // namespace

TEST_CASE("a jail's ban never shortens one that stands, by hand the last word counts") {
    Machine machine;
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
    Machine machine(4);
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
    Machine machine;
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
    Machine machine;
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
    Machine machine;
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
    Machine machine;
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

TEST_CASE("a list that cannot be read at the start lifts nothing") {
    Machine machine;
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

TEST_CASE(
    "what stands in the kernel beyond the disk goes at a start, and the rest stays meanwhile") {
    Machine machine;
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

TEST_CASE("a list leaves places for bans by hand, and says what it left out") {
    for (const bool is_v6 : {false, true}) {
        Machine machine;
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
    Machine machine(5000);
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

TEST_CASE("news tell each ban and each end of one") {
    Machine machine;
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
