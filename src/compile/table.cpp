// SPDX-License-Identifier: Apache-2.0
// For each address class and interface class the rules that match are found,
// those that can never decide are left out, and what remains (the "list") names
// a row. Lists recur: the million prefixes of a zone make a few dozen address
// classes, and those make one list. Rows that decide alike are one, and so are
// address classes whose rows are; only what is left then is bounded.
#include "compile/table.h"

#include "compile/matching.h"
#include "compile/priority.h"
#include "compile/second.h"

#include <algorithm>
#include <bitset>
#include <optional>
#include <string>
#include <utility>

namespace sallyport {

namespace {

// A longer list is not kept for being met again: ten thousand of ten thousand would fill the
// memory.
constexpr std::size_t kListMax = 256;

struct Candidate {
    std::uint32_t index = 0; // in DirectionRules::rules
    std::uint32_t length = 0;
};

// Lengths only matter by their order; counting them from 1 makes more lists equal.
void rank_lengths(std::vector<Candidate>& candidates) {
    std::bitset<256> used;
    for (const Candidate& candidate : candidates) used.set(candidate.length);
    std::vector<std::uint32_t> ranks(used.size());
    for (std::uint32_t length = 0, rank = 0; length < used.size(); ++length)
        if (used[length]) ranks[length] = ++rank;
    for (Candidate& candidate : candidates) candidate.length = ranks[candidate.length];
}

std::vector<std::uint32_t> list_words(std::vector<Candidate> candidates) {
    rank_lengths(candidates);
    std::vector<std::uint32_t> words;
    for (const Candidate& candidate : candidates)
        words.push_back(candidate.index << 8 | candidate.length);
    std::ranges::sort(words);
    return words;
}

template <typename Get>
std::vector<PeerRefs> peers_of(const std::vector<TableRule>& rules, Get get) {
    std::vector<PeerRefs> all;
    for (const TableRule& rule : rules) all.push_back(get(rule));
    return all;
}

std::string plural(std::uint64_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "es");
}

class Builder {
  public:
    Builder(DirectionRules rules, const Peers& peers, const AddressClasses& addresses,
            const InterfaceClasses& interfaces, PortClasses ports)
        : rules_(std::move(rules)), atoms_(peers.atoms()), addresses_(addresses),
          interfaces_(interfaces), ports_(std::move(ports)),
          near_(atoms_, peers_of(rules_.rules, [](const TableRule& r) { return r.near; })),
          best_for_all_(rules_.services.size()), best_of_port_(ports_.count) {}

    Result<DirectionTable> build() && {
        DirectionTable table;
        if (rules_.direction == Direction::forward) table.far_of = classify_far();
        seconds_.emplace(rules_, rules_.n_second);
        SP_TRY(check_bounds());
        for (std::uint32_t number = 0; number < addresses_.classes.size(); ++number) {
            std::vector<std::uint32_t> row_on;
            for (const std::vector<bool>& interface : interfaces_.matches)
                row_on.push_back(row_of(candidates(number, interface)));
            table.near_of.push_back(nears_.id_of_row(row_on));
            SP_TRY(check_bounds());
        }
        table.direction = rules_.direction;
        table.ports = std::move(ports_);
        table.n_second = rules_.n_second;
        table.rows = std::move(rows_);
        table.nears = std::move(nears_);
        table.seconds = seconds_->take();
        return table;
    }

  private:
    // Classes of the other address, and for each rule those that it holds for.
    std::vector<std::uint32_t> classify_far() {
        PeerIndex far(atoms_, peers_of(rules_.rules, [](const TableRule& r) { return r.far; }));
        Interner classes;
        std::vector<std::uint32_t> far_of;
        for (std::uint32_t number = 0; number < addresses_.classes.size(); ++number) {
            std::vector<Candidate> held;
            // The interface it would leave by is not known to the one who asks: class 0.
            for (const Match& m :
                 far.matching(addresses_.classes.at(number), interfaces_.matches[0]))
                held.push_back({.index = m.set, .length = m.length});
            far_of.push_back(classes.id_of(list_words(std::move(held))));
        }
        for (std::uint32_t second = 1; second < classes.size(); ++second)
            for (const std::uint32_t word : classes.at(second))
                rules_.rules[word >> 8].seconds.push_back({.second = second, .rank = word & 0xff});
        rules_.n_second = classes.size();
        return far_of;
    }

    // The rules that match and may decide: of those with one service that hold for every
    // second class only the best, and no other that is below it.
    std::vector<Candidate> candidates(std::uint32_t address_class,
                                      const std::vector<bool>& interface) {
        const auto matches = near_.matching(addresses_.classes.at(address_class), interface);
        const auto priority = [&](const Match& m) {
            return Priority(rules_.rules[m.set], m.length, 0);
        };
        for (const Match& m : matches) {
            const TableRule& rule = rules_.rules[m.set];
            if (!rule.for_all || !interface[rule.globs]) continue;
            std::optional<Priority>& best = best_for_all_[rule.service];
            if (!best || *best < priority(m)) best = priority(m);
        }
        std::vector<Candidate> found;
        for (const Match& m : matches) {
            const TableRule& rule = rules_.rules[m.set];
            if (!interface[rule.globs] || (!rule.for_all && rule.seconds.empty())) continue;
            const std::optional<Priority>& best = best_for_all_[rule.service];
            if (!best || *best <= priority(m))
                found.push_back({.index = m.set, .length = m.length});
        }
        for (const Match& m : matches) best_for_all_[rules_.rules[m.set].service].reset();
        return found;
    }

    std::uint32_t row_of(std::vector<Candidate> candidates) {
        const std::vector<std::uint32_t> list = list_words(std::move(candidates));
        if (list.size() > kListMax) return make_row(list);
        const std::uint32_t id = lists_.id_of(list);
        if (id >= row_of_list_.size()) row_of_list_.resize(id + 1);
        if (!row_of_list_[id]) row_of_list_[id] = make_row(list);
        return *row_of_list_[id];
    }

    std::uint32_t make_row(const std::vector<std::uint32_t>& list) {
        return rows_.id_of(rules_.n_second == 1 ? plain_row(list) : row_of_seconds(list));
    }

    template <typename Use> void each_port(const std::vector<std::uint32_t>& list, Use use) const {
        for (const std::uint32_t word : list) {
            const TableRule& rule = rules_.rules[word >> 8];
            for (const ServedClass& served : ports_.served[rule.service])
                use(served.port_class, Priority(rule, word & 0xff, served.width));
        }
    }

    std::vector<std::uint32_t> plain_row(const std::vector<std::uint32_t>& list) {
        std::vector<std::uint32_t> touched;
        each_port(list, [&](std::uint32_t port, Priority priority) {
            std::optional<Priority>& best = best_of_port_[port];
            if (!best) touched.push_back(port);
            if (!best || *best < priority) best = priority;
        });
        std::ranges::sort(touched);
        std::vector<std::uint32_t> row;
        for (const std::uint32_t port : touched) {
            row.insert(row.end(), {port, best_of_port_[port]->number() + 1});
            best_of_port_[port].reset();
        }
        return row;
    }

    std::vector<std::uint32_t> row_of_seconds(const std::vector<std::uint32_t>& list) {
        std::vector<std::pair<std::uint32_t, Priority>> all;
        each_port(list,
                  [&](std::uint32_t port, Priority priority) { all.emplace_back(port, priority); });
        std::ranges::sort(all, [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first < b.first : a.second > b.second;
        });
        std::vector<std::uint32_t> row;
        for (std::size_t from = 0; from < all.size() && !seconds_->too_many();) {
            std::size_t to = from;
            while (to < all.size() && all[to].first == all[from].first) ++to;
            const std::uint32_t second =
                seconds_->row_of(sequence(std::span(all).subspan(from, to - from)));
            if (second != 0) row.insert(row.end(), {all[from].first, second});
            from = to;
        }
        return row;
    }

    // Best first, up to one that holds for all.
    [[nodiscard]] std::vector<std::uint32_t>
    sequence(std::span<const std::pair<std::uint32_t, Priority>> rules) const {
        std::vector<std::uint32_t> words;
        std::optional<std::uint64_t> group;
        for (const auto& [port, priority] : rules) {
            const bool starts = rules_.direction == Direction::forward && group != priority.group();
            group = priority.group();
            words.push_back(priority.number() | (starts ? SecondRows::kGroupStart : 0));
            if (for_all(priority.number())) break;
        }
        return words;
    }

    [[nodiscard]] bool for_all(std::uint32_t number) const {
        const auto rule = std::ranges::lower_bound(rules_.rules, number, {}, &TableRule::number);
        return rule->for_all;
    }

    [[nodiscard]] Status check_bounds() const {
        const std::uint64_t first = std::uint64_t{interfaces_.count} * nears_.size() * ports_.count;
        const std::string rules =
            std::string("the ") + to_string(rules_.direction) + " rules make ";
        const std::string room =
            " words, and a policy has room for " + std::to_string(SP_CELLS_MAX);
        if (first > SP_CELLS_MAX || nears_.size() > UINT16_MAX)
            return fail(ErrorKind::invalid_input,
                        rules + plural(interfaces_.count, "interface class") + " x at least " +
                            plural(nears_.size(), "address class") + " x " +
                            plural(ports_.count, "port class") + ", " + std::to_string(first) +
                            room,
                        "let rules share their ports or their networks: the table has a word for "
                        "each pair of both");
        const bool wide =
            rules_.n_second > (rules_.direction == Direction::forward ? UINT16_MAX : SP_CELLS_MAX);
        if (seconds_->too_many() || wide)
            return fail(ErrorKind::invalid_input,
                        rules + "at least " + plural(seconds_->size(), "decision class") + " x " +
                            plural(rules_.n_second, "identity or destination class") + ", " +
                            std::to_string(std::uint64_t{seconds_->size()} * rules_.n_second) +
                            room,
                        "let rules share their units, cgroups, users or destinations");
        return {};
    }

    DirectionRules rules_;
    std::uint32_t atoms_;
    const AddressClasses& addresses_;
    const InterfaceClasses& interfaces_;
    PortClasses ports_;
    PeerIndex near_;
    std::vector<std::optional<Priority>> best_for_all_; // by service; empty between calls
    std::vector<std::optional<Priority>> best_of_port_; // by port class; empty between calls
    Interner lists_;
    std::vector<std::optional<std::uint32_t>> row_of_list_;
    std::optional<SecondRows> seconds_;
    Interner rows_;
    Interner nears_;
};

} // namespace

Result<DirectionTable> build_table(DirectionRules rules, const Peers& peers,
                                   const AddressClasses& addresses,
                                   const InterfaceClasses& interfaces) {
    PortClasses ports = SP_TRY(classify_ports(rules.services));
    return Builder(std::move(rules), peers, addresses, interfaces, std::move(ports)).build();
}

} // namespace sallyport
