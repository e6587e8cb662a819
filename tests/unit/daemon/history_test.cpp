// SPDX-License-Identifier: Apache-2.0
// The policies that were applied, kept and found again.
#include "base/sha256.h"
#include "daemon/contents_hash.h"
#include "daemon/enforced.h"
#include "daemon/history.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;

namespace {

PolicySource source_of(const std::string& text,
                       const std::map<std::string, std::string>& files = {}) {
    PolicySource source;
    source.file = "/etc/sallyport/policy.toml";
    source.sha256 = sha256_hex(text);
    source.text = std::make_shared<PolicyText>(PolicyText{.text = text, .files = files});
    return source;
}

constexpr const char* kPolicy = "schema = 1\n[host]\ninterfaces = [\"eth0\"]\nmode = \"enforce\"\n";

std::uint32_t add(const PolicyHistory& history, const std::string& text,
                  Outcome outcome = Outcome::applied, std::uint32_t restores = 0) {
    const PolicySource source = source_of(text);
    HistoryEntry entry;
    entry.outcome = outcome;
    entry.file = source.file;
    entry.sha256 = source.sha256;
    entry.restores = restores;
    const Result<std::uint32_t> number = history.add(source, entry);
    REQUIRE(number);
    return *number;
}

} // namespace

TEST_CASE("an empty history has nothing to go back to") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    CHECK(history.entries().empty());
    CHECK_FALSE(history.find(1));
    CHECK_FALSE(history.before_current());
    CHECK_FALSE(history.set_outcome(1, Outcome::expired));
}

TEST_CASE("what was kept is read again, with the zone files it had") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    const std::string text = std::string(kPolicy) +
                             "[zones]\nlan = { file = \"lan.netset\" }\n"
                             "[[ingress]]\nname = \"ssh\"\nfrom = \"lan\"\nproto = \"tcp\"\n";
    const PolicySource source = source_of(text, {{"/etc/sallyport/lan.netset", "10.0.0.0/8\n"}});
    HistoryEntry entry;
    entry.file = source.file;
    entry.sha256 = source.sha256;
    entry.message = "with \"quotes\", and bytes that are no text: \xff";
    const Result<std::uint32_t> number = history.add(source, entry);
    REQUIRE(number);
    CHECK(*number == 1);
    const std::optional<HistoryEntry> kept = history.find(1);
    REQUIRE(kept);
    CHECK(kept->files.size() == 1);
    const Result<PolicySource> again = history.load(*kept);
    REQUIRE(again);
    CHECK(again->policy.rules.size() == 1);
    SECTION("and refused when a byte of it was changed") {
        for (const auto& file :
             std::filesystem::directory_iterator(directory / "state/policies/files"))
            std::ofstream(file.path()) << "0.0.0.0/0\n";
        CHECK_FALSE(history.load(*kept));
    }
}

TEST_CASE("going back goes further each time, and past what was only tried") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    for (const char* comment : {"# 1\n", "# 2\n", "# 3\n"})
        add(history, comment + std::string(kPolicy));
    add(history, "# 4\n" + std::string(kPolicy), Outcome::expired);
    REQUIRE(history.before_current());
    CHECK(history.before_current()->number == 2);
    add(history, "# 2\n" + std::string(kPolicy), Outcome::applied, 2);
    REQUIRE(history.before_current());
    CHECK(history.before_current()->number == 1);
    add(history, "# 1\n" + std::string(kPolicy), Outcome::applied, 1);
    CHECK_FALSE(history.before_current());
}

TEST_CASE("the oldest go, never the one that rules, and what is no entry is passed over") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    add(history, kPolicy);
    for (std::size_t i = 0; i < PolicyHistory::kKept + 3; i++)
        add(history, kPolicy, Outcome::expired);
    const std::vector<HistoryEntry> entries = history.entries();
    CHECK(entries.size() == PolicyHistory::kKept + 1);
    CHECK(entries.back().number == 1);
    std::filesystem::create_directories(directory / "state/policies/000099");
    std::filesystem::create_directories(directory / "state/policies/new");
    std::ofstream(directory / "state/policies/000024/about.json") << "{";
    CHECK(history.entries().size() == PolicyHistory::kKept);
    CHECK(add(history, kPolicy) == 100u);
}

TEST_CASE("a new policy comes after those that cannot be read, and leaves them what they need") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    const std::string files = directory / "state/policies/files";
    HistoryEntry entry;
    entry.sha256 = sha256_hex(kPolicy);
    REQUIRE(history.add(source_of(kPolicy, {{"/lan", "10.0.0.0/8\n"}}), entry));
    REQUIRE(history.add(source_of(kPolicy, {{"/wan", "11.0.0.0/8\n"}}), entry));
    const std::string first = directory / "state/policies/000001/about.json";
    const std::string second = directory / "state/policies/000002/about.json";
    std::filesystem::rename(first, directory / "kept1");
    std::filesystem::rename(second, directory / "kept2");
    CHECK(history.unreadable() == std::vector<std::uint32_t>{2, 1});
    CHECK(add(history, kPolicy) == 3);
    REQUIRE(history.last_good());
    CHECK(history.last_good()->number > history.unreadable().front());
    CHECK(std::distance(std::filesystem::directory_iterator(files), {}) == 2);
    // They were only not read that once.
    std::filesystem::rename(directory / "kept1", first);
    std::filesystem::rename(directory / "kept2", second);
    CHECK(history.entries().size() == 3);
    for (const std::uint32_t number : {1u, 2u}) CHECK(history.load(*history.find(number)));
    // Nobody's any more, and all can be read: they go.
    for (std::size_t i = 0; i < PolicyHistory::kKept; i++) add(history, kPolicy);
    CHECK(std::filesystem::is_empty(files));
}

TEST_CASE("the highest number is the last, and is not taken twice") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    std::filesystem::create_directories(directory / "state/policies/999999998");
    CHECK(add(history, kPolicy) == 999'999'999);
    CHECK_FALSE(history.add(source_of(kPolicy), {}));
    CHECK(history.entries().size() == 1);
}

TEST_CASE("the mark of down holds for what was there, not for a policy that came since") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    const std::string mark = directory / "state/policies/down";
    REQUIRE(history.note_down());
    CHECK_FALSE(std::filesystem::exists(mark)); // nothing was ever good
    add(history, kPolicy);
    CHECK_FALSE(history.was_taken_down());
    REQUIRE(history.note_down());
    CHECK(history.was_taken_down());
    std::filesystem::copy_file(mark, directory / "mark");
    add(history, kPolicy);
    CHECK_FALSE(std::filesystem::exists(mark));
    SECTION("killed before the mark was removed") {
        std::filesystem::copy_file(directory / "mark", mark);
        CHECK_FALSE(history.was_taken_down());
        REQUIRE(history.note_down());
        CHECK(history.was_taken_down());
    }
    SECTION("a mark without a number, of an earlier version") {
        std::ofstream(mark).close();
        CHECK(history.was_taken_down());
    }
}

TEST_CASE("a directory that cannot be listed is not one without policies") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    CHECK(history.check_listable()); // not there: none
    std::filesystem::create_directories(directory / "state");
    CHECK(history.check_listable());
    std::ofstream(directory / "state/policies") << "no directory";
    CHECK_FALSE(history.check_listable());
    CHECK(history.entries().empty());
    CHECK_FALSE(history.add(source_of(kPolicy), {}));
}

namespace {

Enforced record_of(const HistoryEntry& entry, std::uint32_t first, std::uint32_t generation) {
    Enforced record;
    record.generation = generation;
    record.first_generation = first;
    record.sha256 = entry.sha256;
    record.contents = entry.contents();
    return record;
}

HistoryEntry added(const PolicyHistory& history, const PolicySource& source, Outcome outcome,
                   std::uint32_t generation) {
    HistoryEntry entry;
    entry.outcome = outcome;
    entry.sha256 = source.sha256;
    entry.generation = generation;
    const Result<std::uint32_t> number = history.add(source, entry);
    REQUIRE(number);
    return *history.find(*number);
}

} // namespace

TEST_CASE("a trial that nobody wrote an end of was confirmed when its policy is in force") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    const HistoryEntry good = added(history, source_of(kPolicy), Outcome::applied, 1);
    // The same text as before, tried once more, is another policy than the one from before.
    const HistoryEntry tried = added(history, source_of(kPolicy), Outcome::trial, 2);
    SECTION("the one before it is") {
        REQUIRE(history.end_trials(record_of(good, 1, 1)));
        CHECK(history.find(2)->outcome == Outcome::expired);
    }
    SECTION("the one before it is, compiled anew since") {
        REQUIRE(history.end_trials(record_of(good, 1, 3)));
        CHECK(history.find(2)->outcome == Outcome::expired);
    }
    SECTION("it is") {
        REQUIRE(history.end_trials(record_of(tried, 2, 2)));
        CHECK(history.find(2)->outcome == Outcome::confirmed);
    }
    SECTION("it is, compiled anew since") {
        REQUIRE(history.end_trials(record_of(tried, 2, 5)));
        CHECK(history.find(2)->outcome == Outcome::confirmed);
    }
    SECTION("it is, by a record of an earlier version") {
        Enforced record = record_of(tried, 0, 2);
        record.contents.clear();
        REQUIRE(history.end_trials(record));
        CHECK(history.find(2)->outcome == Outcome::confirmed);
    }
    SECTION("nobody knows which one is") {
        Enforced record;
        record.generation = 2;
        REQUIRE(history.end_trials(record));
        CHECK(history.find(2)->outcome == Outcome::expired);
    }
    CHECK(history.find(1)->outcome == Outcome::applied);
}

TEST_CASE("of two policies with the same text the one in force is told by its zone files") {
    const TempDir directory;
    const PolicyHistory history(directory / "state");
    const PolicySource narrow = source_of(kPolicy, {{"/lan", "10.0.0.0/8\n"}});
    const HistoryEntry first = added(history, narrow, Outcome::applied, 1);
    const HistoryEntry second =
        added(history, source_of(kPolicy, {{"/lan", "0.0.0.0/0\n"}}), Outcome::trial, 2);
    CHECK(first.sha256 == second.sha256);
    CHECK(first.contents() != second.contents());
    CHECK(first.contents() == contents_hash(*narrow.text, narrow.sha256));
    REQUIRE(history.find_enforced(record_of(first, 1, 1)));
    CHECK(history.find_enforced(record_of(first, 1, 1))->number == 1);
    CHECK(history.find_enforced(record_of(second, 2, 2))->number == 2);
    Enforced unknown = record_of(first, 1, 1);
    unknown.contents = contents_hash(first.sha256, {});
    CHECK_FALSE(history.find_enforced(unknown));
    // A generation that was given before the last boot is no proof.
    REQUIRE(history.end_trials(record_of(first, 2, 2)));
    CHECK(history.find(2)->outcome == Outcome::expired);
    CHECK_FALSE(history.find_enforced(Enforced{}));
}
