// SPDX-License-Identifier: Apache-2.0
#include "bans/ban_table.h"

#include "sallyport/abi/ban.h"

#include <algorithm>
#include <utility>

namespace sallyport {
namespace {

bool has_same_family(const Prefix& a, const Prefix& b) {
    return a.is_v4() == b.is_v4();
}

bool lies_in(const Prefix& inner, const Prefix& outer) {
    return inner.length >= outer.length && has_same_family(inner, outer) &&
           prefix_of(inner.base, outer.length).base == outer.base;
}

} // namespace

BanTable::Node& BanTable::node_of(const Prefix& prefix) {
    // What is loaded comes in order.
    const auto at = nodes_.empty() || nodes_.rbegin()->first < prefix ? nodes_.end()
                                                                      : nodes_.lower_bound(prefix);
    if (at != nodes_.end() && at->first == prefix) return at->second;
    ++lengths_[prefix.length];
    return nodes_.emplace_hint(at, prefix, Node{})->second;
}

void BanTable::touch(Nodes::iterator at) {
    if (at->second.touched) return;
    at->second.touched = true;
    touched_.push_back(at->first);
}

// The prefix and all below it. They follow it in order: what begins inside of it is longer.
void BanTable::touch_from(const Prefix& prefix) {
    for (auto at = nodes_.lower_bound(prefix); at != nodes_.end(); ++at) {
        if (prefix_of(at->first.base, prefix.length).base != prefix.base) break;
        if (has_same_family(at->first, prefix)) touch(at);
    }
}

void BanTable::ban(const Prefix& prefix, std::uint64_t until_ns) {
    Node& node = node_of(prefix);
    if (node.given && node.until_ns == until_ns) return;
    if (!node.given) ++given_;
    node.given = true;
    node.until_ns = until_ns;
    touch_from(prefix);
}

bool BanTable::lift(const Prefix& prefix) {
    const auto at = nodes_.find(prefix);
    if (at == nodes_.end() || !at->second.given) return false;
    at->second.given = false;
    at->second.until_ns = 0;
    --given_;
    touch_from(prefix);
    return true;
}

void BanTable::enlist(const Prefix& prefix) {
    if (++node_of(prefix).lists != 1) return;
    ++listed_;
    touch_from(prefix);
}

void BanTable::delist(const Prefix& prefix) {
    const auto at = nodes_.find(prefix);
    if (at == nodes_.end() || at->second.lists == 0 || --at->second.lists != 0) return;
    --listed_;
    touch_from(prefix);
}

void BanTable::set_never(std::vector<Prefix> prefixes) {
    std::ranges::sort(prefixes);
    prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
    for (const Prefix& prefix : never_) {
        if (std::ranges::binary_search(prefixes, prefix)) continue;
        nodes_.at(prefix).never = false;
        touch_from(prefix);
    }
    for (const Prefix& prefix : prefixes) {
        Node& node = node_of(prefix);
        if (node.never) continue;
        node.never = true;
        touch_from(prefix);
    }
    never_ = std::move(prefixes);
}

std::optional<std::uint64_t> BanTable::until(const Prefix& prefix) const {
    const auto at = nodes_.find(prefix);
    if (at == nodes_.end() || !at->second.given) return std::nullopt;
    return at->second.until_ns;
}

bool BanTable::is_listed(const Prefix& prefix) const {
    const auto at = nodes_.find(prefix);
    return at != nodes_.end() && at->second.lists != 0;
}

template <typename Call> void BanTable::for_each_around(const Prefix& prefix, Call call) const {
    // No prefix of the other family covers an IPv4 one.
    for (unsigned length = prefix.is_v4() ? 96 : 0; length <= prefix.length; ++length) {
        if (lengths_[length] == 0) continue;
        const auto at = nodes_.find(prefix_of(prefix.base, length));
        if (at != nodes_.end() && has_same_family(at->first, prefix)) call(at->first, at->second);
    }
}

std::optional<Prefix> BanTable::never_within_or_around(const Prefix& prefix) const {
    std::optional<Prefix> found;
    for_each_around(prefix, [&](const Prefix& around, const Node& node) {
        if (node.never && !found) found = around;
    });
    if (found) return found;
    // In the order of their bases: the first that begins inside, if any.
    for (auto at = std::ranges::lower_bound(never_, prefix); at != never_.end(); ++at) {
        if (prefix_of(at->base, prefix.length).base != prefix.base) break;
        if (lies_in(*at, prefix)) return *at;
    }
    return std::nullopt;
}

bool BanTable::is_banned(const Address& address, std::uint64_t now_ns) const {
    bool banned = false;
    bool never = false;
    for_each_around(Prefix{.base = address, .length = 128}, [&](const Prefix&, const Node& node) {
        never = never || node.never;
        banned = banned || (node.bans() && is_later(node.end(), now_ns));
    });
    return banned && !never;
}

std::optional<Prefix> BanTable::banned_around(const Prefix& prefix, std::uint64_t now_ns) const {
    std::optional<Prefix> found;
    for_each_around(prefix, [&](const Prefix& around, const Node& node) {
        if (around != prefix && node.bans() && is_later(node.end(), now_ns)) found = around;
    });
    return found;
}

std::optional<std::uint64_t> BanTable::wanted(const Prefix& prefix, const Node& node) const {
    if (!node.bans() && !node.never) return std::nullopt;
    bool never_above = false;
    bool banned_above = false;
    std::optional<std::uint64_t> until;
    for_each_around(prefix, [&](const Prefix& around, const Node& each) {
        if (around != prefix) {
            never_above = never_above || each.never;
            banned_above = banned_above || each.bans();
        }
        if (each.bans() && (!until || is_later(each.end(), *until))) until = each.end();
    });
    if (never_above) return std::nullopt;
    if (node.never) return banned_above ? std::optional(SP_BAN_NEVER) : std::nullopt;
    return until;
}

std::vector<BanEntry> BanTable::take_changes() {
    std::vector<BanEntry> changes;
    for (const Prefix& prefix : touched_) {
        const auto at = nodes_.find(prefix);
        if (at == nodes_.end()) continue;
        Node& node = at->second;
        node.touched = false;
        const std::optional<std::uint64_t> now = wanted(prefix, node);
        if (now && (node.doubtful || !node.entered || node.written_ns != *now))
            changes.push_back({.prefix = prefix,
                               .until_ns = now,
                               .is_new = !node.entered,
                               .is_mask = now == SP_BAN_NEVER});
        if (!now && (node.entered || node.doubtful))
            changes.push_back({.prefix = prefix,
                               .until_ns = {},
                               .is_new = node.entered,
                               .is_mask = node.written_ns == SP_BAN_NEVER});
        node.entered = now.has_value();
        node.doubtful = false;
        node.written_ns = now.value_or(0);
    }
    // Only now: what was gone could not have told those below it apart.
    for (const Prefix& prefix : touched_) {
        const auto at = nodes_.find(prefix);
        if (at == nodes_.end() || at->second.bans() || at->second.never) continue;
        --lengths_[prefix.length];
        nodes_.erase(at);
    }
    touched_.clear();
    const auto step = [](const BanEntry& entry) {
        return entry.until_ns ? (entry.is_mask ? 0 : 1) : (entry.is_mask ? 3 : 2);
    };
    std::ranges::sort(changes, {}, [&step](const BanEntry& entry) {
        return std::pair(step(entry), entry.prefix);
    });
    return changes;
}

void BanTable::redo(const std::vector<BanEntry>& changes) {
    for (const BanEntry& change : changes) {
        node_of(change.prefix).doubtful = true;
        touch(nodes_.find(change.prefix));
    }
}

} // namespace sallyport
