// SPDX-License-Identifier: Apache-2.0
#include "learn/findings.h"

#include "base/text.h"
#include "event/names.h"
#include "learn/merged.h"
#include "learn/named.h"
#include "learn/words.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace sallyport::learn {
namespace {

constexpr std::size_t kExamples = 4;
constexpr std::size_t kClaims = 64; // of a rule; the rest are like them

bool is_plain_interface(const std::string& name) {
    return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
                                                   "VWXYZ0123456789.-_:@") == name.npos;
}

std::string sources_text(const Aside& aside) {
    std::vector<std::string> texts;
    for (const Address& source : aside.sources)
        if (texts.size() < kExamples) texts.push_back(to_string(source));
    if (aside.has_more || aside.sources.size() > kExamples) texts.emplace_back("others");
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string peers_text(const Service& service, const std::string& words) {
    const bool is_egress = service.direction == Direction::egress;
    return fmt::format("{} {} {} {}{}", to_string(service.direction), service_text(service),
                       is_egress ? "to" : "from", words,
                       is_egress ? " by " + owner_text(service) : std::string());
}

class Sorter {
  public:
    Sorter(const Seen& seen, const ParsedPolicy& policy, const LearnOptions& options)
        : seen_(seen), options_(options), zones_(policy) {
        for (const NamedZone& zone : policy.zones) names_.insert(zone.name);
        if (!policy.policy) return;
        host_cgroup_ = policy.policy->host.cgroup;
        for (const Rule& rule : policy.policy->rules) names_.insert(rule.name);
    }

    Findings sorted() {
        for (const auto& [service, peers] : seen_.services()) {
            if (service.direction != Direction::egress || !service.has_owner()) continue;
            for (const auto& [peer, tally] : peers)
                owned_.insert({service.proto, service.port, peer.remote});
        }
        for (const auto& [service, peers] : seen_.services()) switch (service.direction) {
            case Direction::ingress:
                ingress(service, peers);
                break;
            case Direction::egress:
                egress(service, peers);
                break;
            case Direction::forward:
                forward(service, peers);
                break;
            }
        cap();
        asides();
        std::ranges::sort(found_.left, [](const LeftOut& a, const LeftOut& b) {
            return std::tie(a.why, b.events, a.what) < std::tie(b.why, a.events, b.what);
        });
        found_.losses = seen_.losses();
        return std::move(found_);
    }

  private:
    void leave(Why why, std::string what, std::uint64_t events, WallTime first, WallTime last) {
        found_.left.push_back({why, std::move(what), events, first, last});
    }
    void leave(Why why, const Service& service, const Named& one) {
        leave(why, peers_text(service, one.word), std::max<std::uint64_t>(one.events(), 1),
              one.first(), one.last());
    }

    // No more rules than may be. What scanners alone asked of nobody knows whom goes first.
    void cap() {
        found_.rules = merged(std::move(found_.rules));
        for (LearnedRule& rule : doubtful_) found_.rules.push_back(std::move(rule));
        for (; found_.rules.size() > options_.rules; found_.rules.pop_back()) {
            const LearnedRule& rule = found_.rules.back();
            const bool is_egress = rule.service.direction == Direction::egress;
            const std::string words =
                fmt::format("{}", fmt::join(is_egress ? rule.to : rule.from, ", "));
            leave(Why::too_many, peers_text(rule.service, words),
                  std::max<std::uint64_t>(rule.openings, 1), rule.first, rule.last);
        }
    }

    // Of a zone, or at work here.
    [[nodiscard]] bool is_known(const Member& member) const {
        return std::ranges::find(options_.session, member.address) != options_.session.end() ||
               !zones_.of(member.address, member.interface).empty();
    }

    // From the internet, and nobody whom the policy or the session knows.
    [[nodiscard]] bool is_stranger(const Member& member) const {
        return !is_inside(member.address) && !is_known(member);
    }

    void note_scanner(const Address& source, const Tally& tally) {
        Aside& aside = scanned_[source];
        aside.first = aside.events == 0 ? tally.first : std::min(aside.first, tally.first);
        aside.last = std::max(aside.last, tally.last);
        aside.events += std::max<std::uint64_t>(tally.events, 1);
    }

    [[nodiscard]] const Served* served_at(const Service& service) const {
        for (const Served& one : seen_.served())
            if (one.proto == service.proto && one.low <= service.port && service.port <= one.high)
                return &one;
        return nullptr;
    }

    void ingress(const Service& service, const Seen::Peers& peers) {
        const Served* served = served_at(service);
        const Circle circle = served != nullptr ? served->circle : Circle::unknown;
        std::vector<Member> members, rare;
        for (const auto& [peer, tally] : peers) {
            const Member member{peer.remote, peer.interface, &peer, &tally};
            // Sources can be forged: a few packets must not take the administrator's rule away.
            if (seen_.is_scanner(peer.remote) && !is_known(member)) {
                note_scanner(peer.remote, tally);
                continue;
            }
            // One by one: a network of strangers who each knock once is no client.
            const bool is_rare = is_stranger(member) && is_rarer_than(tally, options_.least);
            (is_rare ? rare : members).push_back(member);
        }
        for (const Named& one : named_of(rare, zones_, options_.networks))
            leave(circle == Circle::inside ? Why::stranger : Why::one_off, service, one);
        std::vector<Named> kept;
        std::size_t strange = 0; // networks of the internet
        for (Named& one : named_of(members, zones_, options_.networks)) {
            const bool is_public = !one.is_zone && is_stranger(one.members.front());
            if (is_public && circle == Circle::inside)
                leave(Why::stranger, service, one);
            else
                strange += is_public ? 1 : 0, kept.push_back(std::move(one));
        }
        const bool is_crowded = seen_.crowds().contains(service);
        const bool is_for_all =
            circle == Circle::everybody && (strange > options_.networks || is_crowded);
        const std::string name = served != nullptr ? served->name : std::string();
        add_rule(service, name, kept, nullptr, is_for_all);
    }

    void egress(const Service& service, const Seen::Peers& peers) {
        std::vector<Member> members;
        for (const auto& [peer, tally] : peers) // the same, as the NIC saw it
            if (service.has_owner() || !owned_.contains({service.proto, service.port, peer.remote}))
                members.push_back({peer.remote, "", &peer, &tally});
        std::vector<Named> kept;
        for (Named& one : named_of(members, zones_, options_.networks)) {
            if (one.is_rarer_than(options_.least))
                leave(Why::one_off, service, one);
            else
                kept.push_back(std::move(one));
        }
        add_rule(service, service.has_owner() ? owner_text(service) : "host", kept, nullptr, false);
    }

    void forward(const Service& service, const Seen::Peers& peers) {
        std::vector<Member> ends;
        for (const auto& [peer, tally] : peers) ends.push_back({peer.to, "", &peer, &tally});
        for (const Named& to : named_of(ends, zones_, options_.networks)) {
            if (to.is_rarer_than(options_.least)) {
                leave(Why::one_off, service, to);
                continue;
            }
            std::vector<Member> members;
            for (const Member& one : to.members)
                members.push_back({one.peer->remote, one.peer->interface, one.peer, one.tally});
            add_rule(service, "forward", named_of(members, zones_, options_.networks), &to, false);
        }
    }

    // `to`: of forward. Nothing when nobody is left.
    void add_rule(const Service& service, const std::string& name, std::vector<Named> peers,
                  const Named* to, bool is_for_all) {
        if (!is_for_all)
            for (; peers.size() > options_.networks; peers.pop_back())
                leave(Why::too_many, service, peers.back());
        if (peers.empty()) return;
        LearnedRule rule{.name = unique(name, service), .what = name, .service = service};
        rule.first = peers.front().first();
        std::vector<std::string>& words =
            service.direction == Direction::egress ? rule.to : rule.from;
        for (const Named& one : peers) {
            words.push_back(one.word);
            rule.openings += one.openings();
            rule.first = std::min(rule.first, one.first());
            rule.last = std::max(rule.last, one.last());
            for (const Member& member : one.members) take(rule, member);
            if (one.is_widened)
                rule.warnings.push_back(one.word + " is wider than what was seen: too many "
                                                   "addresses for one rule");
        }
        rule.ports = {{service.port, rule.openings, rule.first, rule.last}};
        if (to != nullptr) rule.to.push_back(to->word);
        if (is_for_all) words = {"any"};
        if (service.direction == Direction::ingress && !is_for_all) rule.interfaces = nics(peers);
        warn(rule, peers, is_for_all);
        const bool is_doubtful = service.direction == Direction::ingress && !seen_.knows_served() &&
                                 has_scanners_alone(peers);
        (is_doubtful ? doubtful_ : found_.rules).push_back(std::move(rule));
    }

    [[nodiscard]] bool has_scanners_alone(const std::vector<Named>& peers) const {
        return std::ranges::all_of(peers, [&](const Named& one) {
            return std::ranges::all_of(one.members, [&](const Member& member) {
                return seen_.is_scanner(member.address);
            });
        });
    }

    void take(LearnedRule& rule, const Member& member) const {
        const Tally& tally = *member.tally;
        rule.running += tally.events == 0 ? tally.running : 0;
        std::string example = to_string(member.peer->remote);
        if (rule.service.direction == Direction::forward)
            example += " to " + to_string(member.peer->to);
        if (!tally.comm.empty()) example += " by " + one_line(tally.comm, 48);
        if (rule.examples.size() < kExamples &&
            std::ranges::find(rule.examples, example) == rule.examples.end())
            rule.examples.push_back(std::move(example));
        if (rule.claims.size() >= kClaims) return;
        Opening claim{.direction = rule.service.direction,
                      .interface = member.peer->interface,
                      .source = {},
                      .destination = {},
                      .proto = rule.service.proto,
                      .port = rule.service.port,
                      .cgroup = tally.cgroup,
                      .user = tally.uid};
        if (rule.service.direction != Direction::egress) claim.source = member.peer->remote;
        if (rule.service.direction == Direction::egress) claim.destination = member.peer->remote;
        if (rule.service.direction == Direction::forward) claim.destination = member.peer->to;
        if (claim.cgroup.empty() && !rule.service.unit.empty())
            claim.cgroup =
                (host_cgroup_ == "/" ? "" : host_cgroup_) + "/system.slice/" + rule.service.unit;
        rule.claims.push_back(std::move(claim));
    }

    // Where sources that are named by network came in, when that is known of all.
    static std::vector<std::string> nics(const std::vector<Named>& peers) {
        std::set<std::string> names;
        bool has_network = false;
        for (const Named& one : peers) {
            has_network = has_network || !one.is_zone;
            for (const Member& member : one.members) {
                if (!is_plain_interface(member.peer->interface)) return {};
                names.insert(member.peer->interface);
            }
        }
        return has_network ? std::vector<std::string>(names.begin(), names.end())
                           : std::vector<std::string>();
    }

    void warn(LearnedRule& rule, const std::vector<Named>& peers, bool is_for_all) const {
        const Service& service = rule.service;
        if (is_for_all)
            rule.warnings.emplace_back("OPEN TO EVERYBODY: the sources were too many to name, and "
                                       "the catalogue has it as a service for all");
        bool is_public = false, is_exfil = false;
        for (const Named& one : peers)
            for (const Member& member : one.members) {
                is_public = is_public || (!one.is_zone && !is_inside(member.address));
                is_exfil = is_exfil || member.tally->is_exfil;
            }
        if (service.direction == Direction::ingress && !is_for_all) warn_of_scanners(rule, peers);
        if (service.direction == Direction::ingress && is_public && !is_for_all)
            rule.warnings.emplace_back("sources on the internet are among these");
        if (is_exfil)
            rule.warnings.emplace_back("outside of [exfil] inside: refused, it would be reported "
                                       "as an attempt to carry data out");
        if (service.direction != Direction::egress) return;
        if (!service.has_owner())
            rule.warnings.emplace_back("the process is not known: any may");
        else if (service.unit.empty() && service.user == 0U)
            rule.warnings.emplace_back("of no lasting unit: any process of root may");
    }

    // Those that are learned for whom the policy or the session knows.
    void warn_of_scanners(LearnedRule& rule, const std::vector<Named>& peers) const {
        std::set<Address> scanners;
        for (const Named& one : peers)
            for (const Member& member : one.members)
                if (seen_.is_scanner(member.address)) scanners.insert(member.address);
        if (scanners.empty()) return;
        rule.warnings.push_back(fmt::format(
            "{}{} touched many ports: it scans, or its address was forged",
            to_string(*scanners.begin()),
            scanners.size() == 1 ? "" : fmt::format(" and {} more", scanners.size() - 1)));
    }

    void asides() {
        for (const auto& [port, aside] : seen_.closed())
            leave(Why::closed_port,
                  fmt::format("{} {} from {}", proto_name(port.first), port.second,
                              sources_text(aside)),
                  aside.events, aside.first, aside.last);
        for (const auto& [source, aside] : scanned_)
            leave(Why::scanner, to_string(source) + ", what it asked of ports that are served",
                  aside.events, aside.first, aside.last);
        for (const auto& [key, aside] : seen_.refused()) {
            const auto& [direction, reason, rule] = key;
            leave(Why::other_reason,
                  fmt::format("{} {}{}{}{}", to_string(direction), reason_name(reason),
                              rule.empty() ? "" : " by rule " + one_line(rule, 64),
                              aside.sources.empty() ? "" : ": ", sources_text(aside)),
                  aside.events, aside.first, aside.last);
        }
        for (const auto& [key, aside] : seen_.portless())
            leave(Why::no_port,
                  fmt::format("{} {} {} {}", to_string(key.first), proto_name(key.second),
                              key.first == Direction::egress ? "to" : "from", sources_text(aside)),
                  aside.events, aside.first, aside.last);
        for (const auto& [service, aside] : seen_.crowds())
            leave(Why::no_room,
                  fmt::format("{} {}: more peers than are kept, as {}",
                              to_string(service.direction), service_text(service),
                              sources_text(aside)),
                  aside.events, aside.first, aside.last);
        if (const Aside& rest = seen_.no_room(); rest.events != 0)
            leave(Why::no_room, "what found no room, as of " + sources_text(rest), rest.events,
                  rest.first, rest.last);
    }

    std::string unique(const std::string& what, const Service& service) {
        std::string base = "learned";
        for (const std::string& part : {plain_name(what), plain_name(proto_name(service.proto))})
            if (!part.empty()) base += "-" + part;
        if (service.port != 0) base += fmt::format("-{}", service.port);
        std::string name = base;
        for (unsigned next = 2; !names_.insert(name).second; ++next)
            name = fmt::format("{}-{}", base, next);
        return name;
    }

    const Seen& seen_;
    const LearnOptions& options_;
    KnownZones zones_;
    std::string host_cgroup_ = "/";
    std::set<std::string> names_;
    std::set<std::tuple<std::uint8_t, std::uint16_t, Address>> owned_;
    std::map<Address, Aside> scanned_;
    std::vector<LearnedRule> doubtful_; // what scanners alone asked for
    Findings found_;
};

} // namespace

std::size_t Findings::left_for(Why why) const {
    return static_cast<std::size_t>(std::ranges::count(left, why, &LeftOut::why));
}

Findings sort_out(const Seen& seen, const ParsedPolicy& policy, const LearnOptions& options) {
    return Sorter(seen, policy, options).sorted();
}

} // namespace sallyport::learn
