// SPDX-License-Identifier: Apache-2.0
#include "jail/jail.h"

#include <algorithm>

namespace sallyport::jail {

namespace {

constexpr std::size_t kLineKept = 512;
constexpr std::chrono::seconds kOdd(60);
constexpr unsigned kWidestV4 = 96 + 16;
constexpr unsigned kWidestV6 = 32;

bool overlap(const Prefix& a, const Prefix& b) {
    return a.length <= b.length ? a.covers(b.base) : b.covers(a.base);
}

// In none of `except` as a whole; what is spared in part only is spared.
bool holds(const PeerPart& part, const Prefix& source) {
    const bool in = std::ranges::any_of(
        *part.networks, [&](const Prefix& network) { return overlap(network, source); });
    return in && std::ranges::none_of(part.except, [&](const PrefixList& list) {
               return std::ranges::any_of(*list, [&](const Prefix& network) {
                   return network.length <= source.length && network.covers(source.base);
               });
           });
}

// Addresses that are nobody's, or this host's by definition.
bool is_nobody(const Address& address) {
    if (address.is_v4()) {
        const std::uint32_t value = address.v4_value();
        return value >> 24 == 0 || value >> 24 == 127 || value >> 28 >= 14;
    }
    const bool zero = std::all_of(address.bytes.begin(), address.bytes.end() - 1,
                                  [](std::uint8_t byte) { return byte == 0; });
    return (zero && address.bytes.back() <= 1) || address.bytes.front() == 0xff;
}

} // namespace

const char* to_string(Fate fate) {
    switch (fate) {
    case Fate::counted:
        return "counted";
    case Fate::banned:
        return "banned";
    case Fate::spared:
        return "spared";
    case Fate::no_address:
        return "no-address";
    case Fate::too_wide:
        return "too-wide";
    case Fate::too_old:
        return "too-old";
    }
    return "counted";
}

Jail::Jail(JailSettings settings, std::vector<Address> own, Times times, Judge judge)
    : settings_(std::move(settings)), own_(std::move(own)), times_(times), judge_(std::move(judge)),
      failures_(settings_.max_retry, settings_.find_time), dice_(std::random_device{}()) {}

Result<Jail> Jail::make(JailSettings settings, std::vector<Address> own, Times times) {
    Judge judge = SP_TRY(Judge::make(settings.filter).context("jail \"" + settings.name + "\""));
    return Jail(std::move(settings), std::move(own), times, std::move(judge));
}

bool Jail::is_spared(const Prefix& source) const {
    if (is_nobody(source.base)) return true;
    if (settings_.ignore_self &&
        std::ranges::any_of(own_, [&](const Address& one) { return source.covers(one); }))
        return true;
    return std::ranges::any_of(settings_.ignored.parts,
                               [&](const PeerPart& part) { return holds(part, source); });
}

// An IPv6 address stands for its network, unless somebody in there is spared.
Prefix Jail::source_of(const Prefix& who) const {
    if (who.is_v4() || who.length < 128) return who;
    const Prefix wider = prefix_of(who.base, settings_.ipv6_length);
    return is_spared(wider) ? who : wider;
}

LogTime Jail::believed(LogTime written, LogTime now, bool is_known) {
    if (times_ == Times::of_lines) {
        latest_ = std::max(latest_, written);
        return written;
    }
    const bool is_odd = written > now + kOdd || written < now - kOdd;
    if (!is_live_ || is_known || !is_odd) return std::min(written, now);
    ++counters_.odd_times;
    return now;
}

// What was there when the log was opened, and does not say when it was written or says a time
// to come, may be of any age: were it of now, each restart would count it again.
bool Jail::is_undated(const Failure& failure, LogTime now, bool is_known) const {
    if (is_live_ || is_known || times_ == Times::of_lines) return false;
    return !failure.time || *failure.time > now + kOdd;
}

Told Jail::judge_failure(Failure failure, LogTime at, LogTime now, bool is_known,
                         std::string_view line, LineResult& result) {
    Told told{.failure = std::move(failure), .fate = Fate::counted, .failures = 0};
    const auto fated = [&](Fate fate) {
        told.fate = fate;
        return told;
    };
    if (!told.failure.network) return fated(Fate::no_address);
    const Prefix& who = *told.failure.network;
    if (who.length < (who.is_v4() ? kWidestV4 : kWidestV6)) return fated(Fate::too_wide);
    if (is_spared(who)) return fated(Fate::spared);
    if (times_ == Times::wall && at < now - settings_.find_time) return fated(Fate::too_old);
    if (is_undated(told.failure, now, is_known)) return fated(Fate::too_old);
    const Prefix source = source_of(who);
    told.failures = failures_.add(source, at);
    if (told.failures < settings_.max_retry) return told;
    const unsigned earlier = history_.times(source);
    const double dice = std::uniform_real_distribution<double>(0, 1)(dice_);
    result.bans.push_back({.jail = settings_.name,
                           .source = source,
                           .who = who,
                           .span = ban_time(settings_.ban_time, settings_.growth, earlier, dice),
                           .at = at,
                           .failures = told.failures,
                           .earlier = earlier,
                           .is_grown = settings_.growth.on,
                           .line = std::string(line.substr(0, kLineKept))});
    history_.set(source, earlier + 1);
    ++counters_.bans;
    return fated(Fate::banned);
}

LineResult Jail::take(std::string_view line, LogTime now, std::optional<LogTime> known) {
    Verdict verdict = judge_.judge(line, now, known);
    LineResult result;
    result.outcome = verdict.outcome;
    result.regex = verdict.regex;
    result.is_pending = verdict.is_pending;
    ++counters_.lines;
    if (verdict.outcome == Outcome::matched) ++counters_.matched;
    if (verdict.outcome == Outcome::ignored) ++counters_.ignored;
    if (verdict.outcome == Outcome::too_long) ++counters_.too_long;
    if (verdict.outcome == Outcome::too_costly) ++counters_.too_costly;
    for (Failure& failure : verdict.failures) {
        const LogTime written = failure.time.value_or(times_ == Times::of_lines ? latest_ : now);
        const LogTime at = believed(written, now, known.has_value());
        result.told.push_back(
            judge_failure(std::move(failure), at, now, known.has_value(), line, result));
    }
    return result;
}

} // namespace sallyport::jail
