// SPDX-License-Identifier: Apache-2.0
// Bans on disk.
#include "daemon/ban_store.h"
#include "support/temp_dir.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

Prefix net(const char* text) {
    return parse_prefix(text).value();
}

BanRecord record(const char* network) {
    return {.network = net(network),
            .since_ms = 1000,
            .until_ms = 5000,
            .given_ms = 4000,
            .until_boot_ns = 77,
            .boot_id = "boot",
            .origin = "jail:web",
            .reason = "a 'quoted' one; \"and\" \x01"};
}

BanStore open_at(const std::string& file) {
    Result<BanStore> store = BanStore::open(file);
    if (!store) FAIL(store.error().text());
    return *std::move(store);
}

std::vector<BanRecord> all_of(const BanStore& store) {
    std::vector<BanRecord> all;
    CHECK(store.each([&](BanRecord one) { all.push_back(std::move(one)); }));
    return all;
}

} // namespace

TEST_CASE("what is put is there for the next one who opens, in order, and gone once removed") {
    const TempDir dir;
    const std::vector<BanRecord> records{record("2001:db8::/32"), record("10.0.0.0/8"),
                                         record("10.0.0.0/16"), record("203.0.113.9")};
    {
        BanStore store = open_at(dir / "db");
        CHECK(store.put(std::vector<BanRecord>(records.rbegin(), records.rend())));
    }
    BanStore store = open_at(dir / "db");
    std::vector<BanRecord> sorted = records;
    std::ranges::sort(sorted, {}, &BanRecord::network);
    CHECK(all_of(store) == sorted);
    CHECK(store.remove(std::vector{net("10.0.0.0/8"), net("192.0.2.1")}));
    CHECK(all_of(store).size() == 3);
    CHECK_FALSE(store.find(net("10.0.0.0/8")).value());
    CHECK(store.find(net("10.0.0.0/16")).value() == record("10.0.0.0/16"));
}

TEST_CASE("pages follow each other without a gap or a double") {
    const TempDir dir;
    BanStore store = open_at(dir / "db");
    std::vector<BanRecord> records;
    for (int i = 0; i < 25; i++) records.push_back(record(("10.0.0." + std::to_string(i)).c_str()));
    REQUIRE(store.put(records));
    std::vector<BanRecord> seen;
    std::optional<Prefix> after;
    for (;;) {
        const std::vector<BanRecord> page = store.page(after, 10).value();
        if (page.empty()) break;
        CHECK(page.size() <= 10);
        seen.insert(seen.end(), page.begin(), page.end());
        after = page.back().network;
    }
    CHECK(seen == records);
}

TEST_CASE("the wall clock's step moves the ends of this boot's bans alone") {
    const TempDir dir;
    BanStore store = open_at(dir / "db");
    BanRecord mine = record("10.0.0.1");
    mine.until_boot_ns = 9'000'000'000; // 9 s after the boot
    BanRecord other = record("10.0.0.2");
    other.boot_id = "earlier";
    BanRecord endless = record("10.0.0.3");
    endless.until_ms = 0;
    REQUIRE(store.put(std::vector{mine, other, endless}));
    REQUIRE(store.follow_wall_clock("boot", 100'000));
    CHECK(store.find(mine.network).value()->until_ms == 109'000);
    CHECK(store.find(other.network).value() == other);
    CHECK(store.find(endless.network).value() == endless);
}

TEST_CASE("never networks, lists and what is remembered of who was banned are kept as well") {
    const TempDir dir;
    {
        BanStore store = open_at(dir / "db");
        CHECK(store.set_never(std::vector{net("fd00::/8"), net("10.0.0.0/8")}));
        CHECK(store.set_lists(std::vector{BanList{.zone = "b", .file = "/x"}}));
        CHECK(store.note_history(net("10.0.0.1"), {.times = 3, .last_ms = 500}));
        CHECK(store.note_history(net("10.0.0.2"), {.times = 1, .last_ms = 900}));
        CHECK(store.note_count("jail:a", net("10.0.0.3"), {.times = 2, .last_ms = 500}));
        CHECK(store.note_count("jail:a", net("10.0.0.2"), {.times = 4, .last_ms = 950}));
        CHECK(store.note_count("jail:a", net("10.0.0.1"), {.times = 6, .last_ms = 900}));
        CHECK(store.note_count("jail:b", net("10.0.0.1"), {.times = 9, .last_ms = 900}));
        CHECK(store.forget_history(600));
    }
    BanStore store = open_at(dir / "db");
    CHECK(store.never().value() == std::vector{net("10.0.0.0/8"), net("fd00::/8")});
    CHECK(store.lists().value() == std::vector{BanList{.zone = "b", .file = "/x"}});
    CHECK(store.history(net("10.0.0.1")).value().times == 0);
    CHECK(store.history(net("10.0.0.2")).value().times == 1);
    CHECK(store.count("jail:a", net("10.0.0.3")).value().times == 0);
    CHECK(store.count("jail:b", net("10.0.0.1")).value().times == 9);
    std::string counts;
    CHECK(store.each_count("jail:a", 900, [&](const Prefix& network, unsigned times) {
        counts += to_string(network) + "*" + std::to_string(times) + " ";
    }));
    CHECK(counts == "10.0.0.1*6 10.0.0.2*4 ");
    CHECK(store.set_never({}));
    CHECK(store.never().value().empty());
}

TEST_CASE("what is no database is told from a disk that refuses") {
    const TempDir dir;
    std::ofstream(dir / "db") << std::string(4096, 'x');
    CHECK(BanStore::open(dir / "db").error().kind == ErrorKind::invalid_input);
    CHECK(BanStore::open(dir / "nowhere/db").error().kind == ErrorKind::kernel);
    std::filesystem::create_directory(dir / "directory");
    CHECK_FALSE(BanStore::open(dir / "directory"));
    // Cut short, as by a disk that was pulled out.
    {
        BanStore store = open_at(dir / "cut");
        std::vector<BanRecord> many;
        for (int i = 0; i < 2000; i++)
            many.push_back(record(
                ("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)).c_str()));
        REQUIRE(store.put(many));
    }
    std::filesystem::resize_file(dir / "cut", std::filesystem::file_size(dir / "cut") / 3);
    const Result<BanStore> cut = BanStore::open(dir / "cut");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().kind == ErrorKind::invalid_input);
}

TEST_CASE("the database is its owner's alone") {
    const TempDir dir;
    const BanStore store = open_at(dir / "db");
    CHECK((std::filesystem::status(dir / "db").permissions() & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}
