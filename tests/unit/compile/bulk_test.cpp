// SPDX-License-Identifier: Apache-2.0
// Lists as people feed them to firewalls: a million prefixes in one zone. What
// it costs is printed; what it answers is checked against the list itself.
#include "compile/compile.h"
#include "compile/lookup.h"
#include "support/dice.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <memory>
#include <sys/resource.h>
#include <unordered_set>

using namespace sallyport;
using namespace sallyport::test;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SP_TEST_SLOW 1
#endif
#endif
#if defined(SP_TEST_SLOW) || defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
constexpr std::size_t kMany = 200'000;
#else
constexpr std::size_t kMany = 1'000'000;
#endif

Address random_v6(Dice& dice) {
    Address address;
    for (std::uint8_t& byte : address.bytes) byte = static_cast<std::uint8_t>(dice.roll(256));
    address.bytes[0] = 0x20;
    return address;
}

Address random_v4(Dice& dice) {
    return Address::v4(static_cast<std::uint32_t>(dice.number()));
}

std::vector<Prefix> v4_list(Dice& dice, unsigned shortest) {
    std::vector<Prefix> list(kMany);
    for (Prefix& prefix : list)
        prefix = prefix_of(random_v4(dice),
                           96 + shortest + static_cast<unsigned>(dice.roll(33 - shortest)));
    return list;
}

Policy allow_from(std::vector<Prefix> networks) {
    Rule rule;
    rule.name = "bulk";
    rule.from.parts.push_back(
        {.networks = std::make_shared<const std::vector<Prefix>>(std::move(networks)),
         .except = {},
         .interfaces = {}});
    rule.services.ranges = {{.proto = 6, .low = 22, .high = 22}};
    Policy policy;
    policy.rules.push_back(rule);
    policy.essentials.ping = any_peer();
    return policy;
}

MapImage compile_and_print(const Policy& policy, const std::string& what) {
    const auto start = std::chrono::steady_clock::now();
    Result<MapImage> image = compile(policy, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    REQUIRE(image);
    WARN(what << ": " << kMany << " prefixes in " << took.count() << " s, the process at most "
              << usage.ru_maxrss / 1024 << " MiB; tries " << image->v4_trie.size() << " + "
              << image->v6_trie.size());
    return std::move(*image);
}

Opening ssh_from(const Address& source) {
    Opening opening;
    opening.source = source;
    opening.proto = 6;
    opening.port = 22;
    return opening;
}

// Membership without a trie: every prefix in a set of its own length.
class Membership {
  public:
    explicit Membership(const std::vector<Prefix>& list) : by_length_(129) {
        for (const Prefix& prefix : list) by_length_[prefix.length].insert(key(prefix.base));
    }
    [[nodiscard]] bool holds(const Address& address) const {
        for (unsigned length = address.is_v4() ? 96 : 0; length <= 128; ++length)
            if (by_length_[length].contains(key(prefix_of(address, length).base))) return true;
        return false;
    }

  private:
    static std::string key(const Address& address) {
        return {address.bytes.begin(), address.bytes.end()};
    }
    std::vector<std::unordered_set<std::string>> by_length_;
};

void check_samples(Dice& dice, const std::vector<Prefix>& list, const Lookup& tables,
                   Address (*stranger)(Dice&)) {
    const Membership members(list);
    int held = 0;
    for (int n = 0; n < 4000; ++n) {
        // A member, its neighbour by one bit, or anybody.
        Address address = n % 4 == 3 ? stranger(dice) : dice.pick(list).base;
        if (n % 4 == 1) address.bytes[15] ^= 1;
        if (n % 4 == 2) address.bytes[7 + static_cast<std::size_t>(address.is_v4()) * 6] ^= 1;
        const bool expected = members.holds(address);
        held += expected;
        INFO(to_string(address));
        REQUIRE((tables.verdict(ssh_from(address)).answer == Answer::allowed) == expected);
    }
    CHECK(held >= 1000);
    CHECK(held < 4000);
}

} // namespace

TEST_CASE("a zone of very many IPv4 prefixes answers for each of them") {
    Dice dice(test_seed());
    const std::vector<Prefix> list = v4_list(dice, 20);
    const MapImage image = compile_and_print(allow_from(list), "IPv4 /20 to /32");
    check_samples(dice, list, Lookup(image), random_v4);
}

TEST_CASE("a zone of very many IPv4 hosts answers for each of them") {
    Dice dice(test_seed());
    const std::vector<Prefix> list = v4_list(dice, 32);
    const MapImage image = compile_and_print(allow_from(list), "IPv4 hosts");
    check_samples(dice, list, Lookup(image), random_v4);
}

TEST_CASE("a zone of very many IPv6 networks answers for each of them") {
    Dice dice(test_seed());
    std::vector<Prefix> list(kMany);
    for (Prefix& prefix : list) prefix = prefix_of(random_v6(dice), 64);
    const MapImage image = compile_and_print(allow_from(list), "IPv6 /64");
    check_samples(dice, list, Lookup(image), random_v6);
}

TEST_CASE("very many prefixes less very many others answer for both lists") {
    Dice dice(test_seed());
    const std::vector<Prefix> list = v4_list(dice, 20);
    const std::vector<Prefix> except = v4_list(dice, 24);
    Policy policy = allow_from(list);
    policy.rules[0].from.parts[0].except.push_back(
        std::make_shared<const std::vector<Prefix>>(except));
    const MapImage image = compile_and_print(policy, "IPv4 less IPv4");
    const Lookup tables(image);
    const Membership members(list);
    const Membership excepted(except);
    for (int n = 0; n < 4000; ++n) {
        const Address address = dice.pick(n % 2 == 0 ? list : except).base;
        INFO(to_string(address));
        REQUIRE((tables.verdict(ssh_from(address)).answer == Answer::allowed) ==
                (members.holds(address) && !excepted.holds(address)));
    }
}
