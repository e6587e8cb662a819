// SPDX-License-Identifier: Apache-2.0
// The table of fragments against a model that keeps whole intervals, and under
// two CPUs at once: no byte of a datagram passes twice.
#include "support/bench.h"
#include "support/dice.h"
#include "support/fragment_table.h"
#include "support/machine.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sched.h>
#include <thread>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kPolicy =
    allow_in("dns", "any", "udp", "53") + essentials("fragments = \"track\"");
constexpr std::uint32_t kXdpPass = 2;

struct Piece {
    std::size_t offset;
    std::size_t size;
    bool more;

    [[nodiscard]] std::size_t end() const { return offset + size; }
};

// What docs/policy.md promises, in naive code: pieces that passed, kept as intervals.
class Model {
  public:
    bool admits(const Piece& piece) {
        if (!fits(piece)) return false;
        if (passed_.empty() && piece.offset != 0) return false;
        passed_.push_back(piece);
        if (is_whole()) passed_.clear();
        return true;
    }

  private:
    [[nodiscard]] bool fits(const Piece& piece) const {
        if (piece.offset == 0) return passed_.empty();
        if (passed_.empty()) return false;
        const std::size_t step = passed_.front().size;
        if (piece.offset % step != 0 || piece.size > step || piece.size == 0) return false;
        if (piece.more && piece.size != step) return false;
        if (piece.offset / step >= SP_FRAGMENT_PIECES) return false;
        for (const Piece& other : passed_) {
            if (piece.offset < other.end() && other.offset < piece.end()) return false;
            if (!other.more && (piece.offset > other.offset || !piece.more)) return false;
            if (!piece.more && other.offset > piece.offset) return false;
        }
        return true;
    }
    [[nodiscard]] bool is_whole() const {
        std::size_t bytes = 0, end = 0;
        for (const Piece& piece : passed_) {
            bytes += piece.size;
            if (!piece.more) end = piece.end();
        }
        return end != 0 && bytes == end;
    }

    std::vector<Piece> passed_;
};

Piece random_piece(Dice& dice, std::size_t step, std::size_t pieces) {
    if (dice.once_in(8)) return {.offset = 0, .size = step, .more = true};
    if (dice.once_in(8))
        return {.offset = 8 * (1 + dice.roll(2 * pieces)),
                .size = 8 * (1 + dice.roll(4)),
                .more = true};
    const std::size_t index = 1 + dice.roll(pieces);
    if (index == pieces || dice.once_in(10))
        return {.offset = index * step, .size = 1 + dice.roll(step + 2), .more = false};
    return {.offset = index * step, .size = step, .more = true};
}

void stay_on(unsigned cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus); // on a machine of one CPU they take turns
}

} // namespace

TEST_CASE("random pieces pass as a model of whole intervals says, until the datagram is whole") {
    const std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    Bench bench{kPolicy};
    const int xdp = bench.programs().fd(Program::xdp);
    const std::uint32_t ifindex = ifindex_of("eth0");
    std::size_t passed = 0;
    for (std::uint32_t round = 0; round < 120; ++round) {
        const std::size_t step = 8 * (1 + dice.roll(4));
        const std::size_t pieces = 1 + dice.roll(dice.once_in(4) ? 128 : 6);
        Datagram cut =
            datagram(dice.once_in(2) ? Family::v4 : Family::v6, udp{}, step * (pieces + 1));
        cut.id = round;
        Model model;
        forget_fragments(bench.instance());
        for (std::size_t i = 0; i < 8 * pieces; ++i) {
            Piece piece = random_piece(dice, step, pieces);
            // A first of its own start; cut from the datagram, so that its ports are right.
            Result<RunResult> result =
                run_xdp(xdp, cut.piece(piece.offset, piece.size, piece.more).bytes(), ifindex);
            REQUIRE(result.has_value());
            const bool expected = model.admits(piece);
            // On a slow machine a round outlives two seconds: its first is of an hour to come.
            if (expected && piece.offset == 0)
                age_fragments(bench.instance(), std::chrono::hours(-1));
            INFO("round " << round << ", piece " << i << " at " << piece.offset << " of "
                          << piece.size << (piece.more ? " more" : " last") << ", step " << step);
            REQUIRE((result->action == kXdpPass) == expected);
            passed += expected;
        }
    }
    static_cast<void>(bench.instance().take_events());
    CHECK(passed > 500);
}

TEST_CASE("of two CPUs with the same pieces at once, one gets each through") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kPolicy};
    const std::uint32_t ifindex = ifindex_of("eth0");
    const int xdp = bench.programs().fd(Program::xdp);
    constexpr std::uint32_t kDatagrams = 60;
    constexpr std::size_t kPieces = 12; // and a last one that never comes
    std::vector<std::vector<Bytes>> frames(kDatagrams);
    for (std::uint32_t id = 0; id < kDatagrams; ++id) {
        Datagram cut = datagram(family, udp{}, 400);
        cut.id = id;
        for (std::size_t i = 0; i < kPieces; ++i)
            frames[id].push_back(cut.piece(i * 16, 16, true).bytes());
    }
    std::atomic<std::uint32_t> meeting = 0;
    std::vector<std::vector<std::uint32_t>> passed(
        2, std::vector<std::uint32_t>(std::size_t{kDatagrams} * kPieces));
    auto send = [&](unsigned cpu) {
        stay_on(cpu);
        for (std::uint32_t id = 0; id < kDatagrams; ++id) {
            for (std::size_t i = 0; i < kPieces; ++i) {
                if (i <= 1) { // both at the first, and no piece before its first
                    ++meeting;
                    while (meeting < 2 * (2 * id + i + 1)) std::this_thread::yield();
                }
                Result<RunResult> result = run_xdp(xdp, frames[id][i], ifindex);
                if (result && result->action == kXdpPass) ++passed[cpu][id * kPieces + i];
            }
        }
    };
    std::thread one(send, 0);
    std::thread other(send, 1);
    one.join();
    other.join();
    static_cast<void>(bench.instance().take_events());
    for (std::size_t at = 0; at < passed[0].size(); ++at) {
        INFO("piece " << at % kPieces << " of datagram " << at / kPieces);
        CHECK(passed[0][at] + passed[1][at] == 1);
    }
}
