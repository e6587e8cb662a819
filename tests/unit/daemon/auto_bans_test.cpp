// SPDX-License-Identifier: Apache-2.0
// From proofs to bans, over maps of its own, a clock that a test moves and a machine made up.
#include "daemon/auto_bans.h"
#include "kernel/map.h"
#include "kernel/options.h"
#include "sallyport/abi/types.h"
#include "support/temp_dir.h"
#include "unit/config/world.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::config_test;
using sallyport::test::TempDir;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kApi = 7; // the counter of the rule "api"

const std::string kRules = "[[ingress]]\nname = \"api\"\nfrom = \"any\"\nproto = \"tcp\"\n"
                           "ports = [80]\nlimit = \"60/minute\"\nburst = 10\n";
const std::string kBoth = "[bans]\nafter-limits = \"5 in 1m for 1h\"\n"
                          "after-probes = \"3 in 1m for 10m\"\n";

Address address(const char* text) {
    return parse_address(text).value();
}

struct Machine {
    Machine() {
        if (geteuid() != 0) SKIP("only root may make maps");
        maps.ban_state = make({.name = "sp_ban_state", .value_size = sizeof(sp_ban_state)});
        maps.ban_bits = make({.name = "sp_ban_bits",
                              .value_size = sizeof(sp_bits),
                              .max_entries = SP_V6_BITS / SP_CHUNK_BITS});
        maps.bans4 = trie("sp_bans4", sizeof(sp_v4_key));
        maps.bans6 = trie("sp_bans6", sizeof(sp_v6_key));
        bans = std::make_unique<Bans>(
            BansWorld{.maps = maps,
                      .state_dir = directory / "state",
                      .clock = {.boot_ns = [this] { return now; },
                                .wall_ms = [this] { return std::int64_t(now / 1'000'000); },
                                .boot_id = "this"},
                      .own = {address("fd00:1::1")},
                      .read_list = [](const std::string&) { return std::vector<Prefix>(); }},
            notes);
        use(kRules + kBoth);
    }
    void use(const std::string& text) { autos.use(good(text), {{"api", kApi}}); }
    void use(const Policy& policy) { autos.use(policy, {{"api", kApi}}); }
    // So many proofs of that source, each a millisecond behind the other.
    void prove(const char* source, int times, std::uint32_t owner = SP_CHALLENGE_PROBE) {
        for (int i = 0; i < times; ++i) {
            now += 1'000'000;
            sp_proof proof{};
            proof.at_ns = now;
            const Address from = address(source);
            std::memcpy(proof.src.bytes, from.bytes.data(), from.bytes.size());
            proof.owner = owner;
            proof.dst_port = 80;
            autos.take(proof, now, *bans, notes);
        }
    }
    [[nodiscard]] std::vector<std::string> banned() const {
        std::vector<std::string> networks;
        const BanPage page = bans->page({}, 100).value();
        for (const BanLine& line : page.lines)
            networks.push_back(to_string(line.record.network) + " " + line.record.origin);
        return networks;
    }
    int make(const InnerMap& shape) {
        Result<Fd> map = create_map(shape);
        if (!map) FAIL(map.error().text());
        held.push_back(*std::move(map));
        return held.back().get();
    }
    int trie(const char* name, std::uint32_t key) {
        return make({.type = BPF_MAP_TYPE_LPM_TRIE,
                     .name = name,
                     .key_size = key,
                     .value_size = sizeof(sp_ban),
                     .max_entries = 1000,
                     .flags = BPF_F_NO_PREALLOC});
    }

    std::uint64_t now = 1000 * kSecond;
    TempDir directory;
    std::vector<Fd> held;
    Maps maps;
    std::vector<std::string> notes;
    std::vector<Address> gateways;
    std::unique_ptr<Bans> bans;
    AutoBans autos{{.gateways = [this] { return gateways; },
                    .resolvers = [] { return std::vector{address("10.5.0.53")}; },
                    .sessions = [] { return std::vector{address("fd00:5::5")}; }}};
};

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("as many proved probes as the policy says ban their source, and not one less") {
    Machine machine;
    machine.prove("10.2.0.1", 2);
    machine.prove("fd00:2::1", 1);
    machine.prove("fd00:2::2", 1); // the same /64
    CHECK(machine.banned().empty());
    machine.prove("10.2.0.1", 1);
    machine.prove("fd00:2::3", 1);
    Lines banned = machine.banned();
    std::ranges::sort(banned);
    CHECK(banned == Lines{"10.2.0.1 after-probes", "fd00:2::/64 after-probes"});
    const BanLine line = machine.bans->page({}, 1).value().lines.at(0);
    CHECK(line.record.given_ms == 600'000);
    CHECK(line.record.reason ==
          "3 connections within 1m that no rule lets in, the last to tcp port 80");
}

TEST_CASE("who is refused by a limit is banned for what is beyond the limit") {
    Machine machine;
    machine.prove("10.2.0.1", 10 + 4, kApi + 1);
    CHECK(machine.banned().empty());
    machine.prove("10.2.0.1", 1, kApi + 1);
    CHECK(machine.banned() == Lines{"10.2.0.1 after-limits"});
}

TEST_CASE("who keeps within his limit is not banned, however often he is refused") {
    Machine machine;
    for (int i = 0; i < 3600; ++i) {
        machine.prove("10.2.0.1", 1, kApi + 1);
        machine.now += kSecond - 1'000'000;
    }
    CHECK(machine.banned().empty());
}

TEST_CASE("proofs of long ago, and of rules that have no limit now, count for nothing") {
    Machine machine;
    machine.prove("10.2.0.1", 2);
    machine.now += 61 * kSecond;
    machine.prove("10.2.0.1", 1);
    CHECK(machine.banned().empty());
    machine.prove("10.2.0.2", 100, kApi + 2);
    CHECK(machine.banned().empty());
    // As read from a ring that nobody emptied for a while.
    sp_proof proof{};
    const Address from = address("10.2.0.3");
    std::memcpy(proof.src.bytes, from.bytes.data(), from.bytes.size());
    proof.at_ns = machine.now;
    for (int i = 0; i < 10; ++i)
        machine.autos.take(proof, machine.now + 61 * kSecond, *machine.bans, machine.notes);
    CHECK(machine.banned().empty());
}

TEST_CASE("a policy that switches it off, or observes, bans nobody; what was counted is gone") {
    Machine machine;
    machine.prove("10.2.0.1", 2);
    machine.use(kRules);
    machine.prove("10.2.0.1", 10);
    machine.prove("10.2.0.1", 100, kApi + 1);
    machine.use(kRules + kBoth);
    machine.prove("10.2.0.1", 2);
    CHECK(machine.banned().empty());
    // The same settings again: it goes on.
    machine.use(kRules + kBoth);
    machine.prove("10.2.0.1", 1);
    CHECK(machine.banned().size() == 1);
    Policy observing = good(kRules + kBoth);
    observing.host.mode = Mode::observe;
    machine.use(observing);
    machine.prove("10.2.0.2", 10);
    CHECK(machine.banned().size() == 1);
}

TEST_CASE("who is spared is not banned, and the log says why, now and then") {
    Machine machine;
    machine.gateways = {address("10.5.0.1"), address("fd00:6::1")};
    machine.use(kRules + "[[egress]]\nname = \"db\"\nto = [\"10.6.0.0/24\"]\nproto = \"tcp\"\n" +
                kBoth);
    machine.bans->set_never({parse_prefix("10.7.0.0/16").value()}, machine.notes);
    machine.notes.clear();
    for (const char* source : {"10.5.0.1", "10.5.0.53", "fd00:5::5", "10.6.0.9", "10.7.0.1"}) {
        INFO(source);
        machine.prove(source, 30);
        CHECK(machine.banned().empty());
        CHECK(machine.notes.size() == 1);
        machine.notes.clear();
        machine.now += 11 * kSecond;
    }
    // Beside a gateway and beside this host itself: the address alone.
    machine.prove("fd00:6::2", 3);
    machine.prove("fd00:1::2", 3);
    Lines banned = machine.banned();
    std::ranges::sort(banned);
    CHECK(banned == Lines{"fd00:1::2 after-probes", "fd00:6::2 after-probes"});
    machine.prove("fd00:6::1", 30);
    CHECK(machine.banned().size() == 2);
}

TEST_CASE("who becomes a gateway is free again, who was banned by hand is not") {
    Machine machine;
    machine.prove("10.2.0.1", 3);
    machine.prove("10.2.0.2", 3);
    REQUIRE(machine.bans->ban({.network = parse_prefix("10.2.0.3").value()}));
    machine.autos.tend(machine.now, *machine.bans, machine.notes);
    CHECK(machine.banned().size() == 3);
    machine.gateways = {address("10.2.0.1"), address("10.2.0.3")};
    machine.now += 9 * kSecond;
    machine.autos.tend(machine.now, *machine.bans, machine.notes);
    CHECK(machine.banned().size() == 3);
    machine.now += 2 * kSecond;
    static_cast<void>(machine.bans->take_news());
    machine.autos.tend(machine.now, *machine.bans, machine.notes);
    CHECK(machine.banned() == Lines{"10.2.0.2 after-probes", "10.2.0.3 hand"});
    const std::vector<BanNews> news = machine.bans->take_news();
    REQUIRE(news.size() == 1);
    CHECK(news[0].origin == "after-probes");
    CHECK(news[0].detail == "spared: 10.2.0.1, a gateway of this host");
}
