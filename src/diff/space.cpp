// SPDX-License-Identifier: Apache-2.0
#include "diff/space.h"

#include <algorithm>

namespace sallyport::diff {
namespace {

void add_globs(const PeerSet& peers, std::vector<std::string>& globs) {
    for (const PeerPart& part : peers.parts)
        globs.insert(globs.end(), part.interfaces.begin(), part.interfaces.end());
}

std::vector<std::string> globs_of(const Policy& before, const Policy& after) {
    std::vector<std::string> globs;
    for (const Policy* policy : {&before, &after}) {
        globs.insert(globs.end(), policy->host.interfaces.begin(), policy->host.interfaces.end());
        for (const Rule& rule : policy->rules) {
            globs.insert(globs.end(), rule.interfaces.begin(), rule.interfaces.end());
            add_globs(rule.from, globs);
            add_globs(rule.to, globs);
        }
        add_globs(policy->essentials.ping, globs);
        add_globs(policy->essentials.routers, globs);
        add_globs(policy->exfil_inside, globs);
        add_globs(policy->admin, globs);
    }
    return globs;
}

std::vector<std::pair<Side, Identity>> asked_of(const Policy& before, const Policy& after) {
    std::vector<std::pair<Side, Identity>> asked;
    for (const Rule& rule : before.rules)
        if (!rule.identity.is_none()) asked.emplace_back(Side::before, rule.identity);
    for (const Rule& rule : after.rules)
        if (!rule.identity.is_none()) asked.emplace_back(Side::after, rule.identity);
    return asked;
}

std::vector<ServiceCell> cells_of(const Policy& before, const Policy& after) {
    std::vector<const Services*> named;
    for (const Policy* policy : {&before, &after})
        for (const Rule& rule : policy->rules) named.push_back(&rule.services);
    return service_cells(named);
}

bool has(const std::vector<std::size_t>& classes, std::size_t one) {
    return std::ranges::binary_search(classes, one);
}

} // namespace

Space::Space(const Policy& before, const Policy& after)
    : before_(before), after_(after), interfaces_(globs_of(before, after)),
      identities_(asked_of(before, after), before.host.cgroup, after.host.cgroup),
      services_(cells_of(before, after)) {}

std::optional<bool> Space::holds(const Region& region, const Opening& opening) const {
    const auto interfaces = interfaces_.class_of(opening.interface);
    if (!interfaces) return std::nullopt;
    std::optional<std::size_t> identity = 0;
    if (opening.direction == Direction::egress)
        identity = identities_.class_of(opening.cgroup, opening.user);
    if (!identity) return std::nullopt;
    return region.direction == opening.direction && has(region.interfaces, *interfaces) &&
           (opening.direction != Direction::egress || has(region.identities, *identity)) &&
           has(region.services, cell_of(services_, opening.proto, opening.port)) &&
           (opening.direction == Direction::egress || region.from.holds(opening.source)) &&
           (opening.direction == Direction::ingress || region.to.holds(opening.destination));
}

} // namespace sallyport::diff
