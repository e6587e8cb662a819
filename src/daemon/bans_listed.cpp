// SPDX-License-Identifier: Apache-2.0
// Bans by lists: all of a file at once, or in steps.
#include "daemon/bans.h"
#include "kernel/bans.h"

#include <algorithm>
#include <limits>

namespace sallyport {
namespace {

// Networks between two looks at the time; a few milliseconds in a build for debugging.
constexpr std::size_t kStep = 256;

} // namespace

bool Bans::has_place_on_list(const Prefix& network) const {
    return active() < most_ && (table_.listed() < most_listed() || table_.is_listed(network));
}

void Bans::settle(const BanListing& change) {
    std::vector<Prefix> standing = change.standing(listed_[change.zone()]);
    if (standing.empty())
        listed_.erase(change.zone());
    else
        listed_[change.zone()] = std::move(standing);
}

void Bans::tell(const BanListing& change) {
    const Followed& followed = change.followed();
    if (followed.added != 0) {
        fresh_ = true;
        news_.push_back({.banned = true,
                         .origin = "list:" + change.zone(),
                         .detail = "named by the zone's file",
                         .count = followed.added});
    }
    if (followed.lifted != 0)
        news_.push_back({.banned = false,
                         .origin = "list:" + change.zone(),
                         .detail = "not named by the zone's file any more",
                         .count = followed.lifted});
}

Bans::Followed Bans::name_by_list(const std::string& zone, std::vector<Prefix> networks) {
    Followed followed;
    followed.left_out = leave_out_never_listed(networks, own_);
    BanListing change(zone, std::move(networks), followed);
    while (change.phase() != BanListing::Phase::done)
        change.step(
            listed_[zone], table_, [this](const Prefix& n) { return has_place_on_list(n); },
            std::numeric_limits<std::size_t>::max());
    settle(change);
    tell(change);
    return change.followed();
}

Result<Bans::Followed> Bans::follow_list(const BanList& list) {
    std::vector<Prefix> networks = SP_TRY(read_list_(list.file));
    leave_listings();
    const Followed followed = name_by_list(list.zone, std::move(networks));
    SP_TRY(write());
    return followed;
}

// As they are; what they have done is told.
void Bans::leave_listings() {
    for (const Listing& listing : listings_) {
        settle(listing.change);
        tell(listing.change);
    }
    listings_.clear();
}

Status Bans::begin_list(const BanList& list) {
    std::vector<Prefix> networks = SP_TRY(read_list_(list.file));
    Followed followed;
    const auto under_way = std::ranges::find(
        listings_, list.zone, [](const Listing& listing) { return listing.change.zone(); });
    if (under_way != listings_.end()) {
        settle(under_way->change);
        followed.added = under_way->change.followed().added;
        followed.lifted = under_way->change.followed().lifted;
        listings_.erase(under_way);
    }
    followed.left_out = leave_out_never_listed(networks, own_);
    listings_.push_back({.list = list,
                         .change = BanListing(list.zone, std::move(networks), followed),
                         .failure = {}});
    return {};
}

void Bans::step(Listing& listing) {
    BanListing& change = listing.change;
    const std::size_t done = change.added() + change.lifted();
    const BanListing::Phase phase = change.phase();
    change.step(
        listed_[change.zone()], table_, [this](const Prefix& n) { return has_place_on_list(n); },
        kStep);
    if (change.phase() != phase && change.added() != 0) fresh_ = true;
    if (change.added() + change.lifted() == done) return;
    if (const Status written = write(); !written && listing.failure.empty())
        listing.failure = written.error().text();
}

// What any list adds comes before what any lifts: a network may go from one to another.
std::vector<Bans::Done> Bans::step_lists(const std::function<bool()>& has_time) {
    std::vector<Done> done;
    while (!listings_.empty() && has_time()) {
        const auto next = std::ranges::min_element(
            listings_, {}, [](const Listing& listing) { return listing.change.phase(); });
        if (next->change.phase() == BanListing::Phase::done) break;
        step(*next);
        if (unwritten_) break; // the kernel does not take it now; the next tick asks again
    }
    for (const Listing& listing : listings_) {
        if (listing.change.phase() != BanListing::Phase::done) continue;
        settle(listing.change);
        tell(listing.change);
        done.push_back({.list = listing.list,
                        .followed = listing.change.followed(),
                        .failure = listing.failure});
    }
    std::erase_if(listings_, [](const Listing& listing) {
        return listing.change.phase() == BanListing::Phase::done;
    });
    return done;
}

std::size_t Bans::named_by(const std::string& zone) const {
    const auto found = listed_.find(zone);
    std::size_t named = found == listed_.end() ? 0 : found->second.size();
    for (const Listing& listing : listings_)
        if (listing.change.zone() == zone)
            named += listing.change.added() - listing.change.lifted();
    return named;
}

// Before what stands in the kernel is taken over: a file that cannot be read now must not lift
// what it has named. What has no end and nobody else's word is taken for that.
void Bans::load_lists(std::vector<std::string>& notes) {
    std::optional<std::string> unread;
    for (const BanList& list : lists_) {
        Result<std::vector<Prefix>> networks = read_list_(list.file);
        if (networks) {
            static_cast<void>(name_by_list(list.zone, *std::move(networks)));
        } else {
            notes.push_back(networks.error().text() + ": what it has banned stays banned");
            unread = list.zone;
        }
    }
    news_.clear();
    if (!unread) return;
    const Result<std::vector<BanEntry>> standing = read_bans(maps_);
    if (!standing) return;
    std::vector<Prefix> kept;
    for (const BanEntry& entry : *standing)
        if (entry.until_ns == kForEver && !table_.until(entry.prefix) &&
            !table_.is_listed(entry.prefix))
            kept.push_back(entry.prefix);
    static_cast<void>(name_by_list(*unread, std::move(kept)));
    news_.clear();
}

void Bans::set_lists(const std::vector<BanList>& lists, std::vector<std::string>& notes) {
    leave_listings();
    for (const BanList& list : lists_) {
        const auto same = [&](const BanList& other) { return other.zone == list.zone; };
        if (std::ranges::any_of(lists, same)) continue;
        static_cast<void>(name_by_list(list.zone, {}));
    }
    if (const Status written = write(); !written) notes.push_back(written.error().text());
    rules_unsaved_ = rules_unsaved_ || lists_ != lists;
    lists_ = lists;
    flush_unless_refused();
    for (const BanList& list : lists_) {
        const Result<Followed> followed = follow_list(list);
        if (!followed)
            notes.push_back(followed.error().text());
        else if (std::string left_out = followed->left_out_of(list.file); !left_out.empty())
            notes.push_back(std::move(left_out));
    }
}

} // namespace sallyport
