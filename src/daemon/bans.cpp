// SPDX-License-Identifier: Apache-2.0
#include "daemon/bans.h"

#include "kernel/bans.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::uint64_t kNsInMs = 1000000;

} // namespace

std::int64_t Bans::clock_offset_ms() const {
    return clock_.wall_ms() - static_cast<std::int64_t>(clock_.boot_ns() / kNsInMs);
}

void Bans::note_end(const Prefix& network, std::uint64_t until_ns) {
    if (until_ns != kForEver) ends_.push({.until_ns = until_ns, .network = network});
}

Status Bans::write() {
    const std::vector<BanEntry> changes = table_.take_changes();
    Status written = write_bans(maps_, changes, bits_, active());
    if (!written) {
        table_.redo(changes);
        unwritten_ = true;
    }
    return written;
}

Result<BanOutcome> Bans::ban(const BanRequest& request, std::span<const Address> session) {
    if (std::optional<BanOutcome> refused = refusal(request, session)) return *std::move(refused);
    if (store_ && BanRepeats::was_answered(*store_, request))
        return BanOutcome{.answer = BanAnswer::was};
    const std::uint64_t now = clock_.boot_ns();
    std::optional<Milliseconds> duration = request.duration;
    if (duration && store_) duration = repeats_.grown(*store_, request, clock_.wall_ms());
    const auto given_ns = duration ? static_cast<std::uint64_t>(duration->count()) * kNsInMs : 0;
    const std::uint64_t until = duration ? now + given_ns : kForEver;
    const std::optional<std::uint64_t> before = table_.until(request.network);
    if (before && is_later(*before, now) && request.is_counted && is_banned_by(request)) {
        if (store_) BanRepeats::note_answered(*store_, request, clock_.wall_ms());
        return BanOutcome{.answer = BanAnswer::stands};
    }
    if (before && request.over == BanRequest::Over::extends && !is_later(until, *before)) {
        BanOutcome stands{.answer = BanAnswer::stands};
        if (*before != kForEver)
            stands.left = Milliseconds((*before - std::min(now, *before)) / kNsInMs);
        return stands;
    }
    if (!before && active() >= most_)
        return fail(ErrorKind::conflict,
                    fmt::format("there are {} bans already, as many as there can be", active()),
                    "ban networks rather than addresses, or lift some: sallyport bans");
    table_.ban(request.network, until);
    if (Status written = write(); !written) {
        // As it was before; what the kernel has half of it is made to agree, now or later.
        if (before)
            table_.ban(request.network, *before);
        else
            table_.lift(request.network);
        static_cast<void>(write());
        return std::unexpected<Error>(std::move(written).error());
    }
    fresh_ = true;
    note_end(request.network, until);
    BanRecord record{.network = request.network,
                     .since_ms = clock_.wall_ms(),
                     .until_ms = 0,
                     .given_ms = duration ? duration->count() : 0,
                     .until_boot_ns = until,
                     .boot_id = clock_.boot_id,
                     .origin = request.origin,
                     .reason = request.reason};
    if (duration) record.until_ms = record.since_ms + record.given_ms;
    save(std::move(record));
    news_.push_back({.banned = true,
                     .network = request.network,
                     .origin = request.origin,
                     .detail = request.reason,
                     .duration = duration});
    if (store_) repeats_.note(*store_, request, clock_.wall_ms());
    return BanOutcome{.answer = BanAnswer::banned,
                      .left = duration,
                      .not_kept = disk_error_,
                      .also = what_else(request.network)};
}

Result<BanOutcome> Bans::unban(const Prefix& network, const BanLifter& lifter) {
    const std::optional<std::uint64_t> before = table_.until(network);
    if (!before) {
        const std::string also = what_else(network);
        return BanOutcome{
            .answer = BanAnswer::not_banned,
            .why =
                to_string(network) + " is not banned" + (also.empty() ? "" : " of itself: " + also),
            .next = table_.is_listed(network)
                        ? "take it out of the file of that zone, or name it in [bans] never"
                        : "sallyport bans lists who is"};
    }
    table_.lift(network);
    if (Status written = write(); !written) {
        table_.ban(network, *before);
        static_cast<void>(write());
        return std::unexpected<Error>(std::move(written).error());
    }
    forget(network);
    news_.push_back(
        {.banned = false, .network = network, .origin = lifter.origin, .detail = lifter.detail});
    return BanOutcome{
        .answer = BanAnswer::lifted, .not_kept = disk_error_, .also = what_else(network)};
}

// What else bars this network or a part of it, for who lifts or makes a ban of it.
std::string Bans::what_else(const Prefix& network) const {
    if (table_.is_listed(network)) return "a list of [bans] lists names it";
    if (const auto around = table_.banned_around(network, clock_.boot_ns()))
        return fmt::format("it lies in {}, which is banned", to_string(*around));
    return {};
}

bool Bans::is_banned_by(const BanRequest& request) const {
    const auto unsaved = unsaved_.find(request.network);
    if (unsaved != unsaved_.end()) return unsaved->second.origin == request.origin;
    if (!store_) return false;
    const Result<std::optional<BanRecord>> record = store_->find(request.network);
    return record && *record && (*record)->origin == request.origin;
}

void Bans::each_count(const std::string& origin, const EachCount& call) const {
    if (store_) repeats_.each_count(*store_, origin, clock_.wall_ms(), call);
}

bool Bans::is_banned(const Address& address) const {
    return table_.is_banned(address, clock_.boot_ns());
}

void Bans::set_never(const std::vector<Prefix>& networks, std::vector<std::string>& notes) {
    table_.set_never(networks);
    if (const Status written = write(); !written) notes.push_back(written.error().text());
    if (never_ == networks) return;
    never_ = networks;
    rules_unsaved_ = true;
    flush_unless_refused();
}

void Bans::end_what_is_over() {
    const std::uint64_t now = clock_.boot_ns();
    std::vector<Prefix> over;
    while (!ends_.empty() && ends_.top().until_ns <= now) {
        const End end = ends_.top();
        ends_.pop();
        // It may have been lifted, or given another end, since.
        if (table_.until(end.network) != end.until_ns) continue;
        table_.lift(end.network);
        over.push_back(end.network);
    }
    if (over.empty()) return;
    static_cast<void>(write()); // the kernel has judged it over by itself
    for (const Prefix& network : over) {
        std::string origin;
        if (store_)
            if (const auto record = store_->find(network); record && *record)
                origin = (*record)->origin;
        news_.push_back({.banned = false,
                         .network = network,
                         .origin = std::move(origin),
                         .detail = "its time is up"});
    }
    if (store_ && store_->remove(over)) {
        for (const Prefix& network : over) unsaved_.erase(network);
        return;
    }
    for (const Prefix& network : over) forget(network);
}

void Bans::tick() {
    end_what_is_over();
    follow_wall_clock();
    if (unwritten_) {
        unwritten_ = false;
        static_cast<void>(write());
    }
    if (clock_.boot_ns() >= try_disk_at_ns_) flush();
}

} // namespace sallyport
