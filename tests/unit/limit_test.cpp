// SPDX-License-Identifier: Apache-2.0
// The limiter of the programs against the textbook, with threads for CPUs: it never lets
// in one more than the algorithm does, nor one less.
#include "support/bucket_host.h"
#include "support/dice.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <thread>
#include <vector>

using namespace sallyport::test;
using Answer = Buckets::Answer;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// ITU-T I.371, virtual scheduling, as it is printed.
class Textbook {
  public:
    explicit Textbook(const sp_rate& rate) : rate_(rate) {}
    bool arrive(std::uint64_t now) {
        if (due_ > now && due_ - now > rate_.ahead_ns) return false;
        due_ = std::max(due_, now) + rate_.interval_ns;
        return true;
    }

  private:
    sp_rate rate_;
    std::uint64_t due_ = 0;
};

sp_rate rate_of(std::uint64_t count, std::uint64_t seconds, std::uint64_t burst) {
    const std::uint64_t interval = seconds * kSecond / count;
    return {.interval_ns = interval, .ahead_ns = (burst - 1) * interval};
}

sp_bucket_key key_of(std::uint32_t number) {
    sp_bucket_key key{};
    key.addr.words[3] = number;
    key.owner = SP_BUCKET_SOURCE;
    return key;
}

// All threads do `work` at once, `rounds` times, a step each round for all of them.
template <typename Work> void race(unsigned threads, unsigned rounds, Work work) {
    std::barrier together(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::jthread> running;
    for (unsigned t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            for (unsigned round = 0; round < rounds; ++round) {
                together.arrive_and_wait();
                work(t, round);
            }
        });
}

} // namespace

TEST_CASE("20 a minute with a burst of 20 is 20 at once, then one every three seconds") {
    const sp_rate rate = rate_of(20, 60, 20);
    Buckets buckets;
    const std::uint64_t start = 5 * kSecond;
    for (int i = 0; i < 20; ++i) CHECK(buckets.arrive(key_of(1), start, rate) == Answer::taken);
    CHECK(buckets.arrive(key_of(1), start, rate) == Answer::refused);
    CHECK(buckets.arrive(key_of(2), start, rate) == Answer::taken); // somebody else
    for (int i = 1; i < 50; ++i) {
        const std::uint64_t next = start + static_cast<std::uint64_t>(i) * 3 * kSecond;
        CHECK(buckets.arrive(key_of(1), next - 1, rate) == Answer::refused);
        CHECK(buckets.arrive(key_of(1), next, rate) == Answer::taken);
        CHECK(buckets.arrive(key_of(1), next, rate) == Answer::refused);
    }
}

TEST_CASE("any sequence of arrivals is judged as the textbook judges it") {
    Dice dice(0x6c696d69);
    for (int round = 0; round < 300; ++round) {
        const sp_rate rate = rate_of(1 + dice.roll(1000), 1 + dice.roll(7200), 1 + dice.roll(50));
        INFO("interval " << rate.interval_ns << ", ahead " << rate.ahead_ns);
        Buckets buckets;
        Textbook textbook(rate);
        std::uint64_t alone = 0;
        Textbook own(rate);
        std::uint64_t now = kSecond;
        for (int i = 0; i < 400; ++i) {
            now += dice.roll(3) == 0 ? dice.roll(4 * rate.interval_ns) : 0;
            REQUIRE((buckets.arrive(key_of(7), now, rate) == Answer::taken) ==
                    textbook.arrive(now));
            REQUIRE(take(alone, now, rate) == own.arrive(now));
        }
    }
}

TEST_CASE("threads that ask at once get together what the textbook gives to one") {
    constexpr unsigned kThreads = 4, kRounds = 300, kEach = 5;
    for (std::uint64_t burst : {1u, 3u, 20u}) {
        const sp_rate rate = rate_of(10, 1, burst);
        Buckets buckets;
        Textbook textbook(rate);
        std::vector<std::atomic<unsigned>> taken(kRounds);
        // Every round is one moment, so that it does not matter who was first.
        const auto moment = [](unsigned round) { return kSecond + round * (kSecond / 7); };
        race(kThreads, kRounds, [&](unsigned, unsigned round) {
            for (unsigned i = 0; i < kEach; ++i)
                taken[round] += buckets.arrive(key_of(1), moment(round), rate) == Answer::taken;
        });
        for (unsigned round = 0; round < kRounds; ++round) {
            unsigned expected = 0;
            for (unsigned i = 0; i < kThreads * kEach; ++i)
                expected += textbook.arrive(moment(round));
            INFO("burst " << burst << ", round " << round);
            CHECK(taken[round] == expected);
        }
    }
}

TEST_CASE("keys that crowd one set from all threads never get more than is theirs") {
    constexpr unsigned kThreads = 4, kRounds = 400, kKeys = 24;
    constexpr std::uint64_t kBurst = 3;
    const sp_rate rate = rate_of(2, 1, kBurst);
    Buckets buckets;
    std::vector<std::atomic<unsigned>> taken(kKeys);
    std::atomic<unsigned> full = 0;
    const auto moment = [](unsigned round) { return kSecond + round * (kSecond / 5); };
    race(kThreads, kRounds, [&](unsigned thread, unsigned round) {
        // A third of the keys in each round: others' times run out, and their places are taken.
        for (unsigned k = round / 20 % 3; k < kKeys; k += 3) {
            const std::uint32_t key = (k + 3 * thread) % kKeys;
            const Answer answer = buckets.arrive(key_of(key), moment(round), rate);
            taken[key] += answer == Answer::taken;
            full += answer == Answer::full;
        }
    });
    const std::uint64_t most = kBurst + (moment(kRounds - 1) - kSecond) / rate.interval_ns + 1;
    for (unsigned key = 0; key < kKeys; ++key) {
        CHECK(taken[key] <= most);
        CHECK(taken[key] > 0);
    }
}

TEST_CASE("who still waits is never put out, however many come") {
    const sp_rate rate = rate_of(1, 60, 1);
    Buckets buckets;
    for (std::uint32_t key = 0; key < SP_BUCKET_WAYS; ++key)
        CHECK(buckets.arrive(key_of(key), kSecond, rate) == Answer::taken);
    for (std::uint32_t key = 100; key < 1100; ++key)
        CHECK(buckets.arrive(key_of(key), 30 * kSecond, rate) == Answer::full);
    for (std::uint32_t key = 0; key < SP_BUCKET_WAYS; ++key)
        CHECK(buckets.arrive(key_of(key), 60 * kSecond, rate) == Answer::refused);
    CHECK(buckets.arrive(key_of(100), 61 * kSecond, rate) == Answer::taken);
}

TEST_CASE("a newcomer takes the place of who has been due for longest") {
    const sp_rate rate = rate_of(1, 60, 1);
    Buckets buckets;
    // They come in another order than that of their places.
    for (std::uint32_t place = 0; place < SP_BUCKET_WAYS; ++place)
        CHECK(buckets.arrive(key_of(place), kSecond, rate) == Answer::taken);
    for (std::uint32_t n = 0; n < SP_BUCKET_WAYS; ++n)
        CHECK(buckets.arrive(key_of(n * 3 % SP_BUCKET_WAYS), (100 + n) * kSecond, rate) ==
              Answer::taken);
    for (std::uint32_t n = 0; n < SP_BUCKET_WAYS; ++n) {
        CHECK(buckets.arrive(key_of(100 + n), (160 + n) * kSecond, rate) == Answer::taken);
        for (std::uint32_t later = 0; later < SP_BUCKET_WAYS; ++later)
            CHECK(buckets.remembers(key_of(later * 3 % SP_BUCKET_WAYS)) == (later > n));
    }
    CHECK(buckets.arrive(key_of(200), 168 * kSecond, rate) == Answer::full);
}

TEST_CASE("a time that another rate has set keeps nobody waiting") {
    Buckets buckets;
    const sp_rate slow = rate_of(1, 86400, 1), fast = rate_of(10, 1, 10);
    CHECK(buckets.arrive(key_of(1), kSecond, slow) == Answer::taken);
    CHECK(buckets.arrive(key_of(1), 2 * kSecond, slow) == Answer::refused);
    CHECK(buckets.arrive(key_of(1), 2 * kSecond, fast) == Answer::taken);
    CHECK(buckets.arrive(key_of(1), 2 * kSecond, slow) == Answer::refused); // a tenth to wait
    CHECK(buckets.arrive(key_of(1), 2 * kSecond + kSecond / 10, slow) == Answer::taken);
}

TEST_CASE("no window of its length ever holds more than the number") {
    Dice dice(0x77696e64);
    for (int round = 0; round < 60; ++round) {
        sp_limit limit{};
        limit.window_ns = (1 + dice.roll(120)) * kSecond;
        limit.part_ns = (limit.window_ns + SP_WINDOW_PARTS - 1) / SP_WINDOW_PARTS;
        limit.number = static_cast<std::uint32_t>(1 + dice.roll(40));
        INFO(limit.number << " in " << limit.window_ns);
        Buckets buckets;
        std::deque<std::uint64_t> held; // arrivals let in within the window that ends now
        std::uint64_t now = kSecond, since = 0;
        for (int i = 0; i < 2000; ++i) {
            const std::uint64_t step = limit.window_ns / (2 * limit.number) + 1;
            now += dice.roll(step);
            while (!held.empty() && held.front() + limit.window_ns <= now) held.pop_front();
            const bool taken = buckets.arrive_in_window(key_of(1), now, limit) == Answer::taken;
            if (taken) held.push_back(now);
            REQUIRE(held.size() <= limit.number);
            // Nor does it refuse for longer than a fifteenth of a window beyond what it must.
            if (taken || held.size() == limit.number) since = now;
            REQUIRE(now - since <= limit.part_ns + step);
        }
    }
}

TEST_CASE("a window that is counted by all threads at once holds its number") {
    constexpr unsigned kThreads = 4, kRounds = 100;
    sp_limit limit{};
    limit.window_ns = SP_WINDOW_PARTS * kSecond;
    limit.part_ns = kSecond;
    limit.number = 20;
    Buckets buckets;
    std::vector<std::atomic<unsigned>> taken(kRounds);
    race(kThreads, kRounds, [&](unsigned, unsigned round) {
        for (int i = 0; i < 7; ++i)
            taken[round] += buckets.arrive_in_window(key_of(1), kSecond + round * kSecond, limit) ==
                            Answer::taken;
    });
    CHECK(taken[0] == 20);
    for (unsigned round = 0; round + SP_WINDOW_PARTS <= kRounds; ++round) {
        unsigned sum = 0;
        for (unsigned i = 0; i < SP_WINDOW_PARTS; ++i) sum += taken[round + i];
        CHECK(sum <= limit.number);
    }
    CHECK(taken[SP_WINDOW_COUNTS] == 20);
}

TEST_CASE("a CPU whose clock is a tick behind forgets no count") {
    sp_limit limit{};
    limit.window_ns = SP_WINDOW_PARTS * kSecond;
    limit.part_ns = kSecond;
    limit.number = 2;
    Buckets buckets;
    CHECK(buckets.arrive_in_window(key_of(1), 10 * kSecond, limit) == Answer::taken);
    CHECK(buckets.arrive_in_window(key_of(1), 10 * kSecond - 1, limit) == Answer::taken);
    CHECK(buckets.arrive_in_window(key_of(1), 10 * kSecond - 1, limit) == Answer::refused);
    CHECK(buckets.arrive_in_window(key_of(1), 10 * kSecond, limit) == Answer::refused);
}
