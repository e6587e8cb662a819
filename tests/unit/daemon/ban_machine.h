// SPDX-License-Identifier: Apache-2.0
#pragma once
// The place through which bans are made, over maps of its own and a clock that a test moves.
#include "daemon/bans.h"
#include "kernel/bans.h"
#include "kernel/map.h"
#include "kernel/options.h"
#include "sallyport/abi/types.h"
#include "support/temp_dir.h"

#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace sallyport::test {

inline Prefix net(const char* text) {
    return parse_prefix(text).value();
}

inline constexpr std::uint64_t kSecond = 1'000'000'000;

// Maps as the programs have them, with room for `entries` in each trie.
class BanMachine {
  public:
    explicit BanMachine(std::uint32_t entries = 1000) {
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

inline BanAnswer banned(Bans& bans, const char* network,
                        std::optional<Milliseconds> duration = {}) {
    const Result<BanOutcome> outcome = bans.ban({.network = net(network), .duration = duration});
    if (!outcome) FAIL(outcome.error().text());
    return outcome->answer;
}

} // namespace sallyport::test
