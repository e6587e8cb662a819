// SPDX-License-Identifier: Apache-2.0
#include "jail/connections.h"

#include <utility>

namespace sallyport::jail {

namespace {

constexpr std::size_t kConnectionsMax = 4096;
constexpr std::size_t kBytesMax = 4u << 20;
constexpr std::size_t kUsersMax = 16;
constexpr std::chrono::minutes kSilence(5);

std::size_t size_of(const std::string& id, const Facts& facts) {
    std::size_t bytes = 2 * id.size() + 256;
    for (const auto& [name, value] : facts.groups)
        bytes += name.size() + (value ? value->size() : 0) + 96;
    for (const std::string& user : facts.users) bytes += user.size() + 64;
    return bytes;
}

void add_user(Facts& facts, const std::optional<std::string>& user) {
    if (user && facts.users.size() < kUsersMax) facts.users.insert(*user);
}

bool take(Groups& groups, std::string_view name) {
    const bool had = found_in(groups, name).has_value();
    if (const auto found = groups.find(name); found != groups.end()) groups.erase(found);
    return had;
}

} // namespace

void Connections::forget(std::list<Known>::iterator known) {
    bytes_ -= known->bytes;
    by_id_.erase(known->id);
    by_age_.erase(known);
}

void Connections::expire(LogTime now) {
    while (!by_age_.empty() && (by_age_.size() > kConnectionsMax || bytes_ > kBytesMax ||
                                by_age_.front().seen + kSilence < now))
        forget(by_age_.begin());
}

Facts Connections::merge(const std::string& id, Groups line, LogTime now) {
    bool gained = found_in(line, "mlfgained").has_value();
    if (gained && !found_in(line, "nofail")) line["nofail"] = line["mlfgained"];
    bool no_failure = gained || found_in(line, "nofail").has_value();
    const bool forgotten = take(line, "mlfforget");
    const std::optional<std::string> user = found_in(line, "user");

    Facts facts;
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) {
        facts = std::move(found->second->facts);
        forget(found->second);
        add_user(facts, user);
        const bool had_nofail = take(facts.groups, "nofail");
        const bool was_no_failure = take(facts.groups, "mlfgained") || had_nofail;
        if (gained) facts.is_pending = false;
        // Those lines were told of with the failure before this one.
        if (!was_no_failure && !facts.is_pending) facts.matches = 0;
        for (auto& [name, value] : line)
            if (value) facts.groups[name] = std::move(value);
    } else {
        facts.groups = std::move(line);
        if (!forgotten) add_user(facts, user);
    }
    // Several users, or a failure whose source is known only now: a success or a
    // harmless line does not undo it.
    if (std::exchange(facts.is_pending, false) || facts.users.size() > 1) {
        take(facts.groups, "nofail");
        take(facts.groups, "mlfgained");
        no_failure = gained = false;
    }
    if (!no_failure)
        facts.matches += std::exchange(facts.nofail_matches, 0) + (gained ? 0u : 1u);
    else if (!forgotten)
        ++facts.nofail_matches;

    if (!forgotten) {
        Known known{.id = id, .seen = now, .facts = facts, .bytes = size_of(id, facts)};
        bytes_ += known.bytes;
        by_age_.push_back(std::move(known));
        by_id_[id] = std::prev(by_age_.end());
    }
    expire(now);
    return facts;
}

void Connections::set_pending(const std::string& id) {
    if (const auto found = by_id_.find(id); found != by_id_.end())
        found->second->facts.is_pending = true;
}

} // namespace sallyport::jail
