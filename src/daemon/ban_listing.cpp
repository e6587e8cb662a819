// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_listing.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace sallyport {
namespace {

// Does the ordered list hold it? `from` has passed what comes before it, and goes on.
bool holds(const std::vector<Prefix>& list, std::size_t& from, const Prefix& network) {
    while (from < list.size() && list[from] < network) ++from;
    return from < list.size() && list[from] == network;
}

} // namespace

std::string ListFollowed::left_out_of(const std::string& file) const {
    std::string told;
    if (left_out != 0)
        told = fmt::format("{} networks are left out: they hold addresses of this host, loopback "
                           "or groups",
                           left_out);
    if (beyond != 0)
        told += fmt::format("{}{} networks are left out: all places for lists are taken; those "
                            "that are left are for bans by hand and by jails",
                            told.empty() ? "" : "; ", beyond);
    return told.empty() ? told : file + ": " + told;
}

BanListing::BanListing(std::string zone, std::vector<Prefix> wanted, ListFollowed followed)
    : zone_(std::move(zone)), wanted_(std::move(wanted)), followed_(followed) {}

void BanListing::begin(Phase phase) {
    phase_ = phase;
    at_ = 0;
    other_ = 0;
}

void BanListing::add(const std::vector<Prefix>& before, BanTable& table,
                     const HasPlace& has_place) {
    if (at_ == wanted_.size()) return begin(Phase::lifts);
    const Prefix& network = wanted_[at_++];
    if (holds(before, other_, network)) return;
    if (!has_place(network)) {
        waiting_.push_back(network);
        return;
    }
    table.enlist(network);
    added_.push_back(network);
    ++followed_.added;
}

void BanListing::lift(const std::vector<Prefix>& before, BanTable& table) {
    if (at_ == before.size()) return begin(Phase::adds_beyond);
    const Prefix& network = before[at_++];
    if (holds(wanted_, other_, network)) return;
    table.delist(network);
    lifted_.push_back(network);
    ++followed_.lifted;
}

void BanListing::add_beyond(BanTable& table, const HasPlace& has_place) {
    if (at_ == waiting_.size()) return begin(Phase::done);
    const Prefix& network = waiting_[at_++];
    if (!has_place(network)) {
        ++followed_.beyond;
        return;
    }
    table.enlist(network);
    added_.push_back(network);
    ++followed_.added;
}

void BanListing::step(const std::vector<Prefix>& before, BanTable& table, const HasPlace& has_place,
                      std::size_t most) {
    const Phase began = phase_;
    for (std::size_t looked = 0; looked < most && phase_ == began; ++looked) {
        switch (phase_) {
        case Phase::adds:
            add(before, table, has_place);
            break;
        case Phase::lifts:
            lift(before, table);
            break;
        case Phase::adds_beyond:
            add_beyond(table, has_place);
            break;
        case Phase::done:
            return;
        }
    }
}

std::vector<Prefix> BanListing::standing(const std::vector<Prefix>& before) const {
    std::vector<Prefix> kept;
    std::ranges::set_difference(before, lifted_, std::back_inserter(kept));
    std::vector<Prefix> added = added_;
    std::ranges::sort(added);
    std::vector<Prefix> standing;
    standing.reserve(kept.size() + added.size());
    std::ranges::merge(kept, added, std::back_inserter(standing));
    return standing;
}

} // namespace sallyport
