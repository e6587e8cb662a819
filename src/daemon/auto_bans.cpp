// SPDX-License-Identifier: Apache-2.0
#include "daemon/auto_bans.h"

#include "base/duration.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::uint64_t kSecond = 1000000000;
constexpr std::uint64_t kSparedFor = kSecond;
constexpr std::uint64_t kLookEvery = 10 * kSecond;
constexpr std::uint64_t kTellEvery = 10 * kSecond;

std::uint64_t ns_of(std::chrono::seconds span) {
    return static_cast<std::uint64_t>(span.count()) * kSecond;
}

Address address_of(const sp_addr& from) {
    Address address;
    std::memcpy(address.bytes.data(), from.bytes, address.bytes.size());
    return address;
}

bool is_nat64(const Address& address) {
    static const Prefix kNat64 = prefix_of(Address{{0, 0x64, 0xff, 0x9b}}, 96);
    return kNat64.covers(address);
}

// fe80::/10: everybody on the link has the same /64.
bool is_link_local(const Address& address) {
    return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

// As the rule's limit counts; of a window, its number at once and then at its rate.
Allowance allowance_of(const Limit& limit) {
    const std::uint64_t interval = ns_of(limit.rate.per) / std::max(limit.rate.count, 1u);
    const std::uint32_t burst = limit.window ? limit.rate.count : limit.burst;
    return {.interval_ns = interval, .ahead_ns = (std::max(burst, 1u) - 1) * interval};
}

std::string reason_of(const sp_proof& proof, const BanAfter& after) {
    const bool probe = proof.owner == SP_CHALLENGE_PROBE;
    return fmt::format(
        "{} connections within {} {}, the last to tcp port {}", after.count, to_string(after.find),
        probe ? "that no rule lets in" : "more than a limit lets in", proof.dst_port);
}

} // namespace

Prefix source_of(const Address& address) {
    const bool single = address.is_v4() || is_nat64(address) || is_link_local(address);
    return prefix_of(address, single ? 128 : 64);
}

void AutoBans::Count::use(const std::optional<BanAfter>& now) {
    if (now == after) return;
    after = now;
    strikes.reset();
    if (after) strikes.emplace(after->count, ns_of(after->find));
}

void AutoBans::use(const Policy& policy, const std::map<std::string, std::uint32_t>& counters) {
    const bool counts = policy.host.mode == Mode::enforce;
    limits_count_.use(counts ? policy.bans.after_limits : std::nullopt);
    probes_count_.use(counts ? policy.bans.after_probes : std::nullopt);
    spared_.reset();
    egress_.clear();
    limits_.clear();
    look_ = true;
    for (const Rule& rule : policy.rules) {
        if (rule.direction == Direction::egress && !rule.deny) egress_.push_back(rule);
        const auto counter = counters.find(rule.name);
        if (rule.limit && counter != counters.end())
            limits_.emplace(counter->second, allowance_of(*rule.limit));
    }
}

bool AutoBans::is_strike(const sp_proof& proof, const Prefix& source) {
    if (proof.owner == SP_CHALLENGE_PROBE)
        return probes_count_.strikes && probes_count_.strikes->strike(source, proof.at_ns);
    const auto limit = limits_.find(proof.owner - 1);
    if (!limits_count_.strikes || limit == limits_.end()) return false;
    return excess_.is_beyond(source, proof.owner, limit->second, proof.at_ns) &&
           limits_count_.strikes->strike(source, proof.at_ns);
}

void AutoBans::take(const sp_proof& proof, std::uint64_t now_ns, Bans& bans,
                    std::vector<std::string>& notes) {
    const Count& count = proof.owner == SP_CHALLENGE_PROBE ? probes_count_ : limits_count_;
    // What waited in the ring for a daemon may be of long ago.
    if (!count.after ||
        now_ns - std::min<std::uint64_t>(proof.at_ns, now_ns) > ns_of(count.after->find))
        return;
    const Address address = address_of(proof.src);
    if (bans.is_banned(address)) return; // it was on its way
    const Prefix source = source_of(address);
    if (is_strike(proof, source)) ban(proof, source, now_ns, bans, notes);
}

const Spared& AutoBans::spared(std::uint64_t now_ns) {
    if (!spared_ || now_ns - spared_ns_ >= kSparedFor) {
        spared_.emplace(egress_, world_);
        spared_ns_ = now_ns;
    }
    return *spared_;
}

// Strikes come as fast as a source likes, and a line for each would be a flood of the log.
void AutoBans::tell(std::uint64_t now_ns, std::string note, std::vector<std::string>& notes) {
    if (told_ns_ != 0 && now_ns - told_ns_ < kTellEvery) return;
    told_ns_ = now_ns;
    notes.push_back(std::move(note));
}

void AutoBans::ban(const sp_proof& proof, const Prefix& source, std::uint64_t now_ns, Bans& bans,
                   std::vector<std::string>& notes) {
    const bool probe = proof.owner == SP_CHALLENGE_PROBE;
    const BanAfter after = *(probe ? probes_count_ : limits_count_).after;
    std::string why;
    // Where the /64 holds somebody who is spared, this host on the same link say, the address.
    for (const Prefix& network : {source, Prefix{.base = address_of(proof.src), .length = 128}}) {
        if (const auto spared_for = spared(now_ns).why(network)) {
            why = *spared_for;
            continue;
        }
        const Result<BanOutcome> outcome = bans.ban({.network = network,
                                                     .duration = after.ban,
                                                     .origin = probe ? kAfterProbes : kAfterLimits,
                                                     .reason = reason_of(proof, after),
                                                     .grows = true,
                                                     .over = BanRequest::Over::extends});
        if (outcome && outcome->answer != BanAnswer::refused) return;
        why = outcome ? outcome->why : outcome.error().text();
    }
    tell(now_ns,
         fmt::format("{}: {} is not banned for it: {}", probe ? kAfterProbes : kAfterLimits,
                     to_string(address_of(proof.src)), why),
         notes);
}

void AutoBans::tend(std::uint64_t now_ns, Bans& bans, std::vector<std::string>& notes) {
    if (!limits_count_.after && !probes_count_.after) return;
    if (!look_ && now_ns - looked_ns_ < kLookEvery) return;
    looked_ns_ = now_ns;
    const Spared& now = spared(now_ns);
    if (!look_ && now.addresses() == lifted_for_) return;
    look_ = false;
    lifted_for_ = now.addresses();
    for (const char* const origin : {kAfterLimits, kAfterProbes}) {
        for (const Prefix& network : bans.given_by(origin)) {
            const auto why = now.why(network);
            if (!why) continue;
            if (bans.unban(network, {.origin = origin, .detail = "spared: " + *why}))
                notes.push_back(
                    fmt::format("{} is not banned any more: {}", to_string(network), *why));
        }
    }
}

Result<Proofs> Proofs::open(int map) {
    auto came = std::make_shared<std::vector<sp_proof>>();
    RingReader reader =
        SP_TRY(RingReader::open(std::array{map}, [came](std::span<const std::byte> record) {
            if (record.size() < sizeof(sp_proof)) return;
            sp_proof proof{};
            std::memcpy(&proof, record.data(), sizeof proof);
            came->push_back(proof);
        }));
    return Proofs(std::move(reader), std::move(came));
}

Result<std::vector<sp_proof>> Proofs::take() {
    int rounds = 8; // of some hundred; who proves himself later is taken the next time
    while (SP_TRY(reader_.drain()) && --rounds > 0) {
    }
    return std::exchange(*came_, {});
}

} // namespace sallyport
