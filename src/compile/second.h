// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rows of the second table, for rules that also ask who opens (egress) or whom
// to (forward). A row is made from the rules that match so far, best first.
#include "compile/classes.h"
#include "compile/table.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sallyport {

class SecondRows {
  public:
    // A word of a sequence is a rule's number; the first of a group carries this bit.
    // Within a group the more specific match wins, then the earlier rule.
    static constexpr std::uint32_t kGroupStart = 1u << 31;

    SecondRows(const DirectionRules& rules, std::uint32_t n_second);
    // 0 when no rule of it matches anything, or when there is no room for more.
    std::uint32_t row_of(std::span<const std::uint32_t> sequence);
    [[nodiscard]] bool too_many() const { return too_many_; }
    [[nodiscard]] std::uint32_t size() const { return rows_.size(); }
    Interner take() { return std::move(rows_); }

  private:
    std::vector<std::uint32_t> decide(std::span<const std::uint32_t> sequence) const;
    [[nodiscard]] std::uint32_t for_anyone(std::span<const std::uint32_t> cells) const;

    const DirectionRules& rules_;
    std::uint32_t n_second_;
    std::vector<std::uint32_t> index_of_; // by rule number: its index in rules_
    Interner sequences_;
    std::vector<std::optional<std::uint32_t>> row_of_; // by sequence
    Interner rows_;
    bool too_many_ = false;
};

} // namespace sallyport
