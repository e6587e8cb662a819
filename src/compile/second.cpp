// SPDX-License-Identifier: Apache-2.0
// Equal sequences make equal rows, and few sequences differ; each is worked out once.
#include "compile/second.h"

#include <algorithm>

namespace sallyport {

SecondRows::SecondRows(const DirectionRules& rules, std::uint32_t n_second)
    : rules_(rules), n_second_(n_second), index_of_(SP_RULES_MAX, 0) {
    for (std::uint32_t i = 0; i < rules.rules.size(); ++i) index_of_[rules.rules[i].number] = i;
}

std::uint32_t SecondRows::row_of(std::span<const std::uint32_t> sequence) {
    const std::uint32_t id = sequences_.id_of(sequence);
    if (id >= row_of_.size()) row_of_.resize(id + 1);
    if (!row_of_[id]) row_of_[id] = too_many_ ? 0 : rows_.id_of_row(decide(sequence));
    too_many_ = too_many_ || rows_.size() > UINT16_MAX ||
                std::uint64_t{rows_.size()} * n_second_ > SP_CELLS_MAX;
    return *row_of_[id];
}

std::vector<std::uint32_t> SecondRows::decide(std::span<const std::uint32_t> sequence) const {
    std::vector<std::uint32_t> cells(n_second_, 0);
    std::vector<std::uint32_t> group_of(n_second_, 0);
    std::vector<std::uint32_t> rank_of(n_second_, 0);
    std::uint32_t group = 0;
    const auto claim = [&](std::uint32_t second, std::uint32_t rank, std::uint32_t cell) {
        if (cells[second] != 0 && (group_of[second] != group || rank_of[second] >= rank)) return;
        cells[second] = cell;
        group_of[second] = group;
        rank_of[second] = rank;
    };
    for (const std::uint32_t word : sequence) {
        if ((word & kGroupStart) != 0) ++group;
        const TableRule& rule = rules_.rules[index_of_[word & ~kGroupStart]];
        for (std::uint32_t second = 0; rule.for_all && second < n_second_; ++second)
            claim(second, 1, rule.number + 1);
        for (const SecondMatch& match : rule.seconds)
            claim(match.second, match.rank, rule.number + 1);
    }
    if (rules_.direction == Direction::egress) cells.back() = for_anyone(cells);
    return cells;
}

// What some identity may; else what forbids it; else nothing.
std::uint32_t SecondRows::for_anyone(std::span<const std::uint32_t> cells) const {
    std::uint32_t denied = 0;
    for (const std::uint32_t cell : cells.first(cells.size() - 1)) {
        if (cell == 0) continue;
        if (!rules_.rules[index_of_[cell - 1]].rule->deny) return cell;
        if (denied == 0) denied = cell;
    }
    return denied;
}

} // namespace sallyport
