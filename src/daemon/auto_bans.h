// SPDX-License-Identifier: Apache-2.0
#pragma once
// [bans] after-limits and after-probes: from what sources have proved to have sent to their
// bans. The programs let no forged packet among it (docs/adr/0010); the rest is here: who is
// counted, who is spared, and for how long he is banned.
#include "bans/excess.h"
#include "bans/strikes.h"
#include "base/result.h"
#include "daemon/bans.h"
#include "daemon/spared.h"
#include "kernel/ring.h"
#include "policy/policy.h"
#include "sallyport/abi/challenge.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

inline constexpr const char* kAfterLimits = "after-limits"; // a ban's origin
inline constexpr const char* kAfterProbes = "after-probes";

// What is one source: an IPv4 address, a /64, an address behind NAT64 or of a link.
[[nodiscard]] Prefix source_of(const Address& address);

class AutoBans {
  public:
    explicit AutoBans(SparedWorld world) : world_(std::move(world)) {}

    // Of the policy in force, with the numbers of its rules' counters. Counting begins anew
    // where one of the two settings is another; with neither, nothing is counted.
    void use(const Policy& policy, const std::map<std::string, std::uint32_t>& counters);
    // What the source has proved to have sent, by the clock of `now_ns` (CLOCK_MONOTONIC).
    void take(const sp_proof& proof, std::uint64_t now_ns, Bans& bans,
              std::vector<std::string>& notes);
    // Lifts what is spared by now: a new gateway, a policy's new destination. Looks again
    // every ten seconds.
    void tend(std::uint64_t now_ns, Bans& bans, std::vector<std::string>& notes);

  private:
    struct Count {
        std::optional<BanAfter> after;
        std::optional<Strikes> strikes;
        void use(const std::optional<BanAfter>& now);
    };
    [[nodiscard]] bool is_strike(const sp_proof& proof, const Prefix& source);
    [[nodiscard]] const Spared& spared(std::uint64_t now_ns);
    void ban(const sp_proof& proof, const Prefix& source, std::uint64_t now_ns, Bans& bans,
             std::vector<std::string>& notes);
    void tell(std::uint64_t now_ns, std::string note, std::vector<std::string>& notes);

    SparedWorld world_;
    std::vector<Rule> egress_;                  // those that allow
    std::map<std::uint32_t, Allowance> limits_; // by counter
    Count limits_count_;
    Count probes_count_;
    Excess excess_;
    std::optional<Spared> spared_;
    std::uint64_t spared_ns_ = 0;
    std::vector<Spared::One> lifted_for_;
    bool look_ = false; // whether what stands is still not spared
    std::uint64_t looked_ns_ = 0;
    std::uint64_t told_ns_ = 0;
};

// The reading end of the ring of proofs. Nothing wakes: it is asked now and then.
class Proofs {
  public:
    [[nodiscard]] static Result<Proofs> open(int map);
    // Those that came since the last call, in order; a few thousand at most.
    [[nodiscard]] Result<std::vector<sp_proof>> take();

  private:
    Proofs(RingReader reader, std::shared_ptr<std::vector<sp_proof>> came)
        : reader_(std::move(reader)), came_(std::move(came)) {}
    RingReader reader_;
    std::shared_ptr<std::vector<sp_proof>> came_;
};

} // namespace sallyport
