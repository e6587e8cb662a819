// SPDX-License-Identifier: Apache-2.0
// What is never banned, and lists, which leave it out.
#include "daemon/bans.h"
#include "kernel/bans.h"
#include "sallyport/abi/limits.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport {
namespace {

struct Special {
    Prefix network;
    const char* what;
};

const std::array<Special, 7>& special() {
    static const std::array<Special, 7> kAll{{
        {prefix_of(Address::v4(0x7f000000), 96 + 8), "loopback"},
        {Prefix{.base = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, .length = 128},
         "loopback"},
        {prefix_of(Address::v4(0xe0000000), 96 + 4), "multicast, which is no one's own address"},
        {prefix_of(Address{{0xff}}, 8), "multicast, which is no one's own address"},
        {prefix_of(Address::v4(0xffffffff), 128), "broadcast, which is no one's own address"},
        {prefix_of(Address::v4(0), 96 + 8), "the unspecified address, which is no one's"},
        {Prefix{.base = {}, .length = 128}, "the unspecified address, which is no one's"},
    }};
    return kAll;
}

bool overlaps(const Prefix& a, const Prefix& b) {
    return a.length <= b.length ? a.covers(b.base) : b.covers(a.base);
}

BanOutcome refused(const Prefix& network, const Prefix& over, const std::string& what,
                   const char* next) {
    const bool same = network == over;
    const bool inside = !same && network.length > over.length;
    return BanOutcome{.answer = BanAnswer::refused,
                      .why = fmt::format("{} {} {}{}", to_string(network),
                                         same     ? "is"
                                         : inside ? "lies in"
                                                  : "contains",
                                         same ? "" : to_string(over) + ", ", what),
                      .next = next};
}

} // namespace

std::optional<BanOutcome> Bans::refusal(const BanRequest& request,
                                        std::span<const Address> session) const {
    const Prefix& network = request.network;
    const auto single = [](const Address& address) {
        return Prefix{.base = address, .length = 128};
    };
    for (const Special& entry : special())
        if (overlaps(network, entry.network) && network.length >= entry.network.length)
            return refused(network, entry.network, entry.what, "ban addresses that can be others'");
    for (const Address& address : own_)
        if (network.covers(address))
            return refused(network, single(address), "an address of this host",
                           "ban the networks around it one by one");
    for (const Address& address : session)
        if (network.covers(address))
            return refused(network, single(address),
                           "the address that this session comes from: it would be cut",
                           "ban a network without it, or do it from another machine");
    for (const Special& entry : special())
        if (overlaps(network, entry.network))
            return refused(network, entry.network, entry.what, "ban addresses that can be others'");
    if (const auto never = table_.never_within_or_around(network))
        return refused(network, *never, "which [bans] never names",
                       "take it out of the zone in the policy and reload, or ban the rest");
    return std::nullopt;
}

Bans::Followed Bans::name_by_list(const std::string& zone, std::vector<Prefix> networks) {
    Followed followed;
    std::ranges::sort(networks);
    networks.erase(std::ranges::unique(networks).begin(), networks.end());
    followed.left_out = std::erase_if(networks, [&](const Prefix& network) {
        return std::ranges::any_of(own_, [&](const Address& own) { return network.covers(own); }) ||
               std::ranges::any_of(special(), [&](const Special& entry) {
                   return overlaps(network, entry.network);
               });
    });
    std::vector<Prefix>& before = listed_[zone];
    for (const Prefix& network : before)
        if (!std::ranges::binary_search(networks, network)) {
            table_.delist(network);
            ++followed.lifted;
        }
    std::vector<Prefix> standing;
    for (const Prefix& network : networks) {
        const bool stood = std::ranges::binary_search(before, network);
        if (!stood && active() >= SP_BANS_MAX) {
            ++followed.left_out;
            continue;
        }
        standing.push_back(network);
        if (stood) continue;
        table_.enlist(network);
        ++followed.added;
    }
    before = std::move(standing);
    if (before.empty()) listed_.erase(zone);
    if (followed.added != 0) {
        fresh_ = true;
        news_.push_back({.banned = true,
                         .origin = "list:" + zone,
                         .detail = "named by the zone's file",
                         .count = followed.added});
    }
    if (followed.lifted != 0)
        news_.push_back({.banned = false,
                         .origin = "list:" + zone,
                         .detail = "not named by the zone's file any more",
                         .count = followed.lifted});
    return followed;
}

Result<Bans::Followed> Bans::follow_list(const BanList& list) {
    std::vector<Prefix> networks = SP_TRY(read_list_(list.file));
    const Followed followed = name_by_list(list.zone, std::move(networks));
    SP_TRY(write());
    return followed;
}

std::size_t Bans::named_by(const std::string& zone) const {
    const auto found = listed_.find(zone);
    return found == listed_.end() ? 0 : found->second.size();
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
        else if (followed->left_out != 0)
            notes.push_back(fmt::format("{}: {} networks are left out: they hold addresses of "
                                        "this host, loopback or groups, or are too many",
                                        list.file, followed->left_out));
    }
}

} // namespace sallyport
