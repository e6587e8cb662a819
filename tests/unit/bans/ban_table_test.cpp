// SPDX-License-Identifier: Apache-2.0
// The table of bans against a model that asks every ban about every address, through a trie
// and a bitmap as the kernel has them.
#include "bans/ban_bits.h"
#include "bans/ban_table.h"
#include "support/dice.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <vector>

using namespace sallyport;
using sallyport::test::Dice;
using sallyport::test::test_seed;

namespace {

Prefix net(const char* text) {
    Result<Prefix> parsed = parse_prefix(text);
    if (!parsed) FAIL(parsed.error().text());
    return *parsed;
}

Address addr(const char* text) {
    std::optional<Address> parsed = parse_address(text);
    if (!parsed) FAIL(text);
    return *parsed;
}

// The kernel's side: tries of what changes say, and the bits in front.
class Kernel {
  public:
    void take(const std::vector<BanEntry>& changes) {
        for (const BanEntry& change : changes) {
            CHECK(change.is_new ==
                  (entries_.contains(change.prefix) != change.until_ns.has_value()));
            if (change.until_ns) {
                if (change.is_new) bits_.add(change.prefix);
                entries_[change.prefix] = *change.until_ns;
            } else {
                bits_.remove(change.prefix);
                entries_.erase(change.prefix);
            }
        }
    }
    [[nodiscard]] bool is_banned(const Address& address, std::uint64_t now) const {
        if (!may_be(address)) return false;
        for (unsigned length = 129; length-- > 0;) {
            const Prefix prefix = prefix_of(address, length);
            if (prefix.is_v4() != address.is_v4()) continue;
            const auto at = entries_.find(prefix);
            if (at != entries_.end()) return is_later(at->second, now);
        }
        return false;
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] const BanBits& bits() const { return bits_; }

  private:
    [[nodiscard]] bool has_bit(std::uint64_t first48, unsigned keep, std::uint32_t level) const {
        const std::uint64_t mask = ~0ull << (48 - keep);
        const std::uint32_t bit = sp_v6_bit(first48 & mask, level);
        return (bits_.state().levels & 1u << level) != 0 &&
               (bits_.chunks()[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] >> (bit % 64) &
                1) != 0;
    }
    [[nodiscard]] bool may_be(const Address& address) const {
        std::uint64_t first48 = 0;
        const std::size_t from = address.is_v4() ? 12 : 0;
        for (std::size_t i = 0; i < 6; i++)
            first48 = first48 << 8 | (from + i < 16 ? address.bytes[from + i] : 0u);
        if (address.is_v4())
            return has_bit(first48, 24, SP_BAN_LEVEL_V4_24) ||
                   has_bit(first48, 16, SP_BAN_LEVEL_V4_16) ||
                   has_bit(first48, 8, SP_BAN_LEVEL_V4_8);
        return has_bit(first48, 48, SP_V6_LEVEL_48) || has_bit(first48, 32, SP_V6_LEVEL_32) ||
               has_bit(first48, 16, SP_V6_LEVEL_16);
    }
    std::map<Prefix, std::uint64_t> entries_;
    BanBits bits_;
};

// By asking everybody.
struct Model {
    std::map<Prefix, std::uint64_t> bans;
    std::map<Prefix, int> lists;
    std::vector<Prefix> never;

    [[nodiscard]] bool is_banned(const Address& address, std::uint64_t now) const {
        for (const Prefix& prefix : never)
            if (prefix.covers(address)) return false;
        for (const auto& [prefix, until] : bans)
            if (prefix.covers(address) && (until == 0 || until > now)) return true;
        for (const auto& [prefix, count] : lists)
            if (count > 0 && prefix.covers(address)) return true;
        return false;
    }
};

// Of few addresses, so that prefixes meet: bits at each level of the bitmap and at the end.
Address random_address(Dice& dice) {
    Address address;
    if (dice.once_in(2)) {
        address = Address::v4(static_cast<std::uint32_t>(0x0a000000u | dice.roll(2) << 27 |
                                                         dice.roll(2) << 18 | dice.roll(2) << 9 |
                                                         dice.roll(4)));
        return address;
    }
    address.bytes[0] = 0x20;
    address.bytes[1] = static_cast<std::uint8_t>(dice.roll(2));
    address.bytes[3] = static_cast<std::uint8_t>(dice.roll(2));
    address.bytes[5] = static_cast<std::uint8_t>(dice.roll(2));
    address.bytes[15] = static_cast<std::uint8_t>(dice.roll(4));
    return address;
}

Prefix random_prefix(Dice& dice) {
    const Address address = random_address(dice);
    const std::vector<unsigned> four{100, 104, 110, 112, 118, 120, 125, 127, 128, 128};
    const std::vector<unsigned> six{4, 15, 16, 31, 32, 47, 48, 64, 127, 128, 128};
    return prefix_of(address, dice.pick(address.is_v4() ? four : six));
}

} // namespace

TEST_CASE("whatever is banned and lifted, the tries say what asking every ban says") {
    const std::uint64_t seed = test_seed();
    INFO("SP_SEED=" << seed);
    Dice dice(seed);
    for (int story = 0; story < 40; story++) {
        BanTable table;
        Kernel kernel;
        Model model;
        std::uint64_t now = 100;
        for (int step = 0; step < 120; step++) {
            const Prefix prefix = random_prefix(dice);
            switch (dice.roll(7)) {
            case 0:
            case 1: {
                const std::uint64_t until = dice.once_in(4) ? 0 : now + 1 + dice.roll(60);
                table.ban(prefix, until);
                model.bans[prefix] = until;
                break;
            }
            case 2:
                CHECK(table.lift(prefix) == (model.bans.erase(prefix) != 0));
                break;
            case 3:
                if (model.bans.empty()) break;
                table.lift(model.bans.begin()->first);
                model.bans.erase(model.bans.begin());
                break;
            case 4:
                table.enlist(prefix);
                ++model.lists[prefix];
                break;
            case 5:
                table.delist(prefix);
                if (model.lists.contains(prefix) && --model.lists[prefix] <= 0)
                    model.lists.erase(prefix);
                break;
            default:
                model.never.clear();
                for (std::size_t i = dice.roll(3); i > 0; i--)
                    model.never.push_back(random_prefix(dice));
                table.set_never(model.never);
            }
            now += dice.roll(20);
            std::vector<BanEntry> changes = table.take_changes();
            if (dice.once_in(10)) { // perhaps written, perhaps not: said again
                kernel.take(changes);
                table.redo(changes);
                for (BanEntry& change : changes = table.take_changes())
                    if (change.until_ns) CHECK_FALSE(change.is_new);
                std::erase_if(changes, [](const BanEntry& change) { return !change.until_ns; });
            }
            kernel.take(changes);
            CHECK(table.given() == model.bans.size());
            CHECK(table.listed() == model.lists.size());
            bool agree = true;
            for (int i = 0; i < 40; i++) {
                const Address address = random_address(dice);
                const bool expected = model.is_banned(address, now);
                agree = agree && kernel.is_banned(address, now) == expected &&
                        table.is_banned(address, now) == expected;
            }
            INFO("story " << story << ", step " << step);
            REQUIRE(agree);
        }
    }
}

TEST_CASE("a long prefix whose ban is over hides no shorter one that stands") {
    BanTable table;
    Kernel kernel;
    table.ban(net("198.51.100.0/24"), kForEver);
    table.ban(net("198.51.100.7"), 50);
    kernel.take(table.take_changes());
    CHECK(kernel.is_banned(addr("198.51.100.7"), 60));
    CHECK(kernel.is_banned(addr("198.51.100.8"), 60));
    // And the other way about: the short one lifted, the long one has its own time again.
    table.lift(net("198.51.100.0/24"));
    kernel.take(table.take_changes());
    CHECK(kernel.is_banned(addr("198.51.100.7"), 40));
    CHECK_FALSE(kernel.is_banned(addr("198.51.100.7"), 60));
    CHECK_FALSE(kernel.is_banned(addr("198.51.100.8"), 40));
}

TEST_CASE("lifting one ban leaves the others, and nothing of it in the tries") {
    BanTable table;
    Kernel kernel;
    for (const char* one : {"203.0.113.0/24", "203.0.113.4/30", "203.0.113.5", "2001:db8::/32"})
        table.ban(net(one), kForEver);
    kernel.take(table.take_changes());
    CHECK(kernel.size() == 4);
    CHECK(table.lift(net("203.0.113.4/30")));
    CHECK_FALSE(table.lift(net("203.0.113.4/30")));
    kernel.take(table.take_changes());
    CHECK(kernel.size() == 3);
    CHECK(kernel.is_banned(addr("203.0.113.5"), 1));
    for (const char* one : {"203.0.113.0/24", "203.0.113.5", "2001:db8::/32"}) table.lift(net(one));
    kernel.take(table.take_changes());
    CHECK(kernel.size() == 0);
    CHECK(table.size() == 0);
    CHECK(kernel.bits().state().levels == 0);
    CHECK(std::ranges::all_of(kernel.bits().chunks(), [](const sp_bits& chunk) {
        return std::ranges::all_of(chunk.words, [](std::uint64_t word) { return word == 0; });
    }));
}

TEST_CASE("a never zone is free within a ban, also of bans within it, and bans again without it") {
    BanTable table;
    Kernel kernel;
    table.ban(net("10.0.0.0/8"), kForEver);
    table.ban(net("10.1.0.5"), kForEver);
    table.set_never({net("10.1.0.0/24"), net("10.1.0.0/28")});
    kernel.take(table.take_changes());
    CHECK_FALSE(kernel.is_banned(addr("10.1.0.5"), 1));
    CHECK_FALSE(kernel.is_banned(addr("10.1.0.77"), 1));
    CHECK(kernel.is_banned(addr("10.1.1.0"), 1));
    CHECK(table.never_within_or_around(net("10.0.0.0/8")));
    CHECK(table.never_within_or_around(net("10.1.0.5")));
    CHECK_FALSE(table.never_within_or_around(net("10.1.1.0/24")));
    table.set_never({});
    kernel.take(table.take_changes());
    CHECK(kernel.is_banned(addr("10.1.0.5"), 1));
}

TEST_CASE("no prefix of one family bans the other") {
    BanTable table;
    Kernel kernel;
    table.ban(net("::/0"), kForEver);
    kernel.take(table.take_changes());
    CHECK(kernel.is_banned(addr("2001:db8::1"), 1));
    CHECK_FALSE(kernel.is_banned(addr("198.51.100.1"), 1));
    CHECK_FALSE(table.is_banned(addr("198.51.100.1"), 1));
    table.lift(net("::/0"));
    table.ban(net("0.0.0.0/0"), kForEver);
    kernel.take(table.take_changes());
    CHECK(kernel.is_banned(addr("198.51.100.1"), 1));
    CHECK_FALSE(kernel.is_banned(addr("2001:db8::1"), 1));
}

TEST_CASE("masks come first and go last, so that a never address is free at every step") {
    BanTable table;
    table.set_never({net("10.0.0.9")});
    table.ban(net("10.0.0.0/8"), kForEver);
    const std::vector<BanEntry> in = table.take_changes();
    REQUIRE(in.size() == 2);
    CHECK(in[0].is_mask);
    table.lift(net("10.0.0.0/8"));
    const std::vector<BanEntry> out = table.take_changes();
    REQUIRE(out.size() == 2);
    CHECK(out[1].is_mask);
    CHECK_FALSE(out[1].until_ns);
}
